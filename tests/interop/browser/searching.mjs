// Finding events, subjects and where a value came from; following the log.
import assert from "node:assert/strict";
import { trigger } from "./server.mjs";
import { Key, visit } from "./visitor.mjs";

const EVENTS = "/dashboard/events";
const ids = (visitor) => visitor.texts("table.events td[data-label=Event]");

await visit("searching", {
  "a search finds what has a text, and names its filters": async (visitor) => {
    await visitor.signIn();
    await visitor.press("Events");
    await visitor.fill("Payload contains", "Lovelace");
    await visitor.fill("Type", "user.*");
    await visitor.choose("Received", "Last hour");
    await visitor.press("Search");
    await visitor.arrives(EVENTS);
    await visitor.sees("payload contains: Lovelace");
    assert.deepEqual(await ids(visitor), ["msg_ada_2", "msg_ada_1"]);
  },

  "a filter is taken out by itself": async (visitor) => {
    await visitor.fill("Type", "user.updated");
    await visitor.press("Search");
    await visitor.sees("type: user.updated");
    assert.deepEqual(await ids(visitor), ["msg_ada_2"]);
    await visitor.press("Remove the filter type: user.updated");
    await visitor.seesNot("type: user.updated");
    await visitor.sees("payload contains: Lovelace");
    assert.deepEqual(await ids(visitor), ["msg_ada_2", "msg_ada_1"]);
    await visitor.press("Clear all");
    await visitor.arrives(EVENTS);
    assert.ok((await ids(visitor)).includes("msg_grace"));
  },

  "the further fields find by id and by destination": async (visitor) => {
    await visitor.press("More");
    await visitor.fill("Event id", "msg_grace");
    await visitor.press("Search");
    await visitor.sees("id: msg_grace");
    assert.deepEqual(await ids(visitor), ["msg_grace"]);
    await visitor.press("Clear all");
    await visitor.press("More");
    await visitor.fill("Destination", "billing");
    await visitor.press("Search");
    await visitor.sees("A destination needs a state of its deliveries");
    await visitor.choose("Deliveries", "With a dead letter");
    await visitor.press("Search");
    await visitor.sees("state: dead-lettered");
    await visitor.sees("destination: billing");
    assert.deepEqual(await ids(visitor), ["msg_acme_2", "msg_globex", "msg_acme"]);
    await visitor.fill("Destination", "crm");
    await visitor.press("Search");
    await visitor.sees("No event matches.");
  },

  "an event opens beside the list, and the next one in its stead": async (visitor) => {
    await visitor.open(`${EVENTS}?subject=user_ada`);
    await visitor.press("user.updated");
    await visitor.arrives(`${EVENTS}/clerk/msg_ada_2?subject=user_ada`);
    await visitor.run("window.isSamePage = true");
    const next = '//nav[contains(@class, "beside")]//a[contains(normalize-space(), "user.created")]';
    await visitor.do(next, undefined, (link) => link.click());
    await visitor.arrives(`${EVENTS}/clerk/msg_ada_1?subject=user_ada`);
    await visitor.until(async () => (await visitor.heading()) === "user.created", "the next event is open");
    assert.equal(await visitor.run("return window.isSamePage"), true);
    await visitor.driver.navigate().back();
    await visitor.until(async () => (await visitor.heading()) === "user.updated", "the way back leads to the first");
  },

  "the field above each page leads to events, subjects and types": async (visitor) => {
    const found = { msg_grace: `${EVENTS}/clerk/msg_grace`, user_ada: "/dashboard/subjects/user_ada", "user.created": `${EVENTS}?type=user.created` };
    for (const [text, path] of Object.entries(found)) {
      await visitor.open("/dashboard/settings");
      await visitor.type("/", text, Key.ENTER);
      await visitor.arrives(path);
    }
  },

  "a subject's page names the event of each value": async (visitor) => {
    await visitor.open("/dashboard/subjects/user_ada");
    await visitor.sees("Events, the newest first");
    const from = (column) => visitor.run(`
      const row = Array.from(document.querySelectorAll("table.row tr")).find((row) => row.cells[0].innerText === arguments[0]);
      return [row.cells[1].innerText.replaceAll('"', ""), row.querySelector("a")?.getAttribute("href")]`, column);
    assert.deepEqual(await from("first_name"), ["Augusta", `${EVENTS}/clerk/msg_ada_2`]);
    await visitor.open("/dashboard/subjects/user_alan");
    await visitor.sees("No mirror has a row of it.");
    await visitor.sees("user.deleted");
  },

  "the live tail shows what matches as it comes": async (visitor) => {
    await visitor.open(`${EVENTS}?type=user.*`);
    await visitor.press("Live tail");
    await visitor.sees("Live: new events appear on top.");
    await visitor.run("window.isSamePage = true");
    trigger("session.created", "msg_other_type");
    trigger("user.created", "msg_live", "data.id=user_live");
    await visitor.sees("msg_live");
    assert.equal((await ids(visitor))[0], "msg_live");
    assert.ok(!(await ids(visitor)).includes("msg_other_type"));
    assert.equal(await visitor.run("return window.isSamePage"), true);
    await visitor.press("Stop the live tail");
    await visitor.arrives(`${EVENTS}?type=user.*`);
  },
});
