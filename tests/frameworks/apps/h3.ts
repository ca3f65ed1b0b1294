import type { Session } from "@pagi/session";
import { createEventStream, H3, type H3Event, HTTPError, redirect, serve } from "h3";
import { h3Session } from "../recipes/h3.ts";
import { bodyOf } from "./_fetch.ts";
import { announce, answer, type Data, paths, report, sessions, toStream } from "./_work.ts";

declare module "h3" {
  interface H3EventContext {
    session: Session<Data>;
  }
}

const app = new H3({ silent: true, onError: report });
app.use(h3Session(sessions));
for (const path of paths) app.all(path, handle);

async function handle(event: H3Event): Promise<unknown> {
  const reply = (await answer({
    url: event.req.url,
    session: event.context.session,
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
