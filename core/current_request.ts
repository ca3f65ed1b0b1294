/**
 * Finds the request whose handler makes a call such as `sessions.destroyAll`. If the call ends the
 * session of that request, its response has to clear the session at the client. The response to
 * another request of the same session must not: it could arrive after a new login and undo it.
 *
 * The runtime's `AsyncLocalStorage` tells which request a call belongs to. Where there is none, no
 * request is found.
 */
import type { WorkingCopy } from "../data/working_copy.ts";

/** A request with a stored session, while its handler runs. */
interface RunningRequest {
  /** The session's key. */
  readonly key: string;
  readonly subject: string;
  readonly workingCopy: WorkingCopy;
  /** The request of the same middleware in whose handler this one was made. */
  readonly outer: RunningRequest | undefined;
}

/** The part of `AsyncLocalStorage` that is used. */
interface RequestStorage {
  run<T>(request: RunningRequest, handle: () => T): T;
  getStore(): RunningRequest | undefined;
}

/** The requests of one middleware. */
export class CurrentRequest {
  #storage: RequestStorage | undefined;

  /** Runs a request's handler. */
  run<T>(request: Omit<RunningRequest, "outer">, handle: () => T): T {
    this.#storage ??= makeStorage();
    if (this.#storage === undefined) return handle();
    return this.#storage.run({ ...request, outer: this.#storage.getStore() }, handle);
  }

  /** Notes that the request which calls this has ended its own session, if `isEnded` says so. */
  noteEnd(isEnded: (request: RunningRequest) => boolean): void {
    for (let request = this.#storage?.getStore(); request !== undefined; request = request.outer) {
      if (isEnded(request)) request.workingCopy.isEnded = true;
    }
  }
}

/** Node, Deno, Bun and workerd (with `nodejs_compat`) have the class; a browser has not. */
function makeStorage(): RequestStorage | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const hooks = process?.getBuiltinModule?.("node:async_hooks") as
    | { AsyncLocalStorage?: new () => RequestStorage }
    | undefined;
  return hooks?.AsyncLocalStorage && new hooks.AsyncLocalStorage();
}
