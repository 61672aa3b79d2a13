// What strangers write into their profiles is text wherever it is shown.
import assert from "node:assert/strict";
import { complaints } from "./chromium.mjs";
import { trigger } from "./server.mjs";
import { visit } from "./visitor.mjs";

const IMAGE = `"><img src=x onerror="document.title='pwned'">`;
const SCRIPT = `</script><script>document.title='pwned'</script>`;
const HANDLER = `' autofocus onfocus='document.title="pwned"' x='`;
// Nothing that a browser would take for the end of a path.
const ID = `user_"><svg onload=document.title='pwned'>`;

const EVENT = "/dashboard/events/clerk/msg_hostile";
const PAGES = {
  "the event": [EVENT, [IMAGE, SCRIPT, HANDLER, ID]],
  "its subject": [`/dashboard/subjects/${encodeURIComponent(ID)}`, [IMAGE, ID]],
  "the list of events": [`/dashboard/events?subject=${encodeURIComponent(ID)}`, [ID]],
  "a search that has it": [`/dashboard/events?text=${encodeURIComponent(IMAGE)}`, [IMAGE]],
  "a search that finds nothing": [`/dashboard/search?q=${encodeURIComponent(SCRIPT)}`, [SCRIPT]],
  "the dead letters": ["/dashboard/dead-letters", []],
  "the live tail": ["/dashboard/events?live=1", [ID]],
};

await visit("hostile", {
  "an event with markup in all of its texts comes in": async (visitor) => {
    await visitor.signIn();
    await visitor.arrives("/dashboard");
    const metadata = JSON.stringify({ [IMAGE]: SCRIPT });
    const set = [`data.id=${ID}`, `data.first_name=${IMAGE}`, `data.last_name=${HANDLER}`, `data.username=${SCRIPT}`];
    trigger("user.created", "msg_hostile", ...set, `data.public_metadata=${metadata}`);
    await visitor.open(EVENT);
    await visitor.seesInTime("Attempt 1");
    await visitor.seesInTime("applied");
  },

  ...Object.fromEntries(Object.entries(PAGES).map(([name, [path, texts]]) => [name, async (visitor) => {
    await visitor.open(path);
    await visitor.run(`document.querySelectorAll("details").forEach((fold) => fold.open = true)`);
    for (const text of texts) await isText(visitor, text);
    await isHarmless(visitor);
  }])),

  "the reply of a receiver that repeats it": async (visitor) => {
    await visitor.open(EVENT);
    await visitor.do('//summary[contains(., "Attempt 1")]', "crm", (summary) => summary.click());
    await visitor.until(async () => (await visitor.texts("pre")).some((reply) => reply.includes("<img src=x")), "the reply is shown");
    await isHarmless(visitor);
  },

  "an event that comes while the log is followed": async (visitor) => {
    await visitor.open("/dashboard/events?live=1");
    trigger("user.updated", "msg_hostile_live", `data.id=${ID}`, `data.first_name=${IMAGE}`);
    await visitor.sees("msg_hostile_live");
    await isHarmless(visitor);
  },

  "the sign-in page does not lead elsewhere": async (visitor) => {
    await visitor.press("Sign out");
    for (const next of ["https://example.com/", "//example.com/", "/\\example.com", "javascript:document.title='pwned'"]) {
      await visitor.open(`/sign-in?next=${encodeURIComponent(next)}`);
      await visitor.fill("Access token", process.env.DESKBELL_ADMIN_TOKEN);
      await visitor.press("Sign in");
      await visitor.arrives("/dashboard");
      await visitor.press("Sign out");
      await visitor.arrives("/sign-in");
    }
  },
});

async function isText(visitor, text) {
  const shown = `
    const fields = Array.from(document.querySelectorAll("main input"), (field) => field.value);
    return [document.querySelector("main").innerText, ...fields].some((shown) => shown.includes(arguments[0]));`;
  await visitor.until(() => visitor.run(shown, text), `the page shows the text ${text}`);
}

// No markup of the event became part of the page.
async function isHarmless(visitor) {
  assert.doesNotMatch(await visitor.driver.getTitle(), /pwned$/);
  const made = `return Array.from(document.querySelectorAll("img, svg[onload], [onerror], [onfocus], script:not([src])"), (one) => one.outerHTML)`;
  assert.deepEqual(await visitor.run(made), []);
  assert.deepEqual(await complaints(visitor.driver), []);
}
