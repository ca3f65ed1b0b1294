/** What a session that failed is answered with. */
import { addHeaders } from "./response_headers.ts";
import type { Settings } from "../options.ts";
import { SessionError } from "../../errors.ts";

/** Seconds after which a client may try again when the store has failed. */
const RETRY_AFTER = 1;

/** The failures that have an answer; any other error is the app's. */
const TEXTS: { [code: string]: string | undefined } = {
  ERR_SESSION_INTERRUPTED:
    "Your session ended or changed while this request was under way. Please try again.\n",
  ERR_SESSION_AMBIGUOUS:
    "Your browser sent more than one session. Please delete this site's cookies.\n",
  ERR_SESSION_CONFLICT: "The session is busy. Please try again.\n",
  ERR_SESSION_STORE: "Sessions are unavailable. Please try again.\n",
};

/** The response to a session that failed: `onError`'s, or a short text. Throws any other error on. */
export async function answer(
  { onError, emit }: Settings,
  error: unknown,
  request: Request,
): Promise<Response> {
  const text = error instanceof SessionError ? TEXTS[error.code] : undefined;
  if (text === undefined) throw error;
  const failure = error as SessionError;
  const response = await onError?.(failure, request) ?? shortAnswer(failure.status, text);
  // Its own Cache-Control stands.
  const hasOwn = response.headers.has("cache-control");
  const headers = failure.headers.filter(([name]) => !hasOwn || name !== "cache-control");
  return addHeaders(response, headers, [], emit);
}

function shortAnswer(status: number, text: string): Response {
  const headers = new Headers({ "content-type": "text/plain", "cache-control": "no-store" });
  if (status === 503) headers.set("retry-after", String(RETRY_AFTER));
  return new Response(text, { status, headers });
}
