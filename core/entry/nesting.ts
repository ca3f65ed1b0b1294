/**
 * Finds out which calls of fetch handlers belong to one client's request. A handler may call that of
 * another middleware, with the same `Request` or with a new one.
 */
import { type Awaitable, isPromise } from "../../base/awaitable.ts";
import type { HeaderPair } from "../../pagi.ts";
import { type AsyncStorage, makeAsyncStorage } from "../async_storage.ts";

/** The session that a middleware has opened for a request. */
export interface OpenedFor {
  readonly owner: object;
  readonly opened: unknown;
  readonly outer: OpenedFor | undefined;
  isOver: boolean;
  /** The headers that the sessions inside of this one have put on the response. */
  fromInside?: HeaderPair[];
}

/** The sessions of a request in progress, the last opened first. (A WeakMap would be slower.) */
const OPENED = Symbol("opened");

interface MarkedRequest {
  [OPENED]?: OpenedFor | undefined;
}

/** What `owner` has opened for this request, if it has not closed that yet. */
export function openedFor<T>(request: object, owner: object): T | undefined {
  for (let one = (request as MarkedRequest)[OPENED]; one !== undefined; one = one.outer) {
    if (one.owner === owner && !one.isOver) return one.opened as T;
  }
  return undefined;
}

/** Notes what `owner` has opened for this request, until `noteClosed` is called. */
export function noteOpened(request: object, owner: object, opened: unknown): OpenedFor {
  const marked: MarkedRequest = request;
  const outer = marked[OPENED];
  const one: OpenedFor = { owner, opened, outer, isOver: false };
  if (Object.isExtensible(marked)) marked[OPENED] = one;
  return one;
}

/** Notes that the request is over for the owner. */
export function noteClosed(request: object, one: OpenedFor): void {
  const marked: MarkedRequest = request;
  one.isOver = true;
  if (marked[OPENED] === one) marked[OPENED] = one.outer;
}

/**
 * Tells the session around this one which headers are on the response. If that session fails, its
 * error response replaces the response, and has to carry them.
 */
export function tellOuter({ outer, fromInside = [] }: OpenedFor, headers: HeaderPair[]): void {
  if (outer === undefined || outer.isOver) return;
  (outer.fromInside ??= []).push(...fromInside, ...headers);
}

/** A request that no other handler has passed on. */
interface RootRequest {
  readonly request: Request;
  isOver: boolean;
}

let middlewares = 0;
let storage: AsyncStorage<RootRequest> | undefined;

/** Notes that there is one more middleware. Handlers of a single one do not need `runAsRoot`. */
export function countMiddleware(): void {
  middlewares++;
}

/**
 * The request that the client sent: another one than `request` if a handler that is still running has
 * made that.
 */
export function rootOf(request: Request): Request {
  const root = storage?.getStore();
  return root === undefined || root.isOver ? request : root.request;
}

/** Whether handlers of several middlewares may call each other. */
export function mayNest(): boolean {
  return middlewares > 1;
}

/** Runs a handler, so that `rootOf` finds this request in the handlers that it calls. */
export function runAsRoot<T>(request: Request, handle: () => Awaitable<T>): Awaitable<T> {
  storage ??= makeAsyncStorage();
  if (storage === undefined || rootOf(request) !== request) return handle();
  const root = { request, isOver: false };
  const end = (): void => void (root.isOver = true);
  let result: Awaitable<T>;
  try {
    result = storage.run(root, handle);
  } catch (error) {
    end();
    throw error;
  }
  // A handler that returns no promise stays as fast as it was.
  if (isPromise(result)) return Promise.resolve(result).finally(end);
  end();
  return result;
}
