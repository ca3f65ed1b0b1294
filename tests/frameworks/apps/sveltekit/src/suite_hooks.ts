// For the suite of all adapters: two sessions below `/inner` and `/outer`, and one middleware twice.
import type { Session } from "@pagi/session";
import { sveltekitSession } from "@pagi/session/sveltekit";
import { type Handle, sequence } from "@sveltejs/kit/hooks";
import { type AdminData, adminSessions, sessions } from "../../_work.ts";

declare global {
  namespace App {
    interface Locals {
      admin: Session<AdminData>;
    }
  }
}

const session = sveltekitSession(sessions);
const admin = sveltekitSession(adminSessions);
const inner = sequence(session.handle, session.handle, admin.handle);
const outer = sequence(admin.handle, session.handle, admin.handle);

export const handle: Handle = (input) => {
  const { pathname } = input.event.url;
  if (pathname.startsWith("/inner/")) return inner(input);
  if (pathname.startsWith("/outer/")) return outer(input);
  return session.handle(input);
};
export const handleError = session.handleError(admin.handleError());
