// What both generations of the npm package `svix` do with a running Deskbell. The environment has DESKBELL_URL and
// DESKBELL_TOKEN, and RECEIVER_URL: a receiver that records what is posted to `/hooks/NAME`, shows it at
// `/requests/NAME`, and answers with the status that was put to `/status/NAME/STATUS`.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const { DESKBELL_URL, DESKBELL_TOKEN, RECEIVER_URL } = process.env;
const APP = "clerk";
/// The endpoint of the config file, which fails until the receiver is told otherwise.
const DECLARED = "failing";
const DEADLINE_MS = 30_000;

/// Asks again until there is an answer.
async function until(what, ask) {
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; await pause(50)) {
    const answer = await ask();
    if (answer) return answer;
  }
  assert.fail(`in ${DEADLINE_MS} ms there was no ${what}`);
}

/// What the receiver got at this name.
async function received(name) {
  return (await fetch(`${RECEIVER_URL}/requests/${name}`)).json();
}

async function answerWith(name, status) {
  assert.equal((await fetch(`${RECEIVER_URL}/status/${name}/${status}`, { method: "PUT" })).status, 204);
}

/// All items of a list, page by page.
async function all(list) {
  const items = [];
  for (let page = await list(); ; page = await list(page.iterator)) {
    items.push(...page.data);
    if (page.done) return items;
    assert.equal(typeof page.iterator, "string");
  }
}

class Scenario {
  constructor(directory, packageName, dialect) {
    this.library = createRequire(join(directory, "package.json"))(packageName);
    this.dialect = dialect;
    this.svix = this.client(DESKBELL_TOKEN);
    this.started = new Date(Date.now() - 60_000);
  }

  client(token) {
    return new this.library.Svix(token, { serverUrl: DESKBELL_URL, retryScheduleInMs: [10] });
  }

  /// A name that no other run has.
  name(purpose) {
    return `${this.dialect.name}-${purpose}`;
  }

  /// The error that a promise is rejected with.
  async refused(status, promise) {
    const error = await promise.then(() => assert.fail("it was not refused"), (error) => error);
    assert(error instanceof this.library.ApiException, String(error));
    assert.equal(error.code, status, JSON.stringify(error.body));
    // The clients leave the body of a 5xx as text.
    return typeof error.body === "string" ? JSON.parse(error.body) : error.body;
  }

  async notImplemented(promise) {
    const { code, detail } = await this.refused(501, promise);
    assert.equal(code, "not_implemented");
    assert(detail.length > 20, detail);
  }

  async run() {
    await this.svix.health.get();
    await this.applications();
    await this.eventTypes();
    await this.endpoints();
    await this.messages();
    await this.secrets();
    await this.replays();
    await this.recovery();
    await this.errors();
    await this.svix.endpoint.delete(APP, this.endpoint.id);
    const { code } = await this.refused(404, this.svix.endpoint.get(APP, this.endpoint.id));
    assert.equal(code, "not_found");
  }

  async applications() {
    const { application } = this.svix;
    const applications = await all((iterator) => application.list({ limit: 1, iterator }));
    assert(applications.some(({ uid }) => uid === APP));
    const { id, name, createdAt } = await application.get(APP);
    assert.deepEqual([id, name], [APP, APP]);
    assert(createdAt instanceof Date);
    assert.equal((await application.getOrCreate({ name: APP, uid: APP })).id, APP);
    await this.notImplemented(application.create({ name: "new" }));
    await this.notImplemented(application.delete(APP));
  }

  async eventTypes() {
    const { eventType } = this.svix;
    const types = await all((iterator) => eventType.list({ limit: 20, iterator }));
    assert(types.some(({ name }) => name === "user.created"));
    const { schemas } = await eventType.get("user.created");
    assert.equal(schemas["1"].examples[0].type, "user.created");
    await this.notImplemented(eventType.create({ name: "order.paid", description: "Paid" }));
  }

