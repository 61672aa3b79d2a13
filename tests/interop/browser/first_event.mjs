// A server that has no event yet: the set-up guide, up to the first event.
import assert from "node:assert/strict";
import { inspect } from "./page.mjs";
import { trigger } from "./server.mjs";
import { visit } from "./visitor.mjs";

await visit("first-event", {
  "the overview is the set-up guide, with the address for Clerk": async (visitor) => {
    await visitor.signIn();
    await visitor.arrives("/dashboard");
    assert.equal(await visitor.heading(), "Set up Deskbell");
    await visitor.sees("https://hooks.example.com/api/webhooks");
    await visitor.sees("No event has come yet.");
  },

  "the guide and the empty pages are fit to be seen": async (visitor) => {
    await inspect(visitor, "set-up", "/dashboard");
    await inspect(visitor, "events-none-yet", "/dashboard/events");
    await inspect(visitor, "dead-letters-none", "/dashboard/dead-letters");
  },

  "the guide says by itself that the first event has come": async (visitor) => {
    await visitor.open("/dashboard");
    await visitor.run("window.isSamePage = true");
    trigger("user.created", "msg_first");
    await visitor.sees("The last event came");
    assert.equal(await visitor.run("return window.isSamePage"), true);
  },

  "the overview follows": async (visitor) => {
    await visitor.open("/dashboard");
    assert.equal(await visitor.heading(), "Overview");
    await visitor.press("Set-up guide");
    await visitor.arrives("/dashboard/setup");
    await visitor.sees("The last event came");
  },
});
