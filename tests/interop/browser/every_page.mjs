// Every page with what is usual on it: fit to be seen by everyone.
import assert from "node:assert/strict";
import { inspect } from "./page.mjs";
import { receiver } from "./server.mjs";
import { Key, visit } from "./visitor.mjs";

const PAGES = {
  "overview": "/dashboard",
  "events": "/dashboard/events",
  "events-filtered": "/dashboard/events?type=user.*&since=24h&text=ada",
  "events-none-match": "/dashboard/events?subject=user_nobody",
  "event": "/dashboard/events/clerk/msg_ada_1",
  "event-failed": "/dashboard/events/clerk/msg_acme",
  "event-rejected": "/dashboard/events/clerk/msg_rejected",
  "replay-matching": "/dashboard/events/replay?type=user.*",
  "subject": "/dashboard/subjects/user_ada",
  "subject-deleted": "/dashboard/subjects/user_alan",
  "destinations": "/dashboard/destinations",
  "destination": "/dashboard/destinations/crm",
  "destination-failing": "/dashboard/destinations/billing",
  "destination-mirror": "/dashboard/destinations/mirror",
  "destination-new": "/dashboard/destinations/new",
  "destination-replay": "/dashboard/destinations/billing/replay",
  "mirror": "/dashboard/mirrors/mirror",
  "dead-letters": "/dashboard/dead-letters",
  "dead-letters-of-one": "/dashboard/dead-letters?destination=billing",
  "catalog": "/dashboard/catalog",
  "catalog-type": "/dashboard/catalog/user.created",
  "settings": "/dashboard/settings",
  "audit-log": "/dashboard/settings/audit",
  "reference": "/dashboard/reference",
};

// More stops than a page has before its content.
const STOPS_MAX = 60;

await visit("every-page", {
  "signing in": async (visitor) => {
    await inspect(visitor, "sign-in", "/sign-in");
    await visitor.signIn();
    await visitor.arrives("/dashboard");
  },

  ...Object.fromEntries(
    Object.entries(PAGES).map(([name, path]) => [name, (visitor) => inspect(visitor, name, path)]),
  ),

  "each part of the API reference": async (visitor) => {
    await visitor.open("/dashboard/reference");
    const parts = await visitor.run(`return Array.from(document.querySelectorAll("nav.tags a"), (one) => one.getAttribute("href"))`);
    assert.ok(parts.length > 3, `${parts}`);
    for (const [index, path] of parts.entries()) await inspect(visitor, `reference-${index + 1}`, path);
  },

  "the live tail": (visitor) => inspect(visitor, "events-live", "/dashboard/events?live=1"),

  "the progress of a replay": async (visitor) => {
    await visitor.open("/dashboard/events/replay?subject=user_ada");
    await visitor.press((await visitor.texts("button.primary"))[0]);
    await visitor.sees("Deliveries pending again");
    await inspect(visitor, "replay", await visitor.path());
  },

  "a destination that was added in the dashboard": async (visitor) => {
    await visitor.open("/dashboard/destinations/new");
    await visitor.fill("URL", receiver);
    await visitor.press("Add");
    await visitor.sees("It takes events from now on.");
    const [path] = (await visitor.path()).split("?");
    await inspect(visitor, "destination-made", path);
    await inspect(visitor, "destination-edit", `${path}/edit`);
  },

  "what is not there": (visitor) => inspect(visitor, "not-found", "/dashboard/events/clerk/msg_nowhere", 404),

  "the keyboard passes the sections, or goes on to the content": async (visitor) => {
    await visitor.open("/dashboard/events");
    await visitor.type(Key.TAB);
    assert.equal((await focused(visitor)).text, "Skip to the content");
    await visitor.type(Key.ENTER, Key.TAB);
    assert.ok((await focused(visitor)).inContent, "the skip link leads to the content");
  },

  "the keyboard reaches the search, and the first event": async (visitor) => {
    await visitor.open("/dashboard/events");
    const stops = [];
    while (!stops.at(-1)?.opens.startsWith("/dashboard/events/clerk/")) {
      assert.ok(stops.length < STOPS_MAX, JSON.stringify(stops));
      await visitor.type(Key.TAB);
      stops.push(await focused(visitor));
    }
    assert.deepEqual(stops.filter((stop) => !stop.isSeen), [], "every stop is seen");
    assert.ok(stops.some((stop) => stop.label === "Go to an event, a subject or a type"), "the search is a stop");
    assert.ok(stops.some((stop) => stop.opens === "/dashboard/settings"), "the sections are stops");
    await visitor.type(Key.ENTER);
    await visitor.arrives(stops.at(-1).opens);
  },

  "a slash leads to the search": async (visitor) => {
    await visitor.open("/dashboard");
    await visitor.type("/");
    assert.equal((await focused(visitor)).label, "Go to an event, a subject or a type");
  },
}, { independent: true });

// Where the keyboard is.
async function focused(visitor) {
  return visitor.run(`
    const one = document.activeElement;
    const isOutlined = ({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
    const { top, bottom, width } = one.getBoundingClientRect();
    return {
      text: one.innerText,
      label: one.getAttribute("aria-label"),
      opens: one.getAttribute("href") ?? "",
      inContent: one.closest("main") !== null,
      isSeen: [getComputedStyle(one), getComputedStyle(one, "::after")].some(isOutlined)
        && width > 0 && top >= 0 && bottom <= innerHeight,
    };`);
}
