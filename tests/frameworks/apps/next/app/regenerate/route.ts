import { session } from "../../lib/session.ts";

export const GET = session.route((_request, session) => {
  session.regenerate();
  return new Response("regenerated");
});
