// Answers for the npm packages, a line of JSON for each line of JSON: `node node.mjs DIRECTORY < asks`, where DIRECTORY
// holds `node_modules`. README.md describes the lines.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.argv[2], "package.json"));
const libraries = {
  svix: require("svix").Webhook,
  standardwebhooks: require("standardwebhooks").Webhook,
};
const { verifyWebhook } = require("@clerk/backend/webhooks");

async function answer({ library, secret, sign, verify }) {
  if (sign) {
    const webhook = new libraries[library](secret);
    return { signature: webhook.sign(sign.id, new Date(sign.timestamp * 1000), sign.body) };
  }
  try {
    if (library === "@clerk/backend") {
      const request = new Request("http://localhost/", { method: "POST", headers: verify.headers, body: verify.body });
      await verifyWebhook(request, { signingSecret: secret });
    } else {
      new libraries[library](secret).verify(verify.body, verify.headers);
    }
    return { verified: true };
  } catch (error) {
    return { verified: false, reason: `${error.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