  async endpoints() {
    const { endpoint } = this.svix;
    const { types, rate } = this.dialect;
    const settings = {
      url: `${RECEIVER_URL}/hooks/${this.name("main")}`,
      uid: this.name("main"),
      description: "Made by a client",
      [types]: ["user.created", "user.updated"],
      [rate]: 50,
      metadata: { team: "a" },
      headers: { "x-tenant": "a", authorization: "Bearer 1" },
    };
    const made = await endpoint.create(APP, settings);
    assert.deepEqual(made[types], ["user.created", "user.updated"]);
    assert.equal(made[rate], 50);
    assert.deepEqual(made.metadata, { team: "a" });
    assert.equal(made.disabled, false);
    this.endpoint = made;
    assert.deepEqual(await endpoint.get(APP, settings.uid), made);
    const listed = await all((iterator) => endpoint.list(APP, { limit: 1, order: "ascending", iterator }));
    assert(listed.some(({ id }) => id === made.id) && listed.some(({ id }) => id === DECLARED));

    assert.deepEqual(await endpoint.getHeaders(APP, made.id), {
      headers: { "x-tenant": "a" },
      sensitive: ["authorization"],
    });
    await endpoint.patchHeaders(APP, made.id, { headers: { "x-tenant": "b" } });
    assert.deepEqual((await endpoint.getHeaders(APP, made.id)).headers, { "x-tenant": "b" });

    const patched = await endpoint.patch(APP, made.id, { description: "Changed", [types]: ["user.created"] });
    assert.equal(patched.description, "Changed");
    assert.deepEqual(patched[types], ["user.created"]);
    assert.equal(patched[rate], 50);

    const second = this.name("second");
    const url = `${RECEIVER_URL}/hooks/${second}`;
    const upserted = await this.dialect.upsert(endpoint, APP, second, { url, uid: second });
    assert.equal(upserted.uid, second);
    const again = await this.dialect.upsert(endpoint, APP, second, { url, uid: second, disabled: true });
    assert.deepEqual([again.id, again.disabled, again[types] ?? null], [upserted.id, true, null]);
    await endpoint.delete(APP, second);
  }

  async messages() {
    const { message, messageAttempt } = this.svix;
    const eventId = this.name("order-1");
    const payload = { type: "user.created", data: { id: "user_1", note: "äöü" } };
    const { active } = await message.precheck(APP, { eventType: "user.created" });
    assert.equal(active, true);
    const made = await message.create(APP, { eventId, eventType: "user.created", payload }, { withContent: true });
    assert.deepEqual([made.id, made.eventId], [eventId, eventId]);
    assert.deepEqual(made.payload, payload);

    const [delivered] = await this.deliveries("main", ({ id }) => id === made.id, 1);
    assert.equal(delivered.headers.authorization, "Bearer 1");
    const { key } = await this.svix.endpoint.getSecret(APP, this.endpoint.id);
    assert.deepEqual(this.verify(key, delivered), payload);

    const { code } = await this.refused(409, message.create(APP, { eventId, eventType: "user.created", payload }));
    assert.equal(code, "conflict");
    const idempotencyKey = this.name("key-1");
    const create = () => message.create(APP, { eventType: "user.created", payload }, { idempotencyKey });
    assert.equal((await create()).id, (await create()).id);

    const got = await message.get(APP, made.id, { withContent: true });
    assert.deepEqual(got.payload, payload);
    assert.deepEqual((await message.get(APP, made.id, { withContent: false })).payload, {});
    const options = { limit: 1, eventTypes: ["user.created"], after: this.started, withContent: false };
    const listed = await all((iterator) => message.list(APP, { ...options, iterator }));
    assert(listed.some(({ id }) => id === made.id));
    assert.deepEqual(await all((iterator) => message.list(APP, { before: this.started, iterator })), []);

    const attempts = await until("attempt", async () => {
      const { data } = await messageAttempt.listByMsg(APP, made.id, { endpointId: this.endpoint.id, withContent: true });
      return data.length > 0 && data;
    });
    const [attempt] = attempts;
    assert.deepEqual([attempt.status, attempt.responseStatusCode, attempt.response], [0, 200, "recorded"]);
    assert.deepEqual([attempt.endpointId, attempt.msgId, attempt.url], [this.endpoint.id, made.id, this.endpoint.url]);
    assert.deepEqual((await messageAttempt.get(APP, made.id, attempt.id)).id, attempt.id);
    const byEndpoint = await all((iterator) =>
      messageAttempt.listByEndpoint(APP, this.endpoint.id, { limit: 1, status: 0, statusCodeClass: 200, withMsg: true, iterator }));
    const found = byEndpoint.find(({ id }) => id === attempt.id);
    assert.equal(found.msg.eventType, "user.created");
    const attempted = await all((iterator) =>
      messageAttempt.listAttemptedMessages(APP, this.endpoint.id, { limit: 1, status: 0, iterator }));
    assert.equal(attempted.filter(({ id }) => id === made.id).length, 1);
    const destinations = await messageAttempt.listAttemptedDestinations(APP, made.id);
    const destination = destinations.data.find(({ id }) => id === this.endpoint.id);
    assert.deepEqual([destination.status, destination.url], [0, this.endpoint.url]);

    assert.deepEqual(await messageAttempt.resend(APP, made.id, this.endpoint.id), {});
    await this.deliveries("main", ({ id }) => id === made.id, 2);
    await this.notImplemented(message.expungeContent(APP, made.id));
    if (message.bulkExpungeContent) await this.notImplemented(message.bulkExpungeContent(APP, { ids: [made.id] }));
    this.message = made;
  }

