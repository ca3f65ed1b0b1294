/**
 * A Fastify app that responds in many ways, with the plugins that people use beside sessions. Each
 * path of `ways` counts a visit and responds with the number. With `?trouble=fails`, the save fails.
 */
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import { fastifySession } from "@pagi/session/fastify";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";

const isLatest = process.env.FASTIFY !== "4";
const { default: fastify } = await import(isLatest ? "fastify" : "fastify4");

const noted = { events: [], errors: [], logged: [], records: 0, waiting: false };
let released = Promise.withResolvers();

class SlowStore extends MemoryStore {
  async read(id, ...rest) {
    await aMoment();
    if (id === "d".repeat(32)) throw new Error("connection refused");
    return super.read(id, ...rest);
  }
  async create(id, text, ...rest) {
    await this.#fail(text);
    return super.create(id, text, ...rest);
  }
  async replace(id, text, ...rest) {
    await this.#fail(text);
    return super.replace(id, text, ...rest);
  }
  async delete(...args) {
    await aMoment();
    return super.delete(...args);
  }
  async touch(...args) {
    await aMoment();
    return super.touch(...args);
  }
  async #fail(text) {
    await aMoment();
    if (text.includes('"waits"')) {
      noted.waiting = true;
      await released.promise;
    }
    if (/"(fails|waits)"/.test(text)) throw new Error("connection refused");
  }
}

const store = process.env.STORE === "memory" ? new MemoryStore() : new SlowStore();
const onEvent = ({ type }) => void noted.events.push(type);
const secret = "a test's secret of 32 bytes or more";
const sessions = new SessionMiddleware({ secret, store, onEvent });
const adminStore = new MemoryStore();
const adminSessions = new SessionMiddleware({ secret, store: adminStore, onEvent, key: "admin" });
const session = fastifySession(sessions);

