// Dead letters: one is retried, and all of a cause.
import assert from "node:assert/strict";
import { visit } from "./visitor.mjs";

const LETTERS = "/dashboard/dead-letters";

await visit("dead-letters", {
  "they are shown by their cause": async (visitor) => {
    await visitor.signIn();
    await visitor.press("Dead letters");
    await visitor.seesInTime("3 dead letters at billing");
    await visitor.sees("1 dead letter at mirror");
    await visitor.sees("the receiver answered 400 Bad Request");
    await visitor.sees("expected a string `id` in `data`");
  },

  "the overview leads to them": async (visitor) => {
    await visitor.press("Overview");
    await visitor.press("Show them");
    await visitor.arrives(LETTERS);
  },

  "one is retried": async (visitor) => {
    await visitor.press("List", { inside: "billing" });
    assert.equal((await visitor.texts("section.cause")).length, 3);
    await visitor.press("Retry", { inside: "organization.updated" });
    await visitor.sees("Retry requested for 1 dead letter.");
    await visitor.open(LETTERS);
    await visitor.seesInTime("2 dead letters at billing");
    await visitor.open("/dashboard/events/clerk/msg_acme_2");
    await visitor.seesInTime("Attempt 2");
  },

  "all of a cause are retried": async (visitor) => {
    await visitor.open(LETTERS);
    await visitor.press("Retry 2", { inside: "billing" });
    await visitor.sees("Retry requested for 2 dead letters.");
    await visitor.open(LETTERS);
    await visitor.until(async () => {
      await visitor.driver.navigate().refresh();
      return !(await visitor.text()).includes("billing");
    }, "billing has no dead letters");
    await visitor.sees("1 dead letter at mirror");
  },

  "what fails again comes back": async (visitor) => {
    await visitor.press("Retry 1", { inside: "mirror" });
    await visitor.sees("Retry requested for 1 dead letter.");
    await visitor.open(LETTERS);
    await visitor.seesInTime("1 dead letter at mirror");
  },
});
