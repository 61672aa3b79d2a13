// Access tokens: made, shown once, used and revoked; and what a viewer does not see.
import assert from "node:assert/strict";
import { inspect } from "./page.mjs";
import { token, url } from "./server.mjs";
import { visit } from "./visitor.mjs";

const SETTINGS = "/dashboard/settings";
const EVENT = "/dashboard/events/clerk/msg_ada_1";
let made;

const answers = async (bearer) => {
  const reply = await fetch(new URL("/api/v1/overview", url), { headers: { authorization: `Bearer ${bearer}` } });
  return reply.status;
};

await visit("tokens", {
  "a token is shown once": async (visitor) => {
    await visitor.signIn();
    await visitor.press("Settings");
    await visitor.fill("New token", "ada");
    await visitor.choose("Role", "viewer: reads, personal data masked");
    await visitor.press("Create");
    await visitor.sees("It is shown once: store it now.");
    [made] = await visitor.texts("#tokens .paste code");
    assert.equal(await answers(made), 200);
    await visitor.press("Copy the token");
    await visitor.until(async () => (await visitor.clipboard()) === made, "the token is copied");
    await visitor.open(SETTINGS);
    await visitor.sees("viewer");
    assert.ok(!(await visitor.driver.getPageSource()).includes(made));
  },

  "a viewer sees no personal data, and nothing to change": async (visitor) => {
    await visitor.press("Sign out");
    await visitor.signIn(made);
    await visitor.arrives("/dashboard");
    await inspect(visitor, "event-viewer", EVENT);
    await visitor.sees("Personal data is masked.");
    for (const personal of ["Lovelace", "Replay", "Copy as curl"]) await visitor.seesNot(personal);
    await visitor.open("/dashboard/events");
    await visitor.seesNot("Payload contains");
    await inspect(visitor, "settings-viewer", SETTINGS);
    await visitor.seesNot("New token");
    await visitor.open("/dashboard/destinations/crm");
    for (const action of ["Pause", "Send a test…", "Reveal"]) await visitor.seesNot(action);
  },

  "a revoked token ends its sessions": async (visitor) => {
    const cookies = await visitor.driver.manage().getCookies();
    await visitor.driver.manage().deleteAllCookies();
    await visitor.signIn(token);
    await visitor.open(SETTINGS);
    await visitor.press("Revoke…", { inside: "ada" });
    await visitor.press("Revoke", { inside: "ada" });
    await visitor.sees("Revoked. Sessions that it began have ended.");
    await visitor.sees("No tokens but the one of the config.");
    assert.equal(await answers(made), 401);
    await visitor.driver.manage().deleteAllCookies();
    for (const cookie of cookies) await visitor.driver.manage().addCookie(cookie);
    await visitor.open(EVENT);
    await visitor.arrives("/sign-in");
  },
});
