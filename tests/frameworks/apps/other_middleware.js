/**
 * A server with the session before or after other middleware, for every way to send a response:
 * `/ORDER/OTHER/WAY`. It is JavaScript, because Node 20 does not run TypeScript.
 *
 *     FRAMEWORK=express5 STORE=slow node other_middleware.js
 */
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import compression from "compression";
import connect from "connect";
import cookieSession from "cookie-session";
import cors from "cors";
import express5 from "express";
import express4 from "express4";
import helmet from "helmet";
import httpProxy from "http-proxy";
import morgan from "morgan";
import multer from "multer";
import { createReadStream } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { pipeline, Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import responseTime from "response-time";
import serveStatic from "serve-static";

const { FRAMEWORK, STORE } = process.env;

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
        if (typeof text === "string" && text.includes('"trouble":"when the client has gone"')) {
          await clientHasGone.promise;
          throw new Error("connection refused");
        }
        return this.#inner[name](id, ...rest);
      };
    }
  }
}

/** Resolves when the client of `/gone` has disconnected. */
const clientHasGone = {};
clientHasGone.promise = new Promise((resolve) => clientHasGone.resolve = resolve);

/** The events of the middleware, by type. */
const events = [];
/** What the error middleware received: the code, and whether the headers were sent. */
const errors = [];
/** What ways of sending have seen, by the `seen` of their URL. */
const seen = {};

const sessions = new SessionMiddleware({
  secret: "a test's secret of 32 bytes or more",
  store: STORE === "memory" ? new MemoryStore() : new SlowStore(),
  // Every read is followed by a touch.
  touchInterval: 0,
  onEvent: ({ type }) => events.push(type),
});
const session = expressSession(sessions);

const folder = await mkdtemp(`${tmpdir()}/pagi-frameworks-`);
await writeFile(`${folder}/small.txt`, "sent");
await writeFile(`${folder}/large.txt`, "x".repeat(1_000_000));

const quiet = new Writable({ write: (_chunk, _encoding, done) => done() });

/** Wraps `write` and `end` as middleware did before `on-headers`: it remembers the end. */
function wrapper(_req, res, next) {
  const { write, end } = res;
  let ended = false;
  res.write = function (...args) {
    return ended ? false : write.apply(this, args);
  };
  res.end = function (...args) {
    if (ended) return false;
    ended = true;
    return end.apply(this, args);
  };
  next();
}

/** The other middleware. */
const others = {
  nothing: [],
  compression: [compression({ threshold: 0 })],
  "compression-by-default": [compression()],
  morgan: [morgan("combined", { stream: quiet })],
  "response-time": [responseTime()],
  helmet: [helmet()],
  cors: [cors()],
  "cookie-session": [cookieSession({ name: "other", keys: ["a key"], sameSite: "lax" })],
  multer: [multer().none()],
  "serve-static": [serveStatic(`${folder}/nothing-here`)],
  "own-wrapper": [wrapper],
  several: [
    morgan("combined", { stream: quiet }),
    compression({ threshold: 0 }),
    helmet(),
    cors(),
    responseTime(),
    wrapper,
  ],
};

const upstream = createServer((_req, res) => res.end("sent")).listen(0, "127.0.0.1");
const proxy = httpProxy.createProxyServer();
proxy.on("error", () => {});

