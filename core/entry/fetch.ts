/** The entry point for fetch handlers: a request becomes a response with the session's headers. */
import { isPromise } from "../../base/awaitable.ts";
import { isObject } from "../../base/check_options.ts";
import type { HeaderPair } from "../../pagi.ts";
import { Session } from "../../session.ts";
import type { ActiveSession } from "../active_session.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { reportFailure } from "./error_response.ts";
import { addHeaders, cancelBody } from "./response_headers.ts";
import { notRequest, RequestScope } from "./scope.ts";

/** A fetch handler that gets the session beside the request, and whatever its server adds. */
export type SessionHandler<
  Data extends object = Record<string, unknown>,
  Rest extends unknown[] = unknown[],
> = (request: Request, session: Session<Data>, ...rest: Rest) => Response | Promise<Response>;

/** Makes a response of an error, or rejects with the error. */
export type Recover = (error: unknown, request: Request) => Promise<Response>;

/**
 * Opens the request's session, calls `respond` with it, saves the session, and returns the response
 * with the headers for the client.
 */
export async function serveFetch<Data extends object, Rest extends unknown[]>(
  lifecycle: Lifecycle,
  request: Request,
  respond: SessionHandler<Data, Rest>,
  recover: Recover,
  rest: Rest,
): Promise<Response> {
  let active: ActiveSession | undefined;
  let response: Response | undefined;
  const headers: HeaderPair[] = [];
  if (!isObject(request)) throw notRequest();
  try {
    const opened = lifecycle.begin(new RequestScope(request));
    active = isPromise(opened) ? await opened : opened;
    const session = new Session<Data>(active.workingCopy);
    const pending = active.run(() => respond(request, session, ...rest));
    const answered = checkResponse(isPromise(pending) ? await pending : pending);
    response = answered;
    const committed = active.commit(headers, () => answered.headers);
    if (committed !== undefined) await committed;
  } catch (error) {
    // Does nothing if the commit has started.
    await active?.abort();
    if (response !== undefined) cancelBody(response);
    reportFailure(lifecycle.options, error);
    return await recover(error, request);
  }
  return addHeaders(response, request, headers, active.vary, lifecycle.options.emit);
}

function checkResponse(response: Response): Response {
  let cause: unknown;
  try {
    // A frozen one cannot be marked as returned, and it may be returned again.
    const own = Object.isExtensible(response) ? response : response.clone();
    // A Request has headers, too.
    if (typeof own?.headers?.get === "function" && "status" in own) return own;
  } catch (error) {
    cause = error;
  }
  const kind = response === null
    ? "null"
    : typeof response !== "object"
    ? typeof response
    : Object.isExtensible(response)
    ? "another object"
    // Neither Deno nor @hono/node-server can read each of them.
    : "a frozen object, which cannot be copied";
  throw new TypeError(
    `Cannot answer the request: the handler must return a Response, and it returned ${kind}`,
    { cause },
  );
}
