import { error, redirect } from "@sveltejs/kit";
import { bodyOf, toResponse } from "../../../../../_fetch.ts";
import { answer } from "../../../../../_work.ts";

const handle = async ({ request, url, locals: { session, admin } }) => {
  const reply = await answer({
    url: url.href,
    session,
    admin,
    body: bodyOf(request),
    refuse(status) {
      try {
        error(status, "refused");
      } catch (thrown) {
        return thrown;
      }
    },
  });
  if (reply === undefined) error(404);
  if (reply.kind === "redirect") redirect(reply.status, reply.text);
  return toResponse(reply);
};

export const GET = handle;
export const POST = handle;
