/** The response to a session that failed. */
import { SessionError } from "../../errors.ts";
import type { ResolvedOptions } from "../options.ts";
import { protectFromCaches } from "../shared_caches.ts";
import { addHeaders } from "./response_headers.ts";

/** The value of `Retry-After` if the store has failed, in seconds. */
const RETRY_AFTER = 1;

/** The failures that become a response. Any other error belongs to the app. */
const TEXTS: { [code: string]: string | undefined } = {
  ERR_SESSION_INTERRUPTED:
    "Your session ended or changed while this request was under way. Please try again.\n",
  ERR_SESSION_AMBIGUOUS:
    "Your browser sent more than one session. Please delete this site's cookies.\n",
  ERR_SESSION_CSRF:
    "This form is too old, or another site has sent it. Please load the page again.\n",
  ERR_SESSION_CONFLICT: "The session is busy. Please try again.\n",
  ERR_SESSION_STORE: "Sessions are unavailable. Please try again.\n",
};

/** The errors that an event has reported. One error may pass several entry points. */
const reported = new WeakSet<object>();

/** Reports a request that fails because of its session, so that its operator hears of it. */
export function reportFailure({ emit }: ResolvedOptions, error: unknown): void {
  if (!(error instanceof SessionError) || TEXTS[error.code] === undefined) return;
  // An adapter may have made a new error of one that was reported.
  if (reported.has(error) || reported.has(error.cause as object)) return;
  reported.add(error);
  const { code, message } = error;
  emit({ type: "request-failed", message: `A request failed: ${code}: ${message}`, cause: error });
}

/** Makes the response of `onError`, or a short text. Rejects with any other error. */
export async function errorResponse(
  options: ResolvedOptions,
  error: unknown,
  request: Request,
): Promise<Response> {
  const { onError, emit } = options;
  const text = error instanceof SessionError ? TEXTS[error.code] : undefined;
  if (text === undefined) throw error;
  reportFailure(options, error);
  const failure = error as SessionError;
  const response = await onError?.(failure, request) ?? textResponse(failure.status, text);
  const headers = failure.headers.filter(([name]) => name !== "cache-control");
  if (headers.length > 0) protectFromCaches(headers, response.headers, options);
  return addHeaders(response, request, headers, [], emit);
}

function textResponse(status: number, text: string): Response {
  const headers = new Headers({ "content-type": "text/plain", "cache-control": "no-store" });
  if (status === 503) headers.set("retry-after", String(RETRY_AFTER));
  return new Response(text, { status, headers });
}