/** Sends a response and notes what the response and its events tell after each step. */
async function noteStates(req, res) {
  const look = (name) => {
    const { headersSent, writableEnded, finished, writableFinished, writableNeedDrain } = res;
    const states = { headersSent, writableEnded, finished, writableFinished, writableNeedDrain };
    const isTrue = Object.keys(states).filter((state) => states[state] === true);
    note(req, [name, ...isTrue].join(" "));
  };
  const attempt = (name, act) => {
    try {
      act();
      note(req, `${name} works`);
    } catch ({ code }) {
      note(req, `${name} throws ${code}`);
    }
  };
  const called = (name) => (error) => note(req, `${name} is called with ${error?.code}`);
  for (const event of ["drain", "finish", "close"]) res.on(event, () => look(`on ${event}`));
  res.on("error", ({ code }) => note(req, `on error ${code}`));
  look("at first");
  note(req, `write returns ${res.write("sent", called("the first callback"))}`);
  look("after write");
  attempt("setHeader", () => res.setHeader("x-late", "1"));
  attempt("appendHeader", () => res.appendHeader("x-late", "1"));
  attempt("removeHeader", () => res.removeHeader("x-handler"));
  attempt("writeHead", () => res.writeHead(500));
  attempt("flushHeaders", () => res.flushHeaders());
  attempt("write(null)", () => res.write(null));
  res.statusCode = 500;
  const drained = new Promise((resolve) => res.once("drain", resolve));
  note(
    req,
    `a large write returns ${res.write("x".repeat(200_000), called("the second callback"))}`,
  );
  look("after a large write");
  await drained;
  res.end("end", called("the callback of end"));
  look("after end");
  res.end(called("the callback of a second end"));
  res.write("late", called("the callback of a late write"));
  look("at last");
}

/** Streams until the client disconnects, and goes on after that. */
async function streamOn(_req, res) {
  res.write("sent");
  res.on("close", () => clientHasGone.resolve());
  seen.gone = ["streaming"];
  await clientHasGone.promise;
  for (let i = 0; i < 10; i++) {
    res.write("sent");
    await delay(2);
  }
  res.end();
}

const large = () =>
  Readable.from((function* () {
    for (let i = 0; i < 100; i++) yield Buffer.alloc(10_000, "x");
  })());
const done = (req) => (error) => note(req, error?.code ?? "done");

/** Notes what a way of sending has seen. */
function note(req, ...values) {
  const key = new URL(req.originalUrl ?? req.url, "http://localhost").searchParams.get("seen");
  if (key !== null) (seen[key] ??= []).push(...values);
}

/** The ways to send a response. */
const ways = {
  end: (_req, res) => res.end("sent"),
  "end-twice": (req, res) => {
    res.end("sent");
    note(req, res.headersSent);
    if (!res.writableEnded) res.end();
    if (!res.finished) res.end();
  },
  write: (_req, res) => {
    res.write("se");
    res.write("n");
    res.end("t");
  },
  later: (_req, res) => {
    res.write("se");
    setTimeout(() => res.end("nt"), 20);
  },
  head: (_req, res) => {
    res.writeHead(200, { "x-handler": "head", "content-type": "text/plain" });
    res.write("se");
    res.end("nt");
  },
  flush: (_req, res) => {
    res.flushHeaders();
    setTimeout(() => res.end("sent"), 20);
  },
  events: (_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write("se");
    setTimeout(() => {
      res.write("n");
      setTimeout(() => res.end("t"), 10);
    }, 10);
  },
  callbacks: (_req, res) => {
    res.write("se", () => res.write("n", () => res.end("t")));
  },
  corked: (_req, res) => {
    res.cork();
    res.write("se");
    res.write("nt");
    res.uncork();
    res.end();
  },
  trailers: (_req, res) => {
    res.setHeader("trailer", "x-checksum");
    res.write("sent");
    res.addTrailers({ "x-checksum": "1" });
    res.end();
  },
  hints: (_req, res) => {
    res.writeEarlyHints({ link: "</a.css>; rel=preload; as=style" });
    res.end("sent");
  },
  pipe: (_req, res) => createReadStream(`${folder}/small.txt`).pipe(res),
  "pipe-large": (_req, res) => createReadStream(`${folder}/large.txt`).pipe(res),
  pipeline: (req, res) => pipeline(createReadStream(`${folder}/small.txt`), res, done(req)),
  "pipeline-large": (req, res) => pipeline(createReadStream(`${folder}/large.txt`), res, done(req)),
  "pipeline-iterable": (req, res) => {
    pipeline(
      async function* () {
        for (const part of ["s", "e", "n", "t"]) {
          await delay(2);
          yield part;
        }
      },
      res,
      done(req),
    );
  },
  "pipeline-iterable-large": (req, res) => pipeline(large(), res, done(req)),
  "drain-large": (_req, res) => {
    let left = 100;
    const more = () => {
      while (left-- > 0) if (!res.write("x".repeat(10_000))) return res.once("drain", more);
      res.end();
    };
    more();
  },
  static: (req, res, next) => {
    req.url = "/small.txt";
    serveStatic(folder, { cacheControl: false })(req, res, next);
  },
  "static-large": (req, res, next) => {
    req.url = "/large.txt";
    serveStatic(folder, { cacheControl: false })(req, res, next);
  },
  proxy: (req, res) =>
    proxy.web(req, res, { target: `http://127.0.0.1:${upstream.address().port}` }),
  upload: (req, res, next) => {
    multer().none()(req, res, (error) => error ? next(error) : res.end(req.body?.text ?? "sent"));
  },
};

