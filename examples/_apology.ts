/** The pages for sessions that fail. */
import type { SessionError, SessionErrorCode } from "../mod.ts";
import { messagePage, page } from "./_layout.ts";

const UNAVAILABLE = [503, "One moment, please", "The session is out of reach. Try again."] as const;

const APOLOGIES: {
  [code in SessionErrorCode]?: readonly [status: number, title: string, text: string];
} = {
  ERR_SESSION_INTERRUPTED: [
    409,
    "Your session moved on",
    "Another request ended this session, or gave it a new id, before this one was done.",
  ],
  ERR_SESSION_AMBIGUOUS: [
    400,
    "Two sessions at once",
    "Your browser sent more than one session. Delete this site's cookies.",
  ],
  ERR_SESSION_CONFLICT: UNAVAILABLE,
  ERR_SESSION_STORE: UNAVAILABLE,
};

/** A page for a session that failed. What is a mistake in the code is thrown on. */
export function apology(error: SessionError): Response {
  const known = APOLOGIES[error.code];
  if (known === undefined) throw error;
  const [status, title, text] = known;
  return page(() => messagePage(title, text), status);
}
