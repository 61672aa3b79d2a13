// The server that the pages are of, from the environment: README.md has the variables.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const need = (name) => process.env[name] ?? fail(`the variable ${name} is not set`);

function fail(message) {
  throw new Error(message);
}

export const url = need("DESKBELL_URL");
export const token = need("DESKBELL_ADMIN_TOKEN");
// A receiver that answers 200, which destinations may reach.
export const receiver = need("RECEIVER_URL");

// The npm packages, from where they are installed.
export const packages = createRequire(join(need("NODE_PACKAGES"), "package.json"));

const screenshots = need("SCREENSHOTS");
mkdirSync(screenshots, { recursive: true });
export const screenshot = (name) => join(screenshots, `${name}.png`);

// Sends a sample event as Clerk would; `set` has members of it, such as `data.id=user_1`.
export function trigger(type, id, ...set) {
  const members = set.flatMap((member) => ["--set", member]);
  const destination = ["--url", `${url}/api/webhooks`];
  execFileSync(need("DESKBELL_PROGRAM"), ["trigger", type, ...destination, "--id", id, "--add", ...members]);
}
