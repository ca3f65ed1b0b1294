import { createEventStream, defineHandler, HTTPError, redirect } from "nitro/h3";
import { bodyOf } from "../../../_fetch.ts";
import { type AdminData, answer, type Data, paths, pathsBelow, toStream } from "../../../_work.ts";
import type { Session } from "@pagi/session";

const known = [...paths, ...pathsBelow("/inner"), ...pathsBelow("/outer")];

export default defineHandler(async (event) => {
  if (!known.includes(event.url.pathname)) throw new HTTPError({ status: 404 });
  const context = event.context as { session: Session<Data>; admin?: Session<AdminData> };
  const reply = (await answer({
    url: event.req.url,
    session: context.session,
    admin: context.admin,
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
});
