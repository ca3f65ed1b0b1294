import { sveltekitSession } from "@pagi/session/sveltekit";
import { redirect } from "@sveltejs/kit";
import { type Handle, type HandleServerError, sequence } from "@sveltejs/kit/hooks";
import { sessions } from "./sessions.ts";

const session = sveltekitSession(sessions);

const requireLogin: Handle = ({ event, resolve }) => {
  const isPublic = event.url.pathname === "/";
  if (!isPublic && event.locals.session.subject === undefined) redirect(303, "/");
  return resolve(event);
};
const reportError: HandleServerError = ({ error }) => console.error("reported", error);

export const handle = sequence(session.handle, requireLogin);
export const handleError = session.handleError(reportError);
