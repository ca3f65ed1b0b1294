import type { Session } from "@pagi/session";
import { elysiaSession } from "@pagi/session/elysia";
import { type AnyElysia, Elysia, sse, status } from "elysia";
import { bodyOf, toResponse } from "./_fetch.ts";
import {
  type AdminData,
  adminSessions,
  answer,
  type Data,
  paths,
  pathsBelow,
  report,
  sessions,
  TWICE,
} from "./_work.ts";

interface Context {
  request: Request;
  session: Session<Data>;
  admin?: Session<AdminData>;
  set: { headers: Record<string, string | number>; status?: number | string };
  redirect(url: string, status: 302): Response;
}

/** Adds the paths of the work to an app. Elysia reads no body. */
function withWork<App extends AnyElysia>(app: App, paths: string[]): App {
  for (const path of paths) app.all(path, handle as never, { parse: "none" });
  app.onError(({ error }) => {
    report(error);
    if (error instanceof Error && error.message === TWICE) throw error;
  });
  return app;
}

async function handle({ request, session, admin, set, redirect }: Context) {
  const reply = (await answer({
    url: request.url,
    session,
    admin,
    body: bodyOf(request),
    refuse: (code) => status(code as 401, "refused"),
  }))!;
  const { kind, headers, text, parts } = reply;
  // Elysia's own headers take one value of a name.
  if (kind === "empty" || headers.filter(([name]) => name === "set-cookie").length > 1) {
    return toResponse(reply);
  }
  for (const [name, value] of headers) set.headers[name] = value;
  if (kind === "redirect") return redirect(text, reply.status as 302);
  set.status = reply.status;
  if (kind === "text") return text;
  return kind === "stream" ? parts() : events(parts());
}

async function* events(parts: AsyncGenerator<string>) {
  for await (const data of parts) yield sse({ data });
}

const inner = withWork(
  new Elysia().use(elysiaSession(sessions)).use(elysiaSession<AdminData, "admin">(adminSessions)),
  pathsBelow("/inner"),
);
const outer = withWork(
  new Elysia().use(elysiaSession<AdminData, "admin">(adminSessions)).use(elysiaSession(sessions)),
  paths,
);

/** The app, for any server. */
export const app = new Elysia()
  .mount("/outer", outer.fetch)
  .use(elysiaSession(sessions))
  .use(inner)
  .get("/static", "as it is")
  .get("/types", ({ session }) => {
    // @ts-expect-error: there is no such key
    session.get("vists");
    // @ts-expect-error: it is a number
    session.set("visits", "1");
  });
withWork(app, paths);
