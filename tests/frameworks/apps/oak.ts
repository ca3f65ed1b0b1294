import { Application, type Context, createHttpError, Router } from "@oakserver/oak";
import { oakSession, type SessionState } from "@pagi/session/oak";
import {
  type AdminData,
  adminSessions,
  answer,
  type Data,
  paths,
  pathsBelow,
  report,
  sessions,
  toEvents,
  toStream,
} from "./_work.ts";

type State = SessionState<Data> & Partial<SessionState<AdminData, "admin">>;

async function handle(ctx: Context<State>): Promise<void> {
  const { request, response, state } = ctx;
  // The app supplies a complete fetch Response, which oak sends unchanged.
  const reply = (await answer({
    url: request.url.href,
    session: state.session,
    admin: state.admin,
    body: {
      bytes: async () => new Uint8Array(await request.body.arrayBuffer()),
      // oak's own `formData()` fails on Node for files of this size.
      form: async () => {
        const headers = { "content-type": request.headers.get("content-type")! };
        return await new Response(await request.body.arrayBuffer(), { headers }).formData();
      },
    },
    refuse: (status) => createHttpError(status as 401, "refused"),
  }))!;
  for (const [name, value] of reply.headers) {
    if (name === "set-cookie") response.headers.append(name, value);
    else response.headers.set(name, value);
  }
  if (reply.kind === "redirect") response.redirect(reply.text);
  response.status = reply.status;
  if (reply.kind === "text") response.body = reply.text;
  if (reply.kind === "stream") response.body = toStream(reply.parts());
  if (reply.kind === "events") {
    response.type = "text/event-stream";
    response.body = toStream(toEvents(reply.parts()));
  }
}

const session = oakSession(sessions);
const admin = oakSession(adminSessions);
const app = new Application<State>({ logErrors: false });
const router = new Router<State>();
for (const path of pathsBelow("/outer")) router.all(path, admin, session, handle);
for (const path of pathsBelow("/inner")) router.all(path, session, session, admin, handle);
for (const path of paths) router.all(path, session, handle);
router.get("/response", session, (ctx: Context<State>) => {
  ctx.response.with(
    `Visit ${ctx.state.session.update("visits", (visits = 0) => visits + 1).get("visits")}`,
  );
});
app.addEventListener("error", ({ error }) => report(error));
app.use(router.routes());

// Type errors that the compiler must report.
app.use((ctx) => {
  // @ts-expect-error: there is no such key
  if (ctx.request.url.pathname === "/types") ctx.state.session.get("vists");
});

const [port] = process.argv.slice(2);
app.addEventListener("listen", () => console.log(`listening ${port}`));
await app.listen({ port: Number(port), hostname: "127.0.0.1" });
