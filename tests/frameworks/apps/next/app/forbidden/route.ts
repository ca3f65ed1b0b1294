import { forbidden } from "next/navigation";
import { session } from "../../lib/session.ts";

export const GET = session.route((_request, session) => {
  session.set("items", ["never saved"]);
  forbidden();
});
