import { redirect } from "next/navigation";
import { session } from "../../lib/session.ts";

export const GET = session.route((_request, session) => {
  session.set("items", ["gone"]);
  redirect("/?a;b");
});
