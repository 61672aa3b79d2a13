// The npm package `svix` 1.x against a running Deskbell: `node svix-1.mjs DIRECTORY`, where DIRECTORY holds
// `node_modules`.
import { run } from "./scenario.mjs";

await run(process.argv[2], "svix-1", {
  name: "one",
  types: "filterTypes",
  rate: "rateLimit",
  upsert: (endpoint, ...settings) => endpoint.update(...settings),
});
