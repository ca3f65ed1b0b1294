import { abortSession, connectSession } from "@pagi/session/connect";
import connect, { type IncomingMessage, type NextHandleFunction } from "connect";
import { createServer } from "node:http";
import { announceServer, bodyOf, httpError, send } from "./_node.ts";
import { adminSessions, answer, report, sessions, TWICE } from "./_work.ts";

const session = connectSession(sessions);
const admin = connectSession(adminSessions);

/** Answers with the work of a path. Below a sub-app, there are two sessions. */
const handle: (isNested: boolean) => NextHandleFunction = (isNested) => (req, res, next) => {
  const reply = answer({
    url: req.originalUrl!,
    session: session.of(req),
    admin: isNested ? admin.of(req) : undefined,
    body: bodyOf(req),
    refuse: httpError,
  });
  if (reply === undefined) return next();
  if (reply instanceof Promise) void reply.then((reply) => send(res, reply)).catch(next);
  else send(res, reply);
};

const inner = connect().use(session).use(admin).use(handle(true)).use(abortSession);
const outer = connect().use(admin).use(session).use(handle(true)).use(abortSession);
const app = connect();
app.use("/outer", outer).use(session).use("/inner", inner).use(handle(false)).use(abortSession);
app.use((error: Error, _req: IncomingMessage, _res: unknown, next: (error: Error) => void) => {
  report(error);
  // Connect itself makes the response.
  if (error.message !== TWICE) return next(error);
  throw error;
});
announceServer(createServer(app).listen(0));
