import type { Session } from "@pagi/session";
import { h3Session } from "@pagi/session/h3";
import { createEventStream, H3, type H3Event, HTTPError, redirect, serve } from "h3";
import { bodyOf } from "./_fetch.ts";
import {
  type AdminData,
  adminSessions,
  announce,
  answer,
  type Data,
  paths,
  report,
  sessions,
  toStream,
} from "./_work.ts";

declare module "h3" {
  interface H3EventContext {
    session: Session<Data>;
    admin?: Session<AdminData>;
  }
}

const app = new H3({ silent: true, onError: report });
const session = h3Session(sessions);
const admin = h3Session(adminSessions);
const inner = withWork(new H3().use(session).use(admin));
app.use("/outer/**", admin).use(session).mount("/inner", inner).mount("/outer", withWork(new H3()));
withWork(app);

function withWork(app: H3): H3 {
  for (const path of paths) app.all(path, handle);
  return app;
}

async function handle(event: H3Event): Promise<unknown> {
  const reply = (await answer({
    url: event.req.url,
    session: event.context.session,
    admin: event.context.admin,
    body: bodyOf(event.req),
    refuse: (status) => new HTTPError({ status, message: "refused" }),
  }))!;
  for (const [name, value] of reply.headers) {
    if (name === "set-cookie") event.res.headers.append(name, value);
    else event.res.headers.set(name, value);
  }
  if (reply.kind === "redirect") return redirect(reply.text, reply.status);
  event.res.status = reply.status;
  if (reply.kind === "empty") return null;
  if (reply.kind === "stream") return toStream(reply.parts());
  if (reply.kind === "text") return reply.text;
  const events = createEventStream(event);
  const parts = reply.parts();
  events.onClosed(() => void parts.return(undefined));
  void (async () => {
    for await (const data of parts) await events.push(data);
    await events.close();
  })();
  return await events.send();
}

const server = serve(app, { port: 0, silent: true });
await server.ready();
announce(Number(new URL(server.url!).port));
