// The npm package `svix` 2.x against a running Deskbell: `node svix-2.mjs DIRECTORY`, where DIRECTORY holds
// `node_modules`.
import { run } from "./scenario.mjs";

await run(process.argv[2], "svix", {
  name: "two",
  types: "eventTypes",
  rate: "throttleRate",
  upsert: (endpoint, ...settings) => endpoint.upsert(...settings),
});
