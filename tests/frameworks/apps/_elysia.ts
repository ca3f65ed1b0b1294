import { elysiaSession } from "@pagi/session/elysia";
import { Elysia } from "elysia";
import { eventOf, ownHeaders, parts, paths, sessions, work } from "./_work.ts";

/** The app, for any server. */
export const app = new Elysia()
  .use(elysiaSession(sessions))
  .get("/redirect", async ({ session, redirect }) => {
    await work["/visit"]!(session);
    return redirect("/read");
  })
  .get("/throw", async ({ session }) => {
    await work["/visit"]!(session);
    throw new Error("boom");
  })
  .get("/stream", async function* ({ session }) {
    await work["/visit"]!(session);
    yield* parts(session);
  })
  .get("/events", ({ session, set }) => {
    set.headers["content-type"] = "text/event-stream";
    return eventOf(session);
  })
  .get("/headers-then-fails", ({ session, set }) => {
    Object.assign(set.headers, ownHeaders);
    return work["/store-fails"]!(session);
  })
  .get("/static", "as it is")
  .get("/never", ({ session }) => {
    // @ts-expect-error: there is no such key
    session.get("vists");
    // @ts-expect-error: it is a number
    session.set("visits", "1");
  });

for (const path of paths) app.get(path, ({ session }) => work[path]!(session));
