import { Application, Router } from "@oakserver/oak";
import { oakSession, type SessionState } from "@pagi/session/oak";
import { type Data, ownHeaders, partsAsStream, paths, sessions, work } from "./_work.ts";

const app = new Application<SessionState<Data>>({ logErrors: false });
const router = new Router<SessionState<Data>>();

app.use(oakSession(sessions));
for (const path of paths) {
  router.get(path, async (ctx) => {
    ctx.response.body = await work[path]!(ctx.state.session);
  });
}
router.get("/headers-then-fails", async (ctx) => {
  for (const [name, value] of Object.entries(ownHeaders)) ctx.response.headers.set(name, value);
  ctx.response.type = "image/png";
  ctx.response.body = await work["/store-fails"]!(ctx.state.session);
});
router.get("/redirect", async (ctx) => {
  await work["/visit"]!(ctx.state.session);
  ctx.response.redirect("/read");
});
router.get("/throw", async (ctx) => {
  await work["/visit"]!(ctx.state.session);
  throw new Error("boom");
});
router.get("/stream", async (ctx) => {
  await work["/visit"]!(ctx.state.session);
  ctx.response.body = partsAsStream(ctx.state.session);
});
// The app supplies a complete fetch Response, which oak sends unchanged.
router.get("/response", async (ctx) => {
  ctx.response.with(await work["/visit"]!(ctx.state.session), { status: 201 });
});
router.get("/response-interrupted", async (ctx) => {
  ctx.response.with(await work["/interrupted"]!(ctx.state.session));
});
app.use(router.routes());

// Type errors that the compiler must report.
app.use((ctx) => {
  // @ts-expect-error: there is no such key
  if (ctx.request.url.pathname === "/never") ctx.state.session.get("vists");
});

const [port] = process.argv.slice(2);
app.addEventListener("listen", () => console.log(`listening ${port}`));
await app.listen({ port: Number(port), hostname: "127.0.0.1" });
