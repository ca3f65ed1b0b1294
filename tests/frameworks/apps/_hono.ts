import { honoSession, type SessionEnv } from "@pagi/session/hono";
import { Hono } from "hono";
import { streamSSE, streamText } from "hono/streaming";
import { type Data, ownHeaders, parts, paths, sessions, work } from "./_work.ts";

/** The app, for any server. */
export const app = new Hono<SessionEnv<Data>>();

app.use(honoSession(sessions));
for (const path of paths) {
  app.get(path, async (c) => c.text(await work[path]!(c.get("session"))));
}
app.get("/headers-then-fails", (c) => {
  for (const [name, value] of Object.entries(ownHeaders)) c.header(name, value);
  return c.text(work["/store-fails"]!(c.get("session")) as string);
});
app.get("/redirect", async (c) => {
  await work["/visit"]!(c.var.session);
  return c.redirect("/read");
});
app.get("/throw", async (c) => {
  await work["/visit"]!(c.get("session"));
  throw new Error("boom");
});
app.get("/stream", async (c) => {
  await work["/visit"]!(c.get("session"));
  return streamText(c, async (stream) => {
    for await (const part of parts(c.get("session"))) await stream.write(part);
  });
});
app.get("/events", (c) => {
  const visits: number = c.get("session").get("visits", 0);
  return streamSSE(c, (stream) => stream.writeSSE({ data: `Visits ${visits}` }));
});
app.onError((error, c) => c.text(error.message, 500));

// Type errors that the compiler must report.
app.get("/never", (c) => {
  // @ts-expect-error: there is no such key
  c.get("session").get("vists");
  // @ts-expect-error: it is a number
  c.get("session").set("visits", "1");
  return c.text("");
});
