// For the suite of all adapters: two sessions below `/inner` and `/outer`, and one middleware twice.
import type { Session } from "@pagi/session";
import { astroSession } from "@pagi/session/astro";
import type { MiddlewareHandler } from "astro";
import { sequence } from "astro:middleware";
import { type AdminData, adminSessions, sessions } from "../../_work.ts";

declare global {
  namespace App {
    interface Locals {
      admin: Session<AdminData>;
    }
  }
}

const session = astroSession(sessions);
const admin = astroSession(adminSessions);
const inner = sequence(session, session, admin);
const outer = sequence(admin, session, admin);

export const onRequest: MiddlewareHandler = (context, next) => {
  const { pathname } = context.url;
  if (pathname.startsWith("/work/inner/")) return inner(context, next);
  if (pathname.startsWith("/work/outer/")) return outer(context, next);
  return session(context, next);
};
