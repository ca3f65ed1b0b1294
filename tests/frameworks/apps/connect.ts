import { abortSession, connectSession } from "@pagi/session/connect";
import connect from "connect";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { announce, eventOf, ownHeaders, parts, paths, sessions, work } from "./_work.ts";

const session = connectSession(sessions);
const app = connect();

app.use(session);
for (const path of paths) {
  app.use(path, (req, res, next) => {
    Promise.resolve(work[path]!(session.of(req))).then((text) => res.end(text)).catch(next);
  });
}
app.use("/headers-then-fails", (req, res) => {
  for (const [name, value] of Object.entries(ownHeaders)) res.setHeader(name, value);
  res.end(work["/store-fails"]!(session.of(req)));
});
app.use("/redirect", (req, res) => {
  work["/visit"]!(session.of(req));
  res.writeHead(302, { location: "/read" }).end();
});
app.use("/throw", (req) => {
  work["/visit"]!(session.of(req));
  throw new Error("boom");
});
app.use("/stream", (req, res) => {
  work["/visit"]!(session.of(req));
  Readable.from(parts(session.of(req))).pipe(res);
});
app.use("/events", (req, res) => {
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.end(eventOf(session.of(req as IncomingMessage)));
});
app.use(abortSession);

const server = createServer(app).listen(0, () => announce((server.address() as AddressInfo).port));
