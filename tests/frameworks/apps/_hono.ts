import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { streamSSE, streamText } from "hono/streaming";
import { bodyOf } from "./_fetch.ts";
import {
  type AdminData,
  adminSessions,
  answer,
  type Data,
  paths,
  report,
  sessions,
  toStream,
  TWICE,
} from "./_work.ts";

type Env = SessionEnv<Data> & SessionEnv<AdminData, "admin">;

/** Adds the paths of the work to an app, and an error handler. */
function withWork(app: Hono<Env>): Hono<Env> {
  for (const path of paths) app.all(path, handle);
  app.onError((error, c) => {
    report(error);
    if (error.message === TWICE) throw error;
    return error instanceof HTTPException ? error.getResponse() : c.text(error.message, 500);
  });
  return app;
}

async function handle(c: Context<Env>): Promise<Response> {
  const reply = (await answer({
    url: c.req.url,
    session: c.get("session"),
    admin: c.get("admin"),
    body: bodyOf(c.req.raw),
    refuse: (status) => new HTTPException(status as 401, { message: "refused" }),
  }))!;
  for (const [name, value] of reply.headers) {
    c.header(name, value, { append: name === "set-cookie" });
  }
  c.status(reply.status as 200);
  if (reply.kind === "empty") return c.body(null);
  if (reply.kind === "redirect") return c.redirect(reply.text, reply.status as 302);
  if (reply.kind === "stream" && c.req.path.endsWith("/parts")) {
    return streamText(c, async (out) => {
      for await (const part of reply.parts()) await out.write(part);
    });
  }
  // Hono's helpers end a stream that breaks as if it were complete.
  if (reply.kind === "stream") return c.body(toStream(reply.parts()));
  if (reply.kind === "events") {
    return streamSSE(c, async (out) => {
      for await (const data of reply.parts()) {
        if (out.aborted) return;
        await out.writeSSE({ data });
      }
    });
  }
  return c.text(reply.text);
}

const inner = withWork(new Hono<Env>().use(honoSession(sessions), honoSession(adminSessions)));
const outer = withWork(new Hono<Env>().use(honoSession(adminSessions), honoSession(sessions)));

/** The app, for any server. */
export const app: Hono<Env> = new Hono<Env>();
app.route("/outer", outer);
app.use(honoSession(sessions));
app.route("/inner", inner);
withWork(app);

// Type errors that the compiler must report.
app.get("/types", (c) => {
  // @ts-expect-error: there is no such key
  c.get("session").get("vists");
  // @ts-expect-error: it is a number
  c.get("session").set("visits", "1");
  return c.text("");
});
