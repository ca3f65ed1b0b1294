// For the suite of all adapters: two sessions below `/inner` and `/outer`, and one middleware twice.
import type { Session } from "@pagi/session";
import { tanstackStartSession } from "@pagi/session/tanstack-start";
import { redirect } from "@tanstack/react-router";
import { createMiddleware } from "@tanstack/react-start";
import { bodyOf, toResponse } from "../../_fetch.ts";
import { type AdminData, adminSessions, answer } from "../../_work.ts";

const { handle } = tanstackStartSession(adminSessions);

/** Opens the second session. */
export const admins = createMiddleware().server(({ request, next }) =>
  handle(request, (admin) => next({ context: { admin } }))
);

/** Does the work of a path. */
export async function work(
  { request, context: { session, admin } }: {
    request: Request;
    context: { session: unknown; admin?: Session<AdminData> };
  },
): Promise<Response> {
  const reply = await answer({
    url: request.url.replace("/work", ""),
    session: session as never,
    admin,
    body: bodyOf(request),
    refuse: (status) => Object.assign(new Error("refused"), { status }),
  });
  if (reply === undefined) return new Response("Not found", { status: 404 });
  if (reply.kind !== "redirect") return toResponse(reply);
  throw redirect({ href: reply.text, statusCode: reply.status });
}