/** The ways to send a response that only Express has. */
const expressWays = {
  send: (_req, res) => res.send("sent"),
  json: (_req, res) => res.json("sent"),
  "send-file": (_req, res) => res.sendFile("small.txt", { root: folder, cacheControl: false }),
  "send-file-large": (_req, res) =>
    res.sendFile("large.txt", { root: folder, cacheControl: false }),
  download: (_req, res) => res.download("small.txt", { root: folder, cacheControl: false }),
};

/** Uses the session and sets headers, then sends the response. */
const handler = (respond) => (req, res, next) => {
  const { searchParams } = new URL(req.originalUrl ?? req.url, "http://localhost");
  const own = session.of(req);
  if (searchParams.has("read")) own.get("visits", 0);
  else own.update("visits", (visits = 0) => visits + 1);
  if (searchParams.has("trouble")) own.set("trouble", true);
  res.setHeader("etag", '"1"');
  res.setHeader("content-disposition", "attachment");
  res.setHeader("x-handler", "yes");
  if (searchParams.has("cookie")) res.setHeader("set-cookie", "own=1");
  respond(req, res, next);
};

function onError(error, _req, res, _next) {
  errors.push([error.code, res.headersSent]);
  if (res.headersSent) return;
  res.statusCode = error.status ?? 500;
  res.end(`error ${error.code}`);
}

/** Everything that a request passes, by path. */
const routes = {
  "/count": [session, (req, res) => res.end(`Visits ${session.of(req).get("visits", 0)}`)],
  "/bare": [(req, res) => noteStates(req, res)],
  "/states": [session, handler(noteStates)],
  "/gone": [
    session,
    (req, _res, next) => {
      session.of(req).set("trouble", "when the client has gone");
      next();
    },
    streamOn,
    onError,
  ],
  "/noted": [(_req, res) => res.end(JSON.stringify({ events, errors, seen }))],
};
const allWays = FRAMEWORK.startsWith("express") ? { ...ways, ...expressWays } : ways;
for (const [name, other] of Object.entries(others)) {
  for (const [way, respond] of Object.entries(allWays)) {
    const rest = [handler(respond), abortSession, onError];
    routes[`/session-last/${name}/${way}`] = [...other, session, ...rest];
    routes[`/session-first/${name}/${way}`] = [session, ...other, ...rest];
  }
}

function expressApp(express) {
  const app = express();
  for (const [path, layers] of Object.entries(routes)) app.all(path, ...layers);
  return app;
}

function connectApp() {
  const app = connect();
  for (const [path, layers] of Object.entries(routes)) {
    // Connect takes any path that begins with this one.
    const inner = connect();
    for (const layer of layers) inner.use(layer);
    app.use((req, res, next) =>
      new URL(req.url, "http://localhost").pathname === path ? inner(req, res, next) : next()
    );
  }
  return app;
}

/** Calls the layers as `(req, res, next)`, without any framework. */
function plainApp(req, res) {
  const layers = routes[new URL(req.url, "http://localhost").pathname];
  let next = 0;
  const step = (error) => {
    const layer = layers[next++];
    if (layer === undefined) return;
    if (error === undefined) layer.length > 3 ? step() : layer(req, res, step);
    else layer.length > 3 ? layer(error, req, res, step) : step(error);
  };
  step();
}

const apps = {
  express4: () => expressApp(express4),
  express5: () => expressApp(express5),
  connect: connectApp,
  node: () => plainApp,
};
const server = createServer(apps[FRAMEWORK]());
server.listen(0, () => console.log(`listening ${server.address().port}`));
