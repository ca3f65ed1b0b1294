import { abortSession, expressSession } from "@pagi/session/express";
import type { Express, NextFunction, Request, Response } from "express";
import { Readable } from "node:stream";
import { announceServer, bodyOf, httpError, send, setHeaders } from "./_node.ts";
import { adminSessions, answer, type Reply, report, sessions, TWICE } from "./_work.ts";

const session = expressSession(sessions);
const admin = expressSession(adminSessions);

/** Serves an app of Express 4 or 5. The types that it uses are the same in both. */
export function serve(express: () => Express): void {
  const inner = express();
  inner.use(session, admin, handle, abortSession);
  const outer = express();
  outer.use(admin, session, handle, abortSession, onError);

  const app = express();
  app.disable("x-powered-by");
  app.use((_req, res, next) => {
    res.setHeader("x-before", "stays");
    next();
  });
  app.use("/outer", outer);
  app.use(session);
  app.use("/inner", inner);
  app.use(handle);
  sendingRoutes(app);
  app.use(abortSession, onError);
  announceServer(app.listen(0));
}

function handle(req: Request, res: Response, next: NextFunction): void {
  const reply = answer({
    url: req.originalUrl,
    session: session.of(req),
    admin: req.baseUrl === "" ? undefined : admin.of(req),
    body: bodyOf(req),
    refuse: httpError,
  });
  if (reply === undefined) return next();
  // A handler that throws does so within Express, unless it is asynchronous.
  if (reply instanceof Promise) void reply.then((reply) => respond(res, reply)).catch(next);
  else respond(res, reply);
}

function respond(res: Response, reply: Reply): void {
  const { kind, status, text } = reply;
  setHeaders(reply, (name, value) => res.setHeader(name, value));
  if (kind === "redirect") return res.redirect(status, text);
  res.status(status);
  if (kind === "text") res.send(text);
  else if (kind === "empty") res.end();
  else send(res, reply);
}

function onError(
  error: Error & { status?: number },
  _req: Request,
  res: Response,
  next: NextFunction,
): void {
  report(error);
  if (res.headersSent) return next(error);
  if (error.message === TWICE) throw error;
  res.status(error.status ?? 500).send(error.message);
}

/** Adds a route for every way to send a response. Each route counts a visit first. */
function sendingRoutes(app: Express): void {
  const add = (path: string, respond: (req: Request, res: Response) => unknown) => {
    app.get(`/sends${path}`, (req, res) => {
      session.of(req).update("visits", (visits = 0) => visits + 1);
      // This makes the store fail when the response starts, not earlier.
      if (req.query.trouble) session.of(req).set("trouble", "fails");
      return respond(req, res);
    });
  };
  add("/end", (_req, res) => res.end("sent"));
  add("/write", (_req, res) => {
    const hadRoom = res.write("se");
    res.end(hadRoom ? "nt immediately" : "nt");
  });
  add("/later", (_req, res) => {
    res.write("se");
    setTimeout(() => res.end("nt"), 50);
  });
  add("/head", (_req, res) => {
    res.writeHead(201, "Made", [["X-List", "a"], ["x-list", "b"], ["Set-Cookie", "own=1"]]);
    res.end("sent");
  });
  add("/flat-head", (_req, res) => {
    res.writeHead(201, ["X-List", "a", "Set-Cookie", "own=1"]).end("sent");
  });
  add("/flush", (_req, res) => {
    res.flushHeaders();
    res.end("sent");
  });
  add("/json", (_req, res) => res.cookie("own", "1").json({ sent: true }));
  add("/file", (_req, res) => res.sendFile(new URL(import.meta.url).pathname));
  add("/empty", (_req, res) => res.sendStatus(204));
  add("/fresh", (_req, res) => res.set("etag", '"1"').set("x-own", "a").send("sent"));
  add("/public", (_req, res) => res.set("cache-control", "private, max-age=5").send("sent"));
  add("/shared", (_req, res) => res.set("cache-control", "public, max-age=5").send("sent"));
  add("/much", (_req, res) => {
    // A source that waits for "drain": without that event, it stops forever.
    Readable.from((function* () {
      for (let i = 0; i < 200; i++) yield Buffer.alloc(10_000, "x");
    })()).pipe(res);
  });
  add("/callbacks", (_req, res) => {
    let order = "";
    res.write("a", () => order += "1");
    res.write("b", () => order += "2");
    res.write("c", () => res.end(order));
  });
  add("/closed", (req, res) => {
    res.write("sent,");
    const seen = [`headersSent ${res.headersSent}`];
    const acts: (() => unknown)[] = [
      () => res.setHeader("x-late", "1"),
      () => res.removeHeader("x-before"),
      () => res.writeHead(500),
      () => session.of(req).set("visits", 100),
    ];
    for (const act of acts) {
      try {
        act();
        seen.push("nothing thrown");
      } catch (error) {
        seen.push((error as { code: string }).code);
      }
    }
    res.statusCode = 500;
    res.end(seen.join());
  });
  add("/late-error", (_req, res) => {
    res.write("sent");
    throw new Error("boom");
  });
  add("/headers", (_req, res) => {
    res.status(201).set("content-type", "image/png").set("etag", '"1"').set("x-before", "changed");
    res.end("sent");
  });
}
