/** The pages for session errors. */
import type { SessionError, SessionErrorCode } from "../mod.ts";
import { messagePage, page } from "./_layout.ts";

const UNAVAILABLE = [
  503,
  "Please try again",
  "Sessions are temporarily unavailable. Please try again.",
] as const;

const PAGES: {
  [code in SessionErrorCode]?: readonly [status: number, title: string, text: string];
} = {
  ERR_SESSION_INTERRUPTED: [
    409,
    "Your session has changed",
    "Another request ended this session or changed its ID before this one finished. Nothing was saved.",
  ],
  ERR_SESSION_AMBIGUOUS: [
    400,
    "Too many sessions",
    "Your browser sent several session cookies. Delete this site's cookies and try again.",
  ],
  ERR_SESSION_CONFLICT: UNAVAILABLE,
  ERR_SESSION_STORE: UNAVAILABLE,
};

/** Returns a page for a session error. Rethrows errors that only a bug in the shop can cause. */
export function errorPage(error: SessionError): Response {
  const known = PAGES[error.code];
  if (known === undefined) throw error;
  const [status, title, text] = known;
  return page(() => messagePage(title, text), status);
}
