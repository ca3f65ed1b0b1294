import { nextSession } from "@pagi/session/next";
import { cookies, headers } from "next/headers";
import * as shop from "../../_shop.ts";

declare global {
  var sessions: typeof shop.sessions | undefined;
}
// Next.js bundles the proxy and the pages separately. Both must use one store in memory.
export const sessions = globalThis.sessions ??= shop.sessions;
export const session = nextSession(sessions, { cookies, headers });
