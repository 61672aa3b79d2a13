// One event: its payload, and sending it again.
import assert from "node:assert/strict";
import { visit } from "./visitor.mjs";

const EVENT = "/dashboard/events/clerk/msg_ada_1";

await visit("one-event", {
  "the payload folds": async (visitor) => {
    await visitor.signIn();
    await visitor.open(EVENT);
    const data = '//div[contains(@class, "json")]//summary[span[.="data"]]';
    const isShown = async () => (await visitor.texts(".json")).some((text) => text.includes("Lovelace"));
    const before = await isShown();
    for (const expected of [!before, before]) {
      await visitor.do(data, "Payload", (summary) => summary.click());
      await visitor.until(async () => (await isShown()) === expected, "the fold shows or hides what it has");
    }
  },

  "the payload, a command and the id are copied": async (visitor) => {
    await visitor.press("Copy", { inside: "Payload" });
    await visitor.sees("Copied");
    const copied = JSON.parse(await visitor.clipboard());
    assert.deepEqual([copied.type, copied.data.last_name], ["user.created", "Lovelace"]);
    await visitor.press("Copy as curl", { inside: "Payload" });
    await visitor.until(async () => (await visitor.clipboard()).startsWith("curl -X POST "), "a command is copied");
    assert.match(await visitor.clipboard(), /'svix-id: msg_ada_1'/);
    await visitor.press("Copy");
    await visitor.until(async () => (await visitor.clipboard()) === "msg_ada_1", "the id is copied");
  },

  "the raw payload is text": async (visitor) => {
    await visitor.press("Raw");
    await visitor.arrives(`${EVENT}/payload`);
    assert.equal(await visitor.run("return document.contentType"), "text/plain");
    assert.equal(JSON.parse(await visitor.text()).data.id, "user_ada");
  },

  "an attempt says what was replied": async (visitor) => {
    await visitor.open(EVENT);
    await visitor.do('//summary[contains(., "Attempt 1")]', "crm", (summary) => summary.click());
    await visitor.sees("Reply, ");
    await visitor.sees("atmpt_");
  },

  "a replay to one destination is one more attempt there": async (visitor) => {
    await visitor.choose("Replay to", "crm");
    await visitor.press("Replay");
    await visitor.sees("1 delivery is pending again.");
    await visitor.open(EVENT);
    await visitor.seesInTime("Attempt 2");
    await visitor.press("Replay", { inside: "crm" });
    await visitor.sees("1 delivery is pending again.");
    await visitor.open(EVENT);
    await visitor.seesInTime("Attempt 3");
  },

  "a replay to all is one more attempt at each": async (visitor) => {
    await visitor.open("/dashboard/events/clerk/msg_globex");
    await visitor.sees("dead letter");
    await visitor.choose("Replay to", "all destinations");
    await visitor.press("Replay");
    await visitor.sees("pending again");
    await visitor.open("/dashboard/events/clerk/msg_globex");
    await visitor.until(async () => {
      await visitor.driver.navigate().refresh();
      return (await visitor.texts("details.attempt summary span:first-child")).filter((one) => one === "Attempt 2").length === 2;
    }, "both destinations had a second attempt");
    await visitor.seesNot("dead letter");
  },

  "all events that match are counted, and sent again": async (visitor) => {
    await visitor.open("/dashboard/events?subject=user_grace");
    await visitor.press("Replay all that match…");
    await visitor.choose("To", "crm");
    await visitor.press("Count");
    await visitor.sees("1 delivery would be made, from 1 event.");
    await visitor.press("Replay 1");
    await visitor.until(async () => /^\/dashboard\/replays\/\d+$/.test(await visitor.path()), "the page is that of the replay");
    await visitor.sees("done");
    assert.deepEqual(await visitor.texts(".figures .value"), ["1", "1"]);
    await visitor.open("/dashboard/events/clerk/msg_grace");
    await visitor.seesInTime("Attempt 2");
  },

  "a sample of the catalog goes to a destination": async (visitor) => {
    await visitor.open("/dashboard/catalog");
    await visitor.press("organization.updated");
    await visitor.arrives("/dashboard/catalog/organization.updated");
    await visitor.choose("To", "crm");
    await visitor.press("Send the sample");
    await visitor.sees("Sent. This is the event");
    assert.equal(await visitor.heading(), "organization.updated");
    await visitor.seesInTime("Attempt 1");
  },
});
