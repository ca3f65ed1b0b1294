/**
 * A Koa app with the session before or after other middleware, for every way to send a response:
 * `/ORDER/OTHER/WAY`.
 *
 *     KOA=koa2 STORE=slow node koa_middleware.js
 */
import Router from "@koa/router";
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { koaSession } from "@pagi/session/koa";
import { koaBody } from "koa-body";
import compress from "koa-compress";
import mount from "koa-mount";
import send from "koa-send";
import serve from "koa-static";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

const { KOA, STORE } = process.env;
const { default: Koa } = await import(KOA);

/** A store behind a network. It fails for certain keys, and for sessions in trouble. */
class SlowStore {
  #inner = new MemoryStore();

  constructor() {
    for (const name of ["read", "create", "replace", "touch", "delete"]) {
      this[name] = async (id, ...rest) => {
        if (name === "read" && id === "d".repeat(32)) throw new Error("connection refused");
        await delay(3);
        const [text] = rest;
        if (typeof text === "string" && text.includes('"trouble":true')) {
          throw new Error("connection refused");
        }
        return this.#inner[name](id, ...rest);
      };
    }
  }
}

const events = [];
/** The errors that the app was told, by code or message. */
const errors = [];
const sessions = new SessionMiddleware({
  secret: "a test's secret of 32 bytes or more",
  store: STORE === "memory" ? new MemoryStore() : new SlowStore(),
  // Every read is followed by a touch.
  touchInterval: 0,
  onEvent: ({ type }) => events.push(type),
});
const session = koaSession(sessions);

const folder = await mkdtemp(`${tmpdir()}/pagi-frameworks-`);
await writeFile(`${folder}/small.txt`, "sent");
await writeFile(`${folder}/large.txt`, "x".repeat(1_000_000));

/** Middleware that makes a page of every error, as apps do. */
const friendly = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    ctx.status = error.status ?? 500;
    ctx.body = "friendly";
  }
};

const others = {
  nothing: [],
  compress: [compress({ threshold: 0 })],
  body: [koaBody({ multipart: true })],
  static: [serve(`${folder}/nothing-here`)],
  friendly: [friendly],
  several: [compress({ threshold: 0 }), koaBody(), friendly],
};

/** Breaks before or after its first chunk. */
const broken = (count) =>
  Readable.from((async function* () {
    for (let i = 0; i < count; i++) yield "sent";
    await delay(2);
    throw new Error("boom");
  })());

const ways = {
  text: (ctx) => void (ctx.body = "sent"),
  buffer: (ctx) => void (ctx.body = Buffer.from("sent")),
  json: (ctx) => void (ctx.body = ["sent"]),
  stream: (ctx) => void (ctx.body = createReadStream(`${folder}/small.txt`)),
  "stream-large": (ctx) => void (ctx.body = createReadStream(`${folder}/large.txt`)),
  iterable: (ctx) => void (ctx.body = Readable.from(["se", "nt"])),
  send: (ctx) => send(ctx, "small.txt", { root: folder }),
  "send-large": (ctx) => send(ctx, "large.txt", { root: folder }),
  static: (ctx, next) => {
    ctx.path = "/small.txt";
    return serve(folder)(ctx, next);
  },
  flush: async (ctx) => {
    ctx.status = 200;
    ctx.flushHeaders();
    await delay(5);
    ctx.body = "sent";
  },
  raw: (ctx) => {
    ctx.respond = false;
    ctx.res.statusCode = 200;
    ctx.res.write("se");
    setTimeout(() => ctx.res.end("nt"), 10);
  },
  "raw-head": (ctx) => {
    ctx.respond = false;
    ctx.res.writeHead(200, { "content-type": "text/plain" });
    ctx.res.end("sent");
  },
  events: (ctx) => {
    ctx.type = "text/event-stream";
    ctx.body = Readable.from((async function* () {
      yield "se";
      await delay(5);
      yield "nt";
    })());
  },
  mounted: (ctx, next) => {
    const inner = new Koa();
    inner.use(session);
    inner.use((ctx) => void (ctx.body = ctx.state.session === session.of(ctx) ? "sent" : "no"));
    return mount(inner)(ctx, next);
  },
};
if (KOA === "koa") ways.response = (ctx) => void (ctx.body = new Response("sent"));

/** The ways that end in an error. */
const failures = {
  throw: () => {
    throw new Error("boom");
  },
  "ctx-throw": (ctx) => ctx.throw(401, "refused"),
  "throw-after-body": (ctx) => {
    ctx.body = "sent";
    throw new Error("boom");
  },
  "broken-stream": (ctx) => void (ctx.body = broken(0)),
};

/** Uses the session and sets headers, then sends the response. */
const handler = (respond) => (ctx, next) => {
  const { session } = ctx.state;
  if ("read" in ctx.query) session.get("visits", 0);
  else session.update("visits", (visits = 0) => visits + 1);
  if ("trouble" in ctx.query) session.set("trouble", true);
  ctx.set("x-handler", "yes");
  ctx.set("content-disposition", "attachment");
  ctx.etag = "own";
  return respond(ctx, next);
};

const router = new Router();
router.get("/count", session, (ctx) => {
  ctx.body = `Visits ${ctx.state.session.get("visits", 0)}`;
});
router.get("/noted", (ctx) => {
  ctx.body = { events, errors };
});
for (const [name, other] of Object.entries(others)) {
  for (const [way, respond] of Object.entries({ ...ways, ...failures })) {
    router.all(`/session-last/${name}/${way}`, ...other, session, handler(respond));
    router.all(`/session-first/${name}/${way}`, session, ...other, handler(respond));
  }
}

const app = new Koa();
app.on("error", (error) => errors.push(error.code ?? error.message));
app.use((ctx, next) => {
  ctx.set("x-before", "stays");
  return next();
});
app.use(router.routes());
const server = app.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
