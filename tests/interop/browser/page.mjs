// What holds for every page: it loads, it is small and asks nobody else, and everyone can use it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PHONE, WIDE, complaints, look } from "./chromium.mjs";
import { packages, url } from "./server.mjs";

// Of a page and all that it needs, over the wire.
const WIRE_BYTES_MAX = 100_000;
const GRAVE = ["serious", "critical"];
const AXE = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");

// Opens a page, looks at it in both colours on a desk and on a phone, and photographs it.
export async function inspect(visitor, name, path, status = 200) {
  const { driver } = visitor;
  await complaints(driver);
  await driver.sendDevToolsCommand("Network.clearBrowserCache", {});
  await visitor.open(path);
  const loaded = await visitor.run(LOADED);
  assert.equal(loaded.status, status, `the status of ${path}`);
  assert.deepEqual(await foreign(loaded), [], `what ${path} asks other hosts`);
  assert.ok(loaded.bytes < WIRE_BYTES_MAX, `${path} is ${loaded.bytes} bytes over the wire`);
  if (status === 200) assert.deepEqual(await complaints(driver), [], `the console at ${path}`);
  assert.equal((await visitor.texts("h1")).length, 1, `the headings of ${path}`);
  await visitor.run(AXE);
  for (const window of [WIDE, PHONE]) {
    for (const scheme of ["light", "dark"]) {
      await look(driver, window, scheme);
      const where = `${name}-${window.name}-${scheme}`;
      await visitor.photograph(where);
      assert.deepEqual(await visitor.run(OVERFLOWING), [], `what is wider than the window, ${where}`);
      assert.deepEqual(await violations(visitor), [], `what axe finds, ${where}`);
    }
  }
  await look(driver, WIDE, "light");
}

async function foreign(loaded) {
  const own = new URL(url).origin;
  return loaded.addresses.filter((address) => new URL(address).origin !== own);
}

async function violations(visitor) {
  const found = await visitor.driver.executeAsyncScript(VIOLATIONS);
  assert.ok(Array.isArray(found), String(found));
  return found.filter((violation) => GRAVE.includes(violation.impact));
}

const LOADED = `
  const [page] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource");
  return {
    status: page.responseStatus,
    addresses: files.map((file) => file.name),
    bytes: [page, ...files].reduce((sum, file) => sum + file.transferSize, 0),
  };`;

// What makes the page wider than the window; nothing where it is not.
const OVERFLOWING = `
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = Array.from(document.body.querySelectorAll("*"))
    .filter((one) => one.getBoundingClientRect().right > clientWidth + 1);
  return [scrollWidth + " px", ...wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 200))];`;

const VIOLATIONS = `
  const done = arguments[arguments.length - 1];
  const short = (node) => ({ target: node.target.join(" "), summary: node.failureSummary });
  axe.run(document, { resultTypes: ["violations"] }).then(
    (result) => done(result.violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(short) }))),
    (failure) => done(String(failure)));`;
