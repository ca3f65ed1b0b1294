import type { Session } from "@pagi/session";
import { createEventStream, H3, type H3Event, redirect, serve } from "h3";
import { h3Session } from "@pagi/session/h3";
import { announce, type Data, ownHeaders, partsAsStream, paths, sessions, work } from "./_work.ts";

declare module "h3" {
  interface H3EventContext {
    session: Session<Data>;
  }
}

const app = new H3({ silent: true });
app.use(h3Session(sessions));
for (const path of paths) app.get(path, (event) => work[path]!(event.context.session));
app.get("/headers-then-fails", (event) => {
  for (const [name, value] of Object.entries(ownHeaders)) event.res.headers.set(name, value);
  return work["/store-fails"]!(event.context.session);
});
app.get("/redirect", async (event) => {
  await work["/visit"]!(event.context.session);
  return redirect("/read");
});
app.get("/throw", async (event) => {
  await work["/visit"]!(event.context.session);
  throw new Error("boom");
});
app.get("/stream", async (event) => {
  await work["/visit"]!(event.context.session);
  event.res.headers.append("set-cookie", "own=1");
  return partsAsStream(event.context.session);
});
app.get("/events", (event: H3Event) => {
  const stream = createEventStream(event);
  stream.push(`Visits ${event.context.session.get("visits", 0)}`).then(() => stream.close());
  return stream.send();
});
const server = serve(app, { port: 0, silent: true });
await server.ready();
announce(Number(new URL(server.url!).port));
