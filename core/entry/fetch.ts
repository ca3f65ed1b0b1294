/** The entry point for fetch handlers: a request becomes a response with the session's headers. */
import { isPromise } from "../../base/awaitable.ts";
import { isObject } from "../../base/check_options.ts";
import type { HeaderPair } from "../../pagi.ts";
import { HandledFailure, noteAnswer } from "./handled_failure.ts";
import { Session } from "../../session.ts";
import type { ActiveSession } from "../active_session.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { reportFailure } from "./error_response.ts";
import {
  mayNest,
  noteClosed,
  noteOpened,
  type OpenedFor,
  openedFor,
  runAsRoot,
  tellOuter,
} from "./nesting.ts";
import {
  addedTo,
  addHeaders,
  addSaved,
  cancelBody,
  headlessName,
  reportDropped,
} from "./response_headers.ts";
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
  if (!isObject(request)) throw notRequest();
  const first = openedFor<Session<Data>>(request, lifecycle);
  // The outer call saves the session, and answers if it fails.
  if (first !== undefined) return await respond(request, first, ...rest);
  let noted: OpenedFor | undefined;
  let active: ActiveSession | undefined;
  let response: Response | undefined;
  let isAnswer = false;
  const headers: HeaderPair[] = [];
  const { options } = lifecycle;
  try {
    const opened = lifecycle.begin(new RequestScope(request));
    active = isPromise(opened) ? await opened : opened;
    const session = new Session<Data>(active.workingCopy);
    noted = noteOpened(request, lifecycle, session);
    const handle = () => respond(request, session, ...rest);
    const pending = active.run(mayNest() ? () => runAsRoot(request, handle) : handle);
    const answered = checkResponse(isPromise(pending) ? await pending : pending);
    response = answered;
    const headless = headlessName(answered);
    const committed = headless === undefined
      ? active.commit(headers, () => answered.headers)
      : active.commitHeadless(headless);
    if (committed !== undefined) await committed;
  } catch (thrown) {
    const isHandled = thrown instanceof HandledFailure;
    const error = isHandled ? thrown.error : thrown;
    // Does nothing if the commit has started.
    await active?.abort(isHandled && error === undefined ? thrown.response : undefined);
    // Sessions inside of this one may have been saved, and the client has to learn their IDs.
    const saved = [...noted?.fromInside ?? [], ...response === undefined ? [] : addedTo(response)];
    if (response !== undefined) cancelBody(response);
    reportFailure(options, error);
    headers.length = 0;
    try {
      response = await recover(error, request);
      isAnswer = true;
    } catch (rethrown) {
      if (isHandled) response = thrown.response;
      else {
        await active?.commit(headers, () => NO_HEADERS);
        headers.push(...saved);
        reportDropped(options, headers, "the error response that others make");
        headers.length = 0;
        throw rethrown;
      }
    }
    const answered = response;
    await active?.commit(headers, () => answered.headers);
    addSaved(headers, saved, answered.headers, options);
    if (headers.length === 0) return isAnswer ? noteAnswer(answered) : answered;
  } finally {
    if (noted !== undefined) {
      noteClosed(request, noted);
      tellOuter(noted, headers);
    }
  }
  response = addHeaders(response, request, headers, active?.vary ?? [], options.emit);
  return isAnswer ? noteAnswer(response) : response;
}

const NO_HEADERS = { get: () => undefined };

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
