import { session } from "../../lib/session.ts";

export const GET = session.route(async (_request, session) => {
  session.set("items", ["saved"]);
  await session.save();
  throw new Error("boom");
});
