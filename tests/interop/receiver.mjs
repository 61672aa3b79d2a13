// A server that takes webhooks by the npm packages, each at its own path: `node receiver.mjs DIRECTORY`, where DIRECTORY
// holds `node_modules`. It reads {"secret"} from a line of input, writes {"port"}, and ends with its input. It answers 200
// to what the package verifies, and 400 with the reason to everything else.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.argv[2], "package.json"));
const express = require("express");
const { verifyWebhook } = require("@clerk/backend/webhooks");

const input = createInterface({ input: process.stdin });
const { value: line } = await input[Symbol.asyncIterator]().next();
const { secret } = JSON.parse(line);

const libraries = {
  svix: ({ body, headers }) => new (require("svix").Webhook)(secret).verify(body, headers),
  standardwebhooks: ({ body, headers }) => new (require("standardwebhooks").Webhook)(secret).verify(body, headers),
  clerk: ({ body, headers }) => {
    const request = new Request("http://localhost/", { method: "POST", headers, body });
    return verifyWebhook(request, { signingSecret: secret });
  },
};

const app = express();
app.post("/:library", express.raw({ type: "application/json", limit: "2mb" }), async (request, response) => {
  try {
    await libraries[request.params.library](request);
    response.json({ verified: true });
  } catch (error) {
    response.status(400).json({ reason: `${error.name}: ${error.message}` });
  }
});
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("end", () => process.exit());
