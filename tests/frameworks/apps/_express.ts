import { abortSession, expressSession } from "@pagi/session/express";
import type { Express, NextFunction, Request, Response } from "express";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { announce, eventOf, ownHeaders, parts, paths, sessions, work } from "./_work.ts";

const session = expressSession(sessions);

/** Serves an app of Express 4 or 5. The types that it uses are the same in both. */
export function serve(express: () => Express): void {
  const app = express();
  app.disable("x-powered-by");
  app.use((_req, res, next) => {
    res.setHeader("x-before", "stays");
    next();
  });
  app.use(session);
  for (const path of paths) {
    app.get(path, (req, res, next) => {
      Promise.resolve(work[path]!(session.of(req))).then((text) => {
        res.type("text").send(text);
      }).catch(next);
    });
  }
  app.get("/headers-then-fails", async (req, res) => {
    res.set(ownHeaders).send(await work["/store-fails"]!(session.of(req)));
  });
  app.get("/redirect", async (req, res) => {
    await work["/visit"]!(session.of(req));
    res.redirect("/read");
  });
  app.get("/throw", (req) => {
    work["/visit"]!(session.of(req));
    throw new Error("boom");
  });
  app.get("/stream", (req, res) => {
    work["/visit"]!(session.of(req));
    pipeline(Readable.from(parts(session.of(req))), res, () => {});
  });
  app.get("/events", (req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.end(eventOf(session.of(req)));
  });
  sendingRoutes(app);
  app.use(abortSession);
  app.use(
    (error: Error & { status?: number }, _req: Request, res: Response, next: NextFunction) => {
      if (res.headersSent) return next(error);
      res.status(error.status ?? 500).send(error.message);
    },
  );
  const server = app.listen(0, () => announce((server.address() as AddressInfo).port));
}

/** Adds a route for every way to send a response. Each route counts a visit first. */
function sendingRoutes(app: Express): void {
  const send = (path: string, respond: (req: Request, res: Response) => unknown) => {
    app.get(`/sends${path}`, (req, res) => {
      work["/visit"]!(session.of(req));
      // This makes the store fail when the response starts, not earlier.
      if (req.query.trouble) session.of(req).set("trouble", "fails");
      return respond(req, res);
    });
  };
  send("/end", (_req, res) => res.end("sent"));
  send("/write", (_req, res) => {
    const hadRoom = res.write("se");
    res.end(hadRoom ? "nt immediately" : "nt");
  });
  send("/later", (_req, res) => {
    res.write("se");
    setTimeout(() => res.end("nt"), 50);
  });
  send("/head", (_req, res) => {
    res.writeHead(201, "Made", [["X-List", "a"], ["x-list", "b"], ["Set-Cookie", "own=1"]]);
    res.end("sent");
  });
  send("/flat-head", (_req, res) => {
    res.writeHead(201, ["X-List", "a", "Set-Cookie", "own=1"]).end("sent");
  });
  send("/flush", (_req, res) => {
    res.flushHeaders();
    res.end("sent");
  });
  send("/json", (_req, res) => res.cookie("own", "1").json({ sent: true }));
  send("/file", (_req, res) => res.sendFile(new URL(import.meta.url).pathname));
  send("/empty", (_req, res) => res.sendStatus(204));
  send("/fresh", (_req, res) => res.set("etag", '"1"').set("x-own", "a").send("sent"));
  send("/public", (_req, res) => res.set("cache-control", "private, max-age=5").send("sent"));
  send("/shared", (_req, res) => res.set("cache-control", "public, max-age=5").send("sent"));
  send("/much", (_req, res) => {
    // A source that waits for "drain": without that event, it stops forever.
    Readable.from((function* () {
      for (let i = 0; i < 200; i++) yield Buffer.alloc(10_000, "x");
    })()).pipe(res);
  });
  send("/callbacks", (_req, res) => {
    let order = "";
    res.write("a", () => order += "1");
    res.write("b", () => order += "2");
    res.write("c", () => res.end(order));
  });
  send("/closed", (req, res) => {
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
  send("/late-error", (_req, res) => {
    res.write("sent");
    throw new Error("boom");
  });
  send("/headers", (_req, res) => {
    res.status(201).set("content-type", "image/png").set("etag", '"1"').set("x-before", "changed");
    res.end("sent");
  });
}
