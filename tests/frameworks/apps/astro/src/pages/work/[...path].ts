import type { APIRoute } from "astro";
import { bodyOf, toResponse } from "../../../../_fetch.ts";
import { answer } from "../../../../_work.ts";

export const ALL: APIRoute = async ({ request, url, locals: { session, admin }, redirect }) => {
  const reply = await answer({
    url: url.href.replace("/work", ""),
    session: session as never,
    admin,
    body: bodyOf(request),
    refuse: (status) => Object.assign(new Error("refused"), { status }),
  });
  if (reply === undefined) return new Response("Not found", { status: 404 });
  return reply.kind === "redirect"
    ? redirect(reply.text, reply.status as 302)
    : toResponse(reply);
};
