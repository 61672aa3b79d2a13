// A handler of Clerk's webhooks at /api/webhooks, right or with one fault: `node server.mjs NAME DIRECTORY`, where DIRECTORY
// holds `node_modules`. It writes {"port"}, and ends with its input. Its secret is in the environment.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [name, directory] = process.argv.slice(2);
const require = createRequire(join(directory, "package.json"));
const express = require("express");
const { Webhook } = require("svix");

const PATH = "/api/webhooks";
const secret = process.env.CLERK_WEBHOOK_SIGNING_SECRET;
const raw = (limit = "1mb") => express.raw({ type: "application/json", limit });

// Users by Clerk's id, with the constraints and the errors of a table.
class Users {
  rows = new Map();
  insert({ id }) {
    if (this.rows.has(id)) throw new Error('duplicate key value violates unique constraint "users_pkey" (23505)');
    this.rows.set(id, {});
  }
  upsert({ id, first_name, email_addresses, primary_email_address_id }) {
    const primary = email_addresses.find((one) => one.id === primary_email_address_id);
    this.rows.set(id, { first_name, email: primary?.email_address ?? null });
  }
  delete(id) {
    return this.rows.delete(id);
  }
}
const users = new Users();

function store(event) {
  if (event.type === "user.created" || event.type === "user.updated") users.upsert(event.data);
  if (event.type === "user.deleted") users.delete(event.data.id);
}

function verified(body, headers, key = secret) {
  new Webhook(key).verify(body, headers);
  return JSON.parse(body.toString());
}

// An Express handler that verifies raw bytes and does this with the event.
const handler = (handle, parsers = [raw()]) => {
  const app = express();
  app.post(PATH, ...parsers, (request, response) => {
    let event;
    try {
      event = verified(request.body, request.headers);
    } catch (error) {
      return response.status(400).send("Error verifying webhook");
    }
    return handle(event, response, request);
  });
  return app;
};
const ok = (event, response) => {
  store(event);
  response.json({ received: true });
};

// One that has its own way from the request to the event.
const custom = (parsers, eventOf, refuse = (response) => response.status(400).send("Error verifying webhook")) => {
  const app = express();
  app.post(PATH, ...parsers, async (request, response) => {
    try {
      const event = await eventOf(request);
      store(event);
    } catch (error) {
      return refuse(response, error);
    }
    response.json({ received: true });
  });
  return app;
};

// A server whose every request goes to this function first; what it does not answer goes to a right handler.
const before = (first) => {
  const app = express();
  app.use(first);
  app.use(handler(ok));
  return app;
};

async function fastify(register) {
  const app = require("fastify")({ bodyLimit: 1 << 20 });
  await register(app);
  await app.ready();
  return (request, response) => app.routing(request, response);
}

async function hono(route) {
  const { Hono } = require("hono");
  const { getRequestListener } = require("@hono/node-server");
  const app = new Hono();
  app.post(PATH, route);
  return getRequestListener(app.fetch);
}

