import type { Session } from "@pagi/session";
import Koa from "koa";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { koaSession } from "@pagi/session/koa";
import { announce, type Data, eventOf, ownHeaders, parts, sessions, work } from "./_work.ts";

const app = new Koa<{ session: Session<Data> }>();
app.silent = true;
app.use(koaSession(sessions));
app.use(async (ctx) => {
  const { session } = ctx.state;
  if (work[ctx.path]) ctx.body = await work[ctx.path]!(session);
  if (ctx.path === "/headers-then-fails") {
    ctx.set(ownHeaders);
    ctx.body = await work["/store-fails"]!(session);
  }
  if (ctx.path === "/raw") {
    await work["/visit"]!(session);
    ctx.respond = false;
    ctx.res.writeHead(200, { "x-own": "1" });
    ctx.res.write("se");
    setTimeout(() => ctx.res.end("nt"), 10);
  }
  if (ctx.path === "/raw-refused") {
    await work["/visit"]!(session);
    ctx.respond = false;
    ctx.res.writeHead(99).end("never sent");
  }
  if (ctx.path === "/raw-fails") {
    ctx.respond = false;
    ctx.res.write(await work["/store-fails"]!(session));
    setTimeout(() => ctx.res.end("never sent"), 10);
  }
  if (ctx.path === "/events") {
    ctx.type = "text/event-stream";
    ctx.body = eventOf(session);
  }
  if (!/^\/(redirect|throw|stream)$/.test(ctx.path)) return;
  await work["/visit"]!(session);
  if (ctx.path === "/redirect") ctx.redirect("/read");
  if (ctx.path === "/throw") throw new Error("boom");
  if (ctx.path === "/stream") ctx.body = Readable.from(parts(session));
});
const server = app.listen(0, () => announce((server.address() as AddressInfo).port));