  async secrets() {
    const { endpoint, message } = this.svix;
    const { key: before } = await endpoint.getSecret(APP, this.endpoint.id);
    const key = `whsec_${randomBytes(24).toString("base64")}`;
    await endpoint.rotateSecret(APP, this.endpoint.id, { key });
    assert.equal((await endpoint.getSecret(APP, this.endpoint.id)).key, key);
    await endpoint.rotateSecret(APP, this.endpoint.id, {});
    const { key: random } = await endpoint.getSecret(APP, this.endpoint.id);
    assert(random !== key && random !== before && random.startsWith("whsec_"));
    const payload = { type: "user.created", data: {} };
    const signed = await until("delivery with the new secret", async () => {
      const { id } = await message.create(APP, { eventType: "user.created", payload });
      const [delivered] = await this.deliveries("main", (one) => one.id === id, 1);
      return this.isSignedWith(random, delivered) && delivered;
    });
    for (const secret of [random, key]) assert.deepEqual(this.verify(secret, signed), payload);
    assert(!this.isSignedWith(`whsec_${randomBytes(24).toString("base64")}`, signed));
  }

  async replays() {
    const { endpoint } = this.svix;
    const stats = await endpoint.getStats(APP, this.endpoint.id, { since: this.started });
    assert(stats.success >= 2 && stats.fail === 0, JSON.stringify(stats));
    const example = await endpoint.sendExample(APP, this.endpoint.id, { eventType: "session.created" });
    assert.equal(example.eventType, "session.created");
    const [sample] = await this.deliveries("main", ({ id }) => id === example.id, 1);
    assert.equal(sample.headers["x-tenant"], "b");

    const late = this.name("late");
    const { id } = await endpoint.create(APP, { url: `${RECEIVER_URL}/hooks/${late}`, uid: late });
    await this.finished(await endpoint.replayMissing(APP, id, { since: this.started }), "endpoint.replay");
    await this.deliveries("late", (one) => one.id === this.message.id, 1);
    await this.finished(await endpoint.bulkReplay(APP, id, { since: this.started }), "endpoint.bulk-replay");
    await this.deliveries("late", (one) => one.id === this.message.id, 2);
    await endpoint.delete(APP, id);
  }

  /// What failed permanently is sent once the receiver takes it.
  async recovery() {
    const { endpoint, message, messageAttempt } = this.svix;
    await answerWith(DECLARED, 500);
    const payload = { type: "organization.created", data: {} };
    const { id } = await message.create(APP, { eventType: "organization.created", payload });
    await until("message that failed", async () => {
      const list = (iterator) => messageAttempt.listAttemptedMessages(APP, DECLARED, { status: 2, iterator });
      return (await all(list)).some((one) => one.id === id);
    });
    const [{ status }] = (await messageAttempt.listAttemptedDestinations(APP, id)).data;
    assert.equal(status, 2);
    await answerWith(DECLARED, 200);
    await this.finished(await endpoint.recover(APP, DECLARED, { since: this.started }), "endpoint.recover");
    await until("message that was recovered", async () => {
      const { data } = await messageAttempt.listAttemptedDestinations(APP, id);
      return data.some((one) => one.id === DECLARED && one.status === 0);
    });
  }

  async finished(begun, task) {
    assert.equal(begun.task, task);
    assert(begun.updatedAt instanceof Date);
    await until(`end of ${begun.id}`, async () => {
      const found = await this.svix.backgroundTask.get(begun.id);
      return found.status === "finished" && found;
    });
  }

  async errors() {
    const { endpoint, integration } = this.svix;
    const declared = await this.refused(403, endpoint.patch(APP, DECLARED, { description: "x" }));
    assert.equal(declared.code, "read_only");
    const url = `${RECEIVER_URL}/hooks/none`;
    const { detail } = await this.refused(422, endpoint.create(APP, { url, channels: ["a"] }));
    assert.deepEqual(detail[0].loc, ["body", "channels"]);
    await this.refused(422, endpoint.list(APP, { iterator: "nonsense" }));
    const unknown = await this.refused(404, endpoint.list("none"));
    assert.equal(unknown.code, "not_found");
    await this.refused(401, this.client("dbt_wrong").application.list());
    await this.notImplemented(integration.list(APP));
    await this.notImplemented(this.svix.authentication.appPortalAccess(APP, {}));
  }

  /// What was delivered to this name and is wanted, once there are so many.
  deliveries(purpose, isWanted, count) {
    return until(`delivery ${count} to ${purpose}`, async () => {
      const requests = await received(this.name(purpose));
      const wanted = requests.filter(({ headers }) => isWanted({ id: headers["svix-id"] }));
      return wanted.length >= count && wanted;
    });
  }

  isSignedWith(secret, delivered) {
    try {
      this.verify(secret, delivered);
      return true;
    } catch {
      return false;
    }
  }

  verify(secret, { headers, body }) {
    // Only the 1.x one returns what it read.
    new this.library.Webhook(secret).verify(body, headers);
    return JSON.parse(body);
  }
}

export function run(directory, packageName, dialect) {
  return new Scenario(directory, packageName, dialect).run();
}
