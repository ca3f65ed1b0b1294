import type { Session } from "@pagi/session";
import { bodyOf, toResponse } from "./_fetch.ts";
import { type AdminData, adminSessions, answer, type Data, sessions } from "./_work.ts";

async function respond(
  request: Request,
  session: Session<Data>,
  admin?: Session<AdminData>,
): Promise<Response> {
  const reply = await answer({
    url: request.url,
    session,
    admin,
    body: bodyOf(request),
    refuse: (status) => Object.assign(new Error("refused"), { status }),
  });
  return reply === undefined ? new Response("Not found", { status: 404 }) : toResponse(reply);
}

/** Below this, the second session is inside, and both handlers get the same `Request`. */
const inner = sessions.handler((request, session) =>
  adminSessions.run(request, (admin) => respond(request, session, admin))
);

/** Here it is outside, and a mounted app gets a `Request` of its own. */
const outer = adminSessions.handler((request, admin) => {
  const { pathname, search } = new URL(request.url);
  const mounted = new URL(pathname.slice("/outer".length) + search, request.url);
  const own = new Request(mounted, request);
  return sessions.run(own, (session) => respond(own, session, admin));
});

const app = sessions.handler((request, session) => {
  return new URL(request.url).pathname.startsWith("/inner/")
    ? inner(request)
    : respond(request, session);
});

/** A fetch handler with no framework. */
export async function handle(request: Request): Promise<Response> {
  try {
    return await (new URL(request.url).pathname.startsWith("/outer/") ? outer : app)(request);
  } catch {
    // Otherwise the server makes the response, and some servers show the error.
    return new Response("Internal error", { status: 500 });
  }
}
