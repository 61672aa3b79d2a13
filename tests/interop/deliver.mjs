// Delivers a line of JSON as Svix does for Clerk, signed by the npm package `svix`: `node deliver.mjs DIRECTORY < asks`,
// where DIRECTORY holds `node_modules`. An ask is {"url", "secret", "id", "body"}, an answer {"status", "reply"}.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { Webhook } = createRequire(join(process.argv[2], "package.json"))("svix");

for await (const line of createInterface({ input: process.stdin })) {
  const { url, secret, id, body } = JSON.parse(line);
  const now = new Date();
  const headers = {
    "content-type": "application/json",
    "svix-id": id,
    "svix-timestamp": String(Math.floor(now.getTime() / 1000)),
    "svix-signature": new Webhook(secret).sign(id, now, body),
  };
  const response = await fetch(url, { method: "POST", headers, body });
  console.log(JSON.stringify({ status: response.status, reply: await response.text() }));
}
