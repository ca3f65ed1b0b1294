/** The sessions of requests of Node's `http`: opened before the handler, saved by the response. */
import type { Awaitable } from "../../base/awaitable.ts";
import type { ControlledSession } from "../../core/entry/open.ts";
import { SessionError } from "../../errors.ts";
import type { NodeRequest, ResponseHeaders, SessionMiddleware } from "../../middleware.ts";
import type { Session } from "../../session.ts";
import { holdResponse, isNodeResponse, type NodeResponse } from "./held_response.ts";

/** A session of a request in progress, in the form that an adapter gives to the app. */
export interface OpenedRequest {
  /** The session, as the app sees it. */
  readonly session: unknown;
  /** A response to send in place of calling the handler. */
  readonly response: Response | undefined;
  /** Calls the handler. */
  run<T>(handle: () => T): T;
  /** Discards the changes, because the handler failed. Does nothing after the save has started. */
  abort(error?: unknown): Promise<void>;
  /** Does the same because of the status of the response, and reports changes. */
  discard(status: number): Promise<void>;
  /** Saves the session unless it was aborted, and adds the headers for the client. */
  save(headers: ResponseHeaders): Awaitable<void>;
  /** Is called when the response has ended. */
  close?(): void;
}

/** A session of a request in progress, as a `Session`. */
export class RequestSession<Data extends object = Record<string, unknown>>
  implements OpenedRequest {
  readonly session: Session<Data>;
  readonly response: Response | undefined;
  readonly #open: ControlledSession<Data>;
  #aborted: Promise<void> | undefined;

  constructor(open: ControlledSession<Data>) {
    this.session = open.session;
    this.response = open.response;
    this.#open = open;
  }

  run<T>(handle: () => T): T {
    return this.#open.run(handle);
  }

  abort(error?: unknown): Promise<void> {
    return this.#aborted ??= this.#open.abort(error);
  }

  discard(status: number): Promise<void> {
    return this.#aborted ??= this.#open.discard(status);
  }

  save(headers: ResponseHeaders): Awaitable<void> {
    const commit = () => this.#open.commit(headers);
    return this.#aborted === undefined ? commit() : this.#aborted.then(commit);
  }

  /** Saves what can be saved after a response that was sent past Node's methods. */
  async saveLate(): Promise<void> {
    if (this.#aborted === undefined) await this.#open.commit();
  }
}

/** The functions that opening a session needs. */
export interface OpenHooks {
  /** Called if the session cannot be saved. */
  fail(error: unknown): void;
  /** Whether the response says that the handler failed. By default, a status of 500 or more does. */
  isFailure?(res: NodeResponse): boolean;
}

/** The sessions of requests in progress, by middleware. */
const opened = new WeakMap<NodeRequest, Map<SessionMiddleware, OpenedRequest>>();

/** Returns the session that `sessions` has opened for the request. */
export function findSession<Data extends object>(
  req: NodeRequest,
  sessions: SessionMiddleware<Data>,
): RequestSession<Data> | undefined {
  return opened.get(req)?.get(sessions as unknown as SessionMiddleware) as
    | RequestSession<Data>
    | undefined;
}

/** Returns the session of the request. Throws if it has not come through the middleware. */
export function sessionOf<Data extends object>(
  req: NodeRequest,
  sessions: SessionMiddleware<Data>,
): Session<Data> {
  const own = findSession(req, sessions);
  if (own !== undefined) return own.session;
  throw noSession();
}

/** The error for a request that a middleware has not seen. */
export function noSession(): TypeError {
  return new TypeError(
    "Cannot find the session: the request has not come through the middleware",
  );
}

/** Returns the name of the property or variable under which a middleware puts its sessions. */
export function placeOf({ key = "session" }: { key?: string }): string {
  return key;
}

/** Whether a middleware other than `own` has opened a session of this place for the request. */
export function isPlaceTaken(req: NodeRequest, place: string, own?: object): boolean {
  return [...opened.get(req)?.keys() ?? []].some((other) =>
    other !== own && placeOf(other) === place
  );
}

/** Discards the changes of all sessions of a request whose handler failed. */
export async function abortSessions(req: NodeRequest, error?: unknown): Promise<void> {
  await Promise.all([...opened.get(req)?.values() ?? []].map((own) => own.abort(error)));
}

/**
 * Opens the session of a request, and holds its response until the session is saved. The session of a
 * WebSocket's handshake, whose `res` is any other object, is read-only.
 */
export function openSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
  req: NodeRequest,
  res: Partial<NodeResponse>,
  hooks: OpenHooks,
): Promise<RequestSession<Data>> {
  return openRequest(sessions, req, res, hooks, (open) => new RequestSession(open));
}

/**
 * Opens the session of a request as `openSession` does.
 *
 * @param make Gives it the form in which the app sees it. `isHeld` tells whether a response follows
 * that can carry the cookie.
 */
export async function openRequest<Data extends object, Own extends OpenedRequest>(
  sessions: SessionMiddleware<Data>,
  req: NodeRequest,
  res: Partial<NodeResponse>,
  { fail, isFailure = isServerError }: OpenHooks,
  make: (open: ControlledSession<Data>, isHeld: boolean) => Own,
): Promise<Own> {
  const isHeld = !req.upgrade && isNodeResponse(res);
  const { headers, method, url, socket } = req;
  const request = isHeld ? req : { headers, method, url, socket, upgrade: true };
  const own = make(await sessions.open(request) as ControlledSession<Data>, isHeld);
  if (!opened.has(req)) opened.set(req, new Map());
  opened.get(req)!.set(sessions as unknown as SessionMiddleware, own);
  if (!isHeld) return own;
  const save = (added: ResponseHeaders) => {
    if (isFailure(res)) void own.discard(res.statusCode);
    return own.save(added);
  };
  holdResponse(res, { save, errorHead, fail });
  if (own.close !== undefined) res.once("close", () => own.close!());
  return own;
}

/** A middleware may not see that a later one threw, but an error page has one of these statuses. */
function isServerError({ statusCode }: NodeResponse): boolean {
  return statusCode >= 500;
}

/** Returns the status and headers of a response to `error`. */
function errorHead(error: unknown) {
  return error instanceof SessionError ? error : { status: 500, headers: [] };
}
