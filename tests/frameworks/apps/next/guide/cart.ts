import { sessions } from "./session.ts";
import { session } from "./session.ts";
import { cache } from "react";

export const POST = session.route(async (request, session) => {
  session.set("name", String((await request.formData()).get("name")));
  return Response.json({ saved: true });
});

export const currentSession = cache(() => session.read());

export const failedLogin = session.action(async (session) => {
  session.set("name", "");
  await session.save();
  throw new Error("Wrong password");
});

export const importAll = session.action((session) => {
  void sessions.update(session, (data) => void (data.name = "imported"));
});
