// Chromium without a window, by the driver that Debian has: nothing is downloaded.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { packages } from "./server.mjs";

const { Builder, logging } = packages("selenium-webdriver");
const chrome = packages("selenium-webdriver/chrome");

// The window of a desk, and that of a phone.
export const WIDE = { name: "wide", width: 1440, height: 900, mobile: false };
export const PHONE = { name: "phone", width: 390, height: 844, mobile: true };

const SWITCHES = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-GB"];
const BLOCKED = 2;

// A driver with a profile of its own.
export async function start({ scripts = true } = {}) {
  const options = new chrome.Options().addArguments(...SWITCHES).setChromeBinaryPath(program("chromium"));
  if (!scripts) {
    options.setUserPreferences({ "profile.managed_default_content_settings.javascript": BLOCKED });
  }
  const logs = new logging.Preferences();
  logs.setLevel(logging.Type.BROWSER, logging.Level.ALL);
  options.setLoggingPrefs(logs);
  const driver = await new Builder()
    .forBrowser("chrome")
    .setChromeOptions(options)
    .setChromeService(new chrome.ServiceBuilder(program("chromedriver")))
    .build();
  await driver.sendDevToolsCommand("Browser.grantPermissions", {
    permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"],
  });
  await look(driver, WIDE, "light");
  return driver;
}

// Looks through this window, with the colours of this scheme.
export async function look(driver, window, scheme) {
  const { width, height, mobile } = window;
  await driver.sendDevToolsCommand("Emulation.setDeviceMetricsOverride", { width, height, mobile, deviceScaleFactor: 1 });
  // A row that fades into another colour has neither while it is looked at.
  const features = [
    { name: "prefers-color-scheme", value: scheme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ];
  await driver.sendDevToolsCommand("Emulation.setEmulatedMedia", { features });
}

// What the browser's console has said since this was last asked.
export async function complaints(driver) {
  const entries = await driver.manage().logs().get(logging.Type.BROWSER);
  return entries.filter((entry) => entry.level.value >= logging.Level.WARNING.value).map((entry) => entry.message);
}

function program(name) {
  const found = process.env.PATH.split(delimiter).map((directory) => join(directory, name)).find(existsSync);
  if (!found) throw new Error(`${name} is not installed`);
  return found;
}
