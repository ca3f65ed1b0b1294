import { useEndedSession } from "../../../_shop.ts";
import { session } from "../../lib/session.ts";

export const GET = session.route(async () => {
  await useEndedSession();
  return new Response("never sent");
});
