import { nextSession } from "@pagi/session/next";
import { cookies, headers } from "next/headers";
import * as shop from "../../_shop.ts";

declare global {
  var shopSessions: typeof shop.sessions | undefined;
}

const sessions = globalThis.shopSessions ??= shop.sessions;

export const session = nextSession(sessions, { cookies, headers });