const handlers = {
  // Right ones.
  "express": () => handler(ok),
  "clerk-express": () => {
    const { verifyWebhook } = require("@clerk/express/webhooks");
    return custom([raw()], verifyWebhook);
  },
  "standardwebhooks": () => {
    const standard = new (require("standardwebhooks").Webhook)(secret);
    return custom([raw()], ({ body, headers }) => {
      const parts = ["id", "timestamp", "signature"].map((part) => [`webhook-${part}`, headers[`svix-${part}`]]);
      return standard.verify(body, Object.fromEntries(parts));
    });
  },
  "fastify": () =>
    fastify((app) => {
      app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
      app.post(PATH, async (request, reply) => {
        try {
          store(verified(request.body, request.headers));
        } catch {
          return reply.code(400).send({ error: "not verified" });
        }
        return { received: true };
      });
    }),
  "hono": () => {
    const { verifyWebhook } = require("@clerk/backend/webhooks");
    return hono(async (context) => {
      try {
        store(await verifyWebhook(context.req.raw));
      } catch {
        return context.text("not verified", 400);
      }
      return context.json({ received: true });
    });
  },
  // The body is parsed before it is verified.
  "express-json": () => {
    const { verifyWebhook } = require("@clerk/express/webhooks");
    return custom([express.json({ limit: "1mb" })], verifyWebhook);
  },
  "express-json-object": () =>
    custom([express.json({ limit: "1mb" })], ({ body, headers }) => verified(body, headers)),
  "express-json-text": () =>
    custom([express.json({ limit: "1mb" })], ({ body, headers }) => {
      new Webhook(secret).verify(String(body), headers);
      return body;
    }),
  "express-no-parser": () => {
    const { verifyWebhook } = require("@clerk/express/webhooks");
    return custom([], verifyWebhook, (response, error) => response.status(400).send(error.message));
  },
  "clerk-fastify": () => {
    const { verifyWebhook } = require("@clerk/fastify/webhooks");
    return fastify((app) => {
      app.post(PATH, async (request, reply) => {
        try {
          store(await verifyWebhook(request));
        } catch {
          return reply.code(400).send({ error: "not verified" });
        }
        return { received: true };
      });
    });
  },
  // Something keeps the sender out.
  "require-auth": () => {
    const { clerkMiddleware, requireAuth } = require("@clerk/express");
    const publishableKey = `pk_test_${Buffer.from("doctor.clerk.accounts.dev$").toString("base64")}`;
    const options = { publishableKey, secretKey: "sk_test_doctor" };
    const app = express();
    app.use(clerkMiddleware(options));
    app.use(requireAuth(options));
    app.use(handler(ok));
    return app;
  },
  "guard-401": () =>
    before((request, response, next) => (request.headers.authorization ? next() : response.status(401).end())),
  "www": () =>
    before((request, response) => response.redirect(308, `http://www.localhost:${request.socket.localPort}${request.url}`)),
  "trailing-slash": () =>
    before((request, response, next) =>
      request.path.endsWith("/") ? next() : response.redirect(308, `${request.path}/`)),
  "slash-404": () => {
    const app = express();
    app.enable("strict routing");
    app.post(`${PATH}/`, raw(), (request, response) => response.json({ received: true }));
    return app;
  },
  "method-405": () => {
    const app = express();
    app.get(PATH, (_request, response) => response.send("webhooks"));
    app.all(PATH, (_request, response) => response.status(405).set("Allow", "GET").end());
    return app;
  },
  // The secret.
  "wrong-secret": () =>
    custom([raw()], ({ body, headers }) => verified(body, headers, process.env.OTHER_SECRET)),
  "wrong-variable": () => {
    const app = express();
    app.post(PATH, raw(), (request, response) => {
      new Webhook(process.env.WEBHOOK_SECRET).verify(request.body, request.headers);
      ok(JSON.parse(request.body.toString()), response);
    });
    return app;
  },
  "clerk-variable": () => {
    const { verifyWebhook } = require("@clerk/express/webhooks");
    return custom([raw()], verifyWebhook, (response, error) => response.status(400).send(error.message));
  },
  // What is done with the event.
  "svix-2": () =>
    handler(() => {}, [
      raw(),
      (request, response) => {
        let event;
        try {
          event = new Webhook(secret).verify(request.body, request.headers);
        } catch {
          return response.status(400).send("Error verifying webhook");
        }
        response.json({ received: event.type });
      },
    ]),
  "slow": () => handler((event, response) => setTimeout(() => ok(event, response), 700)),
  "hanging": () => handler(() => {}),
  "swallows": () =>
    custom([raw()], ({ body, headers }) => verified(body, headers), (response) => response.json({ error: "failed" })),
  "no-verification": () => custom([express.json({ limit: "1mb" })], ({ body }) => body),
  "no-timestamp": () =>
    custom([raw()], ({ body, headers }) => {
      const content = `${headers["svix-id"]}.${headers["svix-timestamp"]}.${body}`;
      const key = Buffer.from(secret.replace("whsec_", ""), "base64");
      const signature = createHmac("sha256", key).update(content).digest("base64");
      if (!(headers["svix-signature"] ?? "").split(" ").includes(`v1,${signature}`)) throw new Error("forged");
      return JSON.parse(body.toString());
    }),
  "uncaught": () => {
    const app = express();
    app.post(PATH, raw(), (request, response) => ok(verified(request.body, request.headers), response));
    return app;
  },
  "no-dedupe": () =>
    handler((event, response) => {
      if (event.type === "user.created") users.insert(event.data);
      response.json({ received: true });
    }),
  "body-limit": () => handler(ok, [raw("100kb")]),
  "null-names": () =>
    handler((event, response) => {
      if (event.type === "user.created") event.data.email_addresses[0].email_address.toLowerCase();
      response.json({ received: true });
    }),
  "unknown-type": () =>
    handler((event, response) => {
      if (!event.type.startsWith("user.")) return response.status(404).send("no such event");
      ok(event, response);
    }),
  "unknown-user": () =>
    handler((event, response) => {
      if (event.type === "user.deleted" && !users.delete(event.data.id)) return response.status(404).send("no such user");
      if (event.type !== "user.deleted") store(event);
      response.json({ received: true });
    }),
};

const server = createServer(await handlers[name]());
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("end", () => process.exit()).resume();
