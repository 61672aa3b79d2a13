// A person at the pages, who finds things by their labels.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { start } from "./chromium.mjs";
import { packages, screenshot, token, url } from "./server.mjs";

const { By, Key, error, until: becomes } = packages("selenium-webdriver");

// Longer than anything takes, also on a busy machine.
const PATIENCE_MS = 30_000;

export class Visitor {
  constructor(driver) {
    this.driver = driver;
  }

  async open(path) {
    await this.driver.get(new URL(path, url).href);
  }

  async path() {
    const address = new URL(await this.driver.getCurrentUrl());
    return address.pathname + address.search;
  }

  async signIn(text = token) {
    await this.open("/sign-in");
    await this.fill("Access token", text);
    const page = await this.driver.findElement(By.css("html"));
    await this.press("Sign in");
    // Or the page that comes would take the place of what is opened next.
    await this.driver.wait(becomes.stalenessOf(page), PATIENCE_MS);
  }

  // What can be read on the page, as one line.
  async text() {
    return (await this.driver.findElement(By.css("body")).getText()).replace(/\s+/g, " ");
  }

  async heading() {
    return this.driver.findElement(By.css("h1")).getText();
  }

  // Waits until the page says this.
  async sees(text) {
    await this.until(async () => (await this.text()).includes(text), `the page says: ${text}`);
  }

  async seesNot(text) {
    await this.until(async () => !(await this.text()).includes(text), `the page no longer says: ${text}`);
  }

  // Reloads the page until it says this: what it shows has not happened yet.
  async seesInTime(text) {
    await this.until(async () => {
      await this.driver.navigate().refresh();
      return (await this.text()).includes(text);
    }, `the page says in time: ${text}`);
  }

  // Waits until the page has this address, with or without a query.
  async arrives(path) {
    const there = async () => [await this.path(), (await this.path()).split("?")[0]].includes(path);
    await this.until(there, `the page is ${path}`);
  }

  // Presses what has this name: a button, a link, or what opens a fold; `inside` is part of the title above it.
  async press(name, { inside } = {}) {
    const kinds = ["button", "a", "summary"].map((kind) => `self::${kind}`).join(" or ");
    await this.do(`//*[${kinds}][normalize-space()=${quoted(name)} or @aria-label=${quoted(name)}]`, inside, (element) => element.click());
  }

  async fill(label, text) {
    await this.do(labelled(label), undefined, async (element) => {
      await element.clear();
      await element.sendKeys(text);
    });
  }

  async choose(label, option) {
    const choice = `${labelled(label)}/option[normalize-space()=${quoted(option)}]`;
    await this.do(choice, undefined, (element) => element.click());
  }

  // What was copied last.
  async clipboard() {
    return this.driver.executeAsyncScript("navigator.clipboard.readText().then(arguments[0], arguments[0])");
  }

  async type(...keys) {
    await this.driver.actions().sendKeys(...keys).perform();
  }

  async run(script, ...values) {
    return this.driver.executeScript(script, ...values);
  }

  // The texts of everything that this selector finds.
  async texts(selector) {
    const script = "return Array.from(document.querySelectorAll(arguments[0]), (one) => one.innerText.trim())";
    return this.run(script, selector);
  }

  // Waits for a visible element, and does something with it; again where the page was renewed meanwhile.
  async do(xpath, inside, action) {
    const titled = `[contains(normalize-space(), ${quoted(inside ?? "")})]`;
    const within = inside ? `//*[self::section[.//h2${titled}] or self::div[h3${titled}] or self::tr${titled}]` : "//body";
    let result;
    await this.until(async () => {
      for (const element of await this.driver.findElements(By.xpath(within + xpath))) {
        if (!(await element.isDisplayed())) continue;
        // A page's own head stays on top: what is used is in the middle.
        await this.run("arguments[0].scrollIntoView({ block: 'center' })", element);
        result = await action(element);
        return true;
      }
      return false;
    }, `there is ${xpath}${inside ? ` in ${inside}` : ""}`);
    return result;
  }

  async until(condition, expected) {
    const tried = async () => {
      try {
        return await condition();
      } catch (failure) {
        if (isPassing(failure)) return false;
        throw failure;
      }
    };
    try {
      await this.driver.wait(tried, PATIENCE_MS);
    } catch (failure) {
      if (!(failure instanceof error.TimeoutError)) throw failure;
      assert.fail(`expected that ${expected}; at ${await this.path()}:\n${await this.text()}`);
    }
  }

  async photograph(name) {
    writeFileSync(screenshot(name), await this.driver.takeScreenshot(), "base64");
  }
}

// The page may be replaced between finding something and using it.
function isPassing(failure) {
  const passing = [error.StaleElementReferenceError, error.NoSuchElementError, error.ElementClickInterceptedError];
  return passing.some((kind) => failure instanceof kind);
}

function labelled(label) {
  return `//*[@id=//label[normalize-space()=${quoted(label)}]/@for]`;
}

// A text in XPath, which has no escapes.
function quoted(text) {
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}

// Runs steps one after another. A failure is named and photographed, and ends the visit, unless the steps are
// `independent` of each other.
export async function visit(name, steps, { scripts, independent = false } = {}) {
  const driver = await start({ scripts });
  const visitor = new Visitor(driver);
  const failures = [];
  for (const [step, run] of Object.entries(steps)) {
    try {
      await run(visitor);
      console.log(`${name}: ${step}`);
    } catch (failure) {
      console.error(`${name}: ${step} FAILED: ${failure.stack}`);
      await visitor.photograph(`failed-${name}`).catch(() => {});
      failures.push(step);
      if (!independent) break;
    }
  }
  await driver.quit();
  if (failures.length > 0) process.exitCode = 1;
}

export { Key };
