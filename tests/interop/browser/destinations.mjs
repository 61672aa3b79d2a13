// Destinations: paused and resumed, tested, made, changed and deleted.
import assert from "node:assert/strict";
import { receiver, trigger } from "./server.mjs";
import { visit } from "./visitor.mjs";

const LIST = "/dashboard/destinations";
const CRM = `${LIST}/crm`;
let made;
let secret;

const revealed = async (visitor) => {
  await visitor.press("Reveal");
  await visitor.sees("whsec_");
  return (await visitor.texts("#secret code"))[0];
};

await visit("destinations", {
  "a paused destination keeps what is for it": async (visitor) => {
    await visitor.signIn();
    await visitor.press("Destinations");
    await visitor.press("crm");
    await visitor.press("Pause");
    await visitor.sees("Paused. What is for it is kept until you resume it.");
    await visitor.sees("Resume");
    trigger("user.created", "msg_while_paused", "data.id=user_paused");
    await visitor.open("/dashboard/events/clerk/msg_while_paused");
    await visitor.seesInTime("applied");
    assert.ok(!(await visitor.text()).includes("Attempt 1"));
  },

  "a resumed one gets it": async (visitor) => {
    await visitor.open(CRM);
    await visitor.press("Resume");
    await visitor.sees("Resumed. What is pending follows now.");
    await visitor.open("/dashboard/events/clerk/msg_while_paused");
    await visitor.seesInTime("Attempt 1");
  },

  "a test is an event that is sent to it": async (visitor) => {
    await visitor.open(CRM);
    await visitor.press("Send a test…");
    await visitor.fill("Type", "user.updated");
    await visitor.press("Send a sample");
    await visitor.sees("Sent. This is the event");
    assert.equal(await visitor.heading(), "user.updated");
    await visitor.seesInTime("Attempt 1");
  },

  "what it takes and never got is replayed": async (visitor) => {
    await visitor.open(CRM);
    await visitor.press("Replay…");
    await visitor.choose("Replay", "What it takes and never got");
    await visitor.press("Count");
    await visitor.sees("There is nothing to replay.");
    await visitor.open(`${LIST}/billing/replay`);
    await visitor.sees("3 deliveries.");
    await visitor.press("Replay 3");
    await visitor.sees("pending again");
  },

  "a mistake in a new one is shown beside what was typed": async (visitor) => {
    await visitor.open(LIST);
    await visitor.press("Add an HTTP destination");
    await visitor.fill("URL", "https://receiver.example.com/hooks");
    await visitor.fill("Condition", "data.banned ==");
    await visitor.press("Add");
    await visitor.sees("Condition: ");
    assert.equal(await field(visitor, "url"), "https://receiver.example.com/hooks");
    assert.equal(await field(visitor, "when"), "data.banned ==");
  },

  "a new one takes events from now on": async (visitor) => {
    await visitor.open(`${LIST}/new`);
    await visitor.fill("URL", receiver);
    await visitor.fill("Description", "of the tests");
    await visitor.fill("Types of event", "user.created");
    await visitor.press("Add");
    await visitor.sees("Created. It takes events from now on.");
    made = (await visitor.path()).split("?")[0];
    trigger("user.created", "msg_for_new", "data.id=user_new");
    await visitor.open("/dashboard/events/clerk/msg_for_new");
    await visitor.seesInTime(made.split("/").pop());
    await visitor.open(made);
    await visitor.seesInTime("1 delivered, 0 failed");
  },

  "it is edited": async (visitor) => {
    await visitor.press("Edit");
    assert.equal(await field(visitor, "description"), "of the tests");
    await visitor.fill("Description", "of the tests, edited");
    await visitor.fill("Requests a second", "many");
    await visitor.press("Save");
    await visitor.sees("expected a whole number of requests a second");
    await visitor.fill("Requests a second", "7");
    await visitor.press("Save");
    await visitor.sees("Saved. It applies from now on.");
    await visitor.press("Edit");
    assert.equal(await field(visitor, "rate_limit"), "7");
  },

  "its secret is shown when asked for, and copied": async (visitor) => {
    await visitor.open(made);
    assert.ok(!(await visitor.driver.getPageSource()).includes("whsec_C"));
    secret = await revealed(visitor);
    assert.match(secret, /^whsec_[A-Za-z0-9+/=]{32,}$/);
    await visitor.press("Copy the secret");
    await visitor.until(async () => (await visitor.clipboard()) === secret, "the secret is copied");
    await visitor.open(made);
    await visitor.seesNot(secret);
  },

  "its secret is rotated": async (visitor) => {
    await visitor.press("Rotate…");
    await visitor.press("Rotate the secret");
    await visitor.sees("Rotated. ");
    assert.notEqual(await revealed(visitor), secret);
  },

  "its headers are replaced": async (visitor) => {
    await visitor.open(made);
    await visitor.press("Replace them");
    await visitor.fill("Headers", "x-team: billing");
    await visitor.press("Replace the headers");
    await visitor.sees("Headers replaced.");
    await visitor.sees("x-team");
  },

  "it is deleted": async (visitor) => {
    await visitor.press("Delete…");
    await visitor.press("Delete");
    await visitor.sees("Deleted.");
    await visitor.arrives(LIST);
    await visitor.until(async () => {
      await visitor.driver.navigate().refresh();
      return (await visitor.texts("table a.cover")).sort().join() === "billing,crm,mirror";
    }, "it is no longer listed");
  },

  "the audit log has all of it": async (visitor) => {
    await visitor.open("/dashboard/settings/audit");
    const actions = await visitor.texts("td[data-label=What]");
    assert.ok(actions.length >= 9, `${actions}`);
    assert.ok(!(await visitor.text()).includes("whsec_"));
  },
});

async function field(visitor, id) {
  return visitor.run("return document.getElementById(arguments[0]).value", id);
}
