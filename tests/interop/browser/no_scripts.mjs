// A browser that runs no scripts: what one needs is there all the same.
import assert from "node:assert/strict";
import { visit } from "./visitor.mjs";

await visit("no-scripts", {
  "scripts are off, and one can sign in": async (visitor) => {
    await visitor.open("/dashboard/events");
    await visitor.arrives("/sign-in");
    await visitor.fill("Access token", process.env.DESKBELL_ADMIN_TOKEN);
    await visitor.press("Sign in");
    await visitor.arrives("/dashboard/events");
    assert.equal(await visitor.run(`return document.documentElement.classList.contains("js")`), false);
    const shown = `return Array.from(document.querySelectorAll(".js-only")).filter((one) => one.checkVisibility()).length`;
    assert.equal(await visitor.run(shown), 0);
  },

  "the overview": async (visitor) => {
    await visitor.press("Overview");
    await visitor.sees("Last event");
    assert.equal(await visitor.heading(), "Overview");
  },

  "a search, and a filter taken out": async (visitor) => {
    await visitor.press("Events");
    await visitor.fill("Type", "user.updated");
    await visitor.press("Search");
    await visitor.sees("type: user.updated");
    assert.deepEqual(await visitor.texts("table.events td[data-label=Event]"), ["msg_ada_2"]);
    await visitor.press("Remove the filter type: user.updated");
    await visitor.sees("msg_grace");
  },

  "an event, its folds, and a replay": async (visitor) => {
    await visitor.open("/dashboard/events/clerk/msg_ada_1");
    await visitor.do('//summary[contains(., "Attempt 1")]', "crm", (summary) => summary.click());
    await visitor.sees("atmpt_");
    await visitor.press("Replay", { inside: "crm" });
    await visitor.sees("1 delivery is pending again.");
    await visitor.seesInTime("Attempt 2");
  },

  "pausing, resuming, and the live tail's notice": async (visitor) => {
    await visitor.open("/dashboard/destinations/crm");
    await visitor.press("Pause");
    await visitor.sees("Paused. ");
    await visitor.press("Resume");
    await visitor.sees("Resumed. ");
    await visitor.open("/dashboard/events?live=1");
    await visitor.sees("The live tail needs JavaScript.");
  },

  "signing out": async (visitor) => {
    await visitor.press("Sign out");
    await visitor.arrives("/sign-in");
  },
}, { scripts: false });
