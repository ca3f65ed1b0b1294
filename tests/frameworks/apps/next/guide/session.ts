import { SessionMiddleware } from "@pagi/session";
import { nextSession } from "@pagi/session/next";
import { cookies, headers } from "next/headers";

type Data = { name: string };
declare global {
  var sessions: SessionMiddleware<Data> | undefined;
}

// Next.js loads this file once for the proxy and once for the pages. A store in memory must be one.
export const sessions = globalThis.sessions ??= new SessionMiddleware<Data>({
  secret: "replace this with: openssl rand -hex 32",
});

export const session = nextSession(sessions, { cookies, headers });
