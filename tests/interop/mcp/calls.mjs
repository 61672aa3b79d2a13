// Asks `deskbell mcp` by the npm package `@modelcontextprotocol/sdk`: `node calls.mjs DIRECTORY < ask`, where DIRECTORY
// holds `node_modules`. The ask is {"program", "arguments", "directory", "environment", "calls": [{"name", "arguments"}]}, the
// answer {"server", "tools", "results"}: a result is what the tool answered, or {"error"} where the server refused the call.
// The client itself checks each structured result against the tool's schema.
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const require = createRequire(join(process.argv[2], "package.json"));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");

const ask = JSON.parse(await text(process.stdin));
const client = new Client({ name: "deskbell-tests", version: "1.0.0" });
const transport = new StdioClientTransport({
  command: ask.program,
  args: ask.arguments,
  cwd: ask.directory,
  env: ask.environment,
});
await client.connect(transport);
const { tools } = await client.listTools();
const results = [];
for (const call of ask.calls) {
  try {
    results.push(await client.callTool(call));
  } catch (error) {
    results.push({ error: error.message });
  }
}
console.log(JSON.stringify({ server: client.getServerVersion(), tools, results }));
await client.close();