function aMoment() {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

function count({ session, query }) {
  session.update("visits", (visits = 0) => visits + 1);
  if (query?.trouble) session.set("trouble", query.trouble);
  return `Visit ${session.get("visits")}`;
}

const EVENT_STREAM = { "content-type": "text/event-stream", "x-own": "1" };

/** Each returns what a handler would return. */
const ways = {
  "return": async (request) => count(request),
  "return-sync": (request) => count(request),
  "send-sync": (request, reply) => void reply.header("x-own", "1").send(count(request)),
  // Without `return`.
  "send-in-async": async (request, reply) => void reply.header("x-own", "1").send(count(request)),
  "send-and-go-on": async (request, reply) => {
    reply.send(count(request));
    await aMoment();
    await aMoment();
    await aMoment();
  },
  "send-later": (request, reply) => void setTimeout(() => reply.send(count(request)), 2),
  "await-reply": async (request, reply) => await reply.send(count(request)),
  "return-reply": async (request, reply) => {
    setTimeout(() => reply.send(count(request)), 2);
    return reply;
  },
  "json": async (request) => ({ text: count(request) }),
  "stream": async (request, reply) => reply.send(Readable.from([count(request)])),
  "hijack-end": (request, reply) => {
    reply.hijack();
    reply.raw.end(count(request));
  },
  "hijack-async": async (request, reply) => {
    reply.hijack();
    await aMoment();
    const text = count(request);
    reply.raw.writeHead(200, { "x-own": "1" });
    reply.raw.write(text);
    await aMoment();
    reply.raw.end();
  },
  "hijack-pipeline": async (request, reply) => {
    reply.hijack();
    reply.raw.setHeader("x-own", "1");
    await pipeline(Readable.from([count(request)]), reply.raw).catch(() => {});
  },
  "raw-end": (request, reply) => void reply.raw.end(count(request)),
  "raw-then-return-reply": async (request, reply) => {
    reply.raw.end(count(request));
    return reply;
  },
  "raw-in-async": async (request, reply) => void reply.raw.end(count(request)),
  "raw-flush": (request, reply) => {
    reply.hijack();
    const text = count(request);
    reply.raw.flushHeaders();
    setTimeout(() => reply.raw.end(text), 5);
  },
  "raw-events": (request, reply) => {
    reply.hijack();
    const text = count(request);
    reply.raw.writeHead(200, EVENT_STREAM);
    reply.raw.write(`data: ${text}\n\n`);
    setTimeout(() => reply.raw.end("data: end\n\n"), 5);
  },
  "redirect": async (request, reply) => {
    count(request);
    return reply.redirect("/read", 303);
  },
  "204": async (request, reply) => {
    count(request);
    return reply.code(204).send();
  },
  "304": (request, reply) => {
    count(request);
    reply.code(304).send();
  },
  "own-cookies": async (request, reply) => {
    reply.header("set-cookie", "own=1").header("set-cookie", "other=2");
    return count(request);
  },
  "trailer": async (request, reply) => {
    reply.trailer("x-own", async () => "1");
    return count(request);
  },
  "own-serializer": async (request, reply) => {
    reply.serializer((payload) => payload.text ?? "Visit: not serializable");
    return reply.send({ text: count(request) });
  },
  "public": async (request, reply) => {
    reply.header("cache-control", "public, max-age=60");
    return count(request);
  },
};

if (typeof Response === "function") {
  ways.response = async (request) => new Response(count(request), { headers: { "x-own": "1" } });
  ways["web-stream"] = async (request, reply) => reply.send(new Blob([count(request)]).stream());
}

const boom = () => {
  throw new Error("boom");
};

/** Each fails after the session was written. */
const failures = {
  "throw-sync": (request) => (count(request), boom()),
  "throw-async": async (request) => (count(request), boom()),
  "throw-later": async (request) => {
    count(request);
    await aMoment();
    boom();
  },
  "throw-text": async (request) => {
    count(request);
    throw "boom";
  },
  "send-error": (request, reply) => {
    count(request);
    reply.send(new Error("boom"));
  },
  "send-error-in-async": async (request, reply) => {
    count(request);
    reply.send(new Error("boom"));
  },
  "unserializable": async (request) => {
    count(request);
    return { toJSON: boom };
  },
  "failing-stream": async (request, reply) => {
    count(request);
    return reply.send(new Readable({ read: () => boom() }));
  },
  "wrong-header": async (request, reply) => {
    count(request);
    return reply.header("x-own", "\0").send("never sent");
  },
};

const hooks = {
  preHandler: async (request) => (count(request), boom()),
  preValidation: async (request) => (count(request), boom()),
  preParsing: async (request) => (count(request), boom()),
  onRequest: async (request) => (count(request), boom()),
  preSerialization: async (request) => (count(request), boom()),
  onSend: async (request) => {
    if (!request.failed) {
      request.failed = true;
      count(request);
      boom();
    }
  },
};

async function routes(app) {
  for (const [name, way] of Object.entries(ways)) {
    app.route({ method: ["GET", "POST"], url: `/${name}`, handler: way });
  }
  for (const [name, way] of Object.entries(failures)) app.get(`/${name}`, way);
  for (const [name, hook] of Object.entries(hooks)) {
    app.get(`/hook-${name}`, { [name]: hook }, async () => ({ text: "never sent" }));
  }
  app.get("/read", async ({ session }) => `Visits ${session.get("visits", 0)}`);
  app.get("/save-and-throw", async (request) => {
    count(request);
    await request.session.save();
    boom();
  });
  app.get("/logout-and-throw", async ({ session }) => {
    session.destroy();
    boom();
  });
  app.get("/sign-in-and-throw", async ({ session }) => {
    session.subject = "ada";
    boom();
  });
  app.get("/hook-responds", {
    preHandler: async (request, reply) => reply.send(count(request)),
  }, async () => "never sent");
  app.post("/schema", {
    preValidation: async (request) => void count(request),
    schema: { body: { type: "object", required: ["name"] } },
  }, async () => "never sent");
  app.post("/body", async (request) => `${count(request)}, ${JSON.stringify(request.body)}`);
  app.get("/on-close", async (request, reply) => {
    reply.hijack();
    count(request);
    reply.raw.socket.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nraw");
  });
  app.get("/compat", { onRequest: async (request) => void (request.own = true) }, (request) => {
    return String(session.of(request) === request.session);
  });
  app.get("/subject", async ({ session }) => String(session.subject));
  app.get("/everywhere", async ({ session }) => {
    session.subject = "eve";
    await session.save();
    return "Welcome";
  });
  app.post("/leave", async ({ session }) => {
    await sessions.destroyAll(session.subject);
    session.set("visits", 100);
    return "Bye";
  });
}

const logger = {
  level: "error",
  stream: { write: (line) => void noted.logged.push(JSON.parse(line).msg) },
};
const app = fastify({ logger, pluginTimeout: 20_000 });
if (isLatest) {
  await app.register(import("@fastify/helmet"));
  await app.register(import("@fastify/cors"), { origin: "https://app.example" });
  await app.register(import("@fastify/middie"));
}
app.get("/noted", async () => ({ ...noted, records: store.size + adminStore.size }));
app.get("/release", async () => {
  released.resolve();
  released = Promise.withResolvers();
  noted.waiting = false;
  return "Released";
});

/** Session routes with everything that `before` and `after` put around them. */
function area(prefix, { before, after }) {
  app.register(async (app) => {
    await before?.(app);
    await app.register(session);
    // A second time is harmless.
    await app.register(fastifySession(sessions));
    await after?.(app);
    app.addHook("onError", (_request, _reply, error, done) => {
      noted.errors.push(error.code ?? error.message ?? String(error));
      done();
    });
    await app.register(async (inner) => {
      await inner.register(session);
      await routes(inner);
    }, { prefix: "/inner" });
    await routes(app);
  }, { prefix });
}

const alter = async (_request, _reply, payload) => {
  await aMoment();
  return payload;
};
area("/plain", {});
area("/hooks", {
  before: (app) => app.addHook("onSend", alter).addHook("preSerialization", alter),
  after: (app) =>
    app.addHook("onSend", alter).addHook("preSerialization", alter).addHook(
      "onRequest",
      async () => void await aMoment(),
    ),
});
const page = (text) => (_error, _request, reply) => reply.code(200).send(text);
area("/page", { after: (app) => app.setErrorHandler(page("An error")) });
area("/page-before", { before: (app) => app.setErrorHandler(page("An error")) });
area("/async-page", {
  after: (app) =>
    app.setErrorHandler(async (error, request, reply) => {
      await aMoment();
      try {
        request.session.set("visits", 100);
      } catch (refusal) {
        reply.header("x-refusal", refusal.code);
      }
      return reply.code(error.statusCode ?? error.status ?? 500).send("An error");
    }),
});
area("/failing-page", {
  after: (app) =>
    app.setErrorHandler(async () => {
      await aMoment();
      throw new Error("the error handler failed");
    }),
});
if (isLatest) {
  area("/plugins", {
    before: async (app) => {
      await app.register(import("@fastify/compress"), { threshold: 0 });
      await app.register(import("@fastify/cookie"));
      await app.register(import("@fastify/formbody"));
    },
    after: async (app) => {
      await app.register(import("@fastify/multipart"), { attachFieldsToBody: "keyValues" });
      await app.register(import("@fastify/websocket"));
      await app.register(import("@fastify/sse"));
      await app.register(import("@fastify/static"), {
        root: import.meta.dirname,
        prefix: "/files/",
        decorateReply: true,
      });
      await app.register(import("@fastify/reply-from"));
      app.get("/cookie", async (request, reply) => {
        reply.setCookie("own", "1");
        return count(request);
      });
      app.get("/file", (request, reply) => {
        count(request);
        return reply.sendFile("fastify_ways.js");
      });
      app.get("/proxy", (request, reply) => {
        count(request);
        return reply.from(`${address}/plain/return`);
      });
      app.get("/sse", { sse: "only" }, async (request, reply) => {
        const data = count(request);
        await reply.sse.send({ data });
      });
      app.get("/socket", { websocket: true }, (socket, request) => {
        let refusal;
        try {
          request.session.set("visits", 100);
        } catch ({ code }) {
          refusal = code;
        }
        socket.send(`Visits ${request.session.get("visits", 0)}, ${refusal}`);
        socket.close();
      });
    },
  });
  area("/express", {
    before: (app) => app.use(expressSession(sessions)),
    after(app) {
      app.use("/middleware", (req, res) => res.end(count({ session: req.session })));
      app.get("/middleware", async () => "never sent");
    },
  });
}
app.register(async (app) => {
  await app.register(fastifySession(adminSessions));
  await app.register(session);
  app.get("/both", (request) => {
    request.admin.set("name", "root");
    return `${count(request)}, ${request.admin.get("visits", 0)}`;
  });
  app.get("/read", ({ session, admin }) => `${session.get("visits", 0)}, ${admin.get("name", "")}`);
  app.get("/both-throw", async (request) => {
    request.admin.set("name", "root");
    count(request);
    boom();
  });
}, { prefix: "/two" });
app.register(async (app) => {
  app.setNotFoundHandler((request, reply) => reply.code(404).send(count(request)));
  await app.register(session);
}, { prefix: "/lost" });
app.get("/taken", async () => {
  const other = new SessionMiddleware({ secret });
  const messages = [];
  for (const [first, second] of [[sessions, other], [undefined, other]]) {
    const app = fastify();
    if (first === undefined) app.decorateRequest("session", null);
    else app.register(fastifySession(first));
    app.register(fastifySession(second));
    messages.push(await app.ready().then(() => "no error", (error) => error.message));
  }
  return messages;
});
app.get("/early", async () => {
  const app = fastify();
  app.addHook("onRequest", async ({ session }) => void session);
  app.register(fastifySession(sessions));
  app.get("/", async () => "never sent");
  return (await app.inject("/")).json();
});
app.get("/inject", async () => {
  const app = fastify();
  await app.register(session);
  await routes(app);
  const first = await app.inject("/send-in-async");
  const cookie = [first.headers["set-cookie"]].flat()[0].split(";")[0];
  const second = await app.inject({ url: "/hijack-pipeline", headers: { cookie } });
  return [first.payload, second.payload, app.hasPlugin("@pagi/session")];
});
app.get("/ready-response", async () => {
  class Ready extends SessionMiddleware {
    async open(request) {
      const open = await super.open(request);
      open.session.set("n", 1);
      const headers = [["set-cookie", "a=1"], ["set-cookie", "b=2"]];
      return new Proxy(open, {
        get(target, name) {
          if (name === "response") return new Response("ready", { status: 401, headers });
          const value = target[name];
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    }
  }
  const app = fastify();
  await app.register(fastifySession(new Ready({ secret, store: new MemoryStore() })));
  app.get("/", async () => "never sent");
  const { statusCode, payload, headers } = await app.inject("/");
  return [statusCode, payload, headers["set-cookie"].map((one) => one.split("=")[0])];
});
const address = await app.listen({ port: 0, host: "127.0.0.1" });
console.log(`listening ${new URL(address).port}`);
