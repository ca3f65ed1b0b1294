import { bodyOf, toResponse } from "../../../_fetch.ts";
import { answer } from "../../../_work.ts";
import type { APIRoute } from "astro";

/** The pages of the suite. */
export const ALL: APIRoute = async ({ request, locals, redirect }) => {
  const reply = await answer({
    url: request.url,
    session: locals.session as never,
    body: bodyOf(request),
    refuse: (status) => Object.assign(new Error("refused"), { status }),
  });
  if (reply === undefined) return new Response("Not found", { status: 404 });
  if (reply.kind === "redirect") return redirect(reply.text, reply.status as 302);
  return toResponse(reply);
};
