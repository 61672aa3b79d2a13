// Signing in and out, and what is shown to nobody else.
import assert from "node:assert/strict";
import { visit } from "./visitor.mjs";

await visit("session", {
  "a page leads to signing in, and back to itself": async (visitor) => {
    await visitor.open("/dashboard/events?type=user.*");
    await visitor.arrives("/sign-in");
    assert.equal(await visitor.heading(), "Sign in");
    await visitor.photograph("sign-in");
  },

  "a wrong token signs nobody in": async (visitor) => {
    await visitor.fill("Access token", "no-token-of-this-server");
    await visitor.press("Sign in");
    await visitor.sees("this token is not valid");
    assert.equal(await visitor.heading(), "Sign in");
    await visitor.open("/dashboard/events?type=user.*");
    await visitor.arrives("/sign-in");
  },

  "the token signs in": async (visitor) => {
    await visitor.fill("Access token", process.env.DESKBELL_ADMIN_TOKEN);
    await visitor.press("Sign in");
    await visitor.arrives("/dashboard/events?type=user.*");
    await visitor.sees("type: user.*");
  },

  "signing out ends the session": async (visitor) => {
    await visitor.press("Sign out");
    await visitor.arrives("/sign-in");
    await visitor.open("/dashboard");
    await visitor.arrives("/sign-in");
    await visitor.driver.navigate().back();
    assert.equal(await visitor.heading(), "Sign in");
  },
});
