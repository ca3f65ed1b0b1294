import { error, redirect } from "@sveltejs/kit";
import { eventOf, ownHeaders, partsAsStream, work } from "../../../../_work.ts";

export const GET = async ({ url, locals: { session } }) => {
  const { pathname } = url;
  if (work[pathname] !== undefined) return new Response(await work[pathname](session));
  if (pathname === "/headers-then-fails") {
    return new Response(await work["/store-fails"](session), { headers: ownHeaders });
  }
  if (pathname === "/events") {
    return new Response(eventOf(session), { headers: { "content-type": "text/event-stream" } });
  }
  if (!["/redirect", "/throw", "/stream"].includes(pathname)) error(404);
  await work["/visit"](session);
  if (pathname === "/redirect") redirect(302, "/read");
  if (pathname === "/stream") return new Response(partsAsStream(session));
  throw new Error("boom");
};
