/**
 * Finds the request whose handler makes a call such as `sessions.destroyAll`. If the call ends the
 * session of that request, its response has to clear the session at the client. The response to
 * another request of the same session must not: it could arrive after a new login and undo it.
 *
 * The runtime's `AsyncLocalStorage` tells which request a call belongs to. If the runtime has no such
 * class, no request is found.
 */
import type { WorkingCopy } from "../data/working_copy.ts";
import { type AsyncStorage, makeAsyncStorage } from "./async_storage.ts";

/** A request with a stored session, while its handler runs. */
interface RunningRequest {
  /** The session's key. */
  readonly key: string;
  readonly subject: string;
  readonly workingCopy: WorkingCopy;
  /** The request of the same middleware in whose handler this one was made. */
  readonly outer: RunningRequest | undefined;
}

/** The requests of one middleware. */
export class CurrentRequest {
  #storage: AsyncStorage<RunningRequest> | undefined;

  /** Runs a request's handler. */
  run<T>(request: Omit<RunningRequest, "outer">, handle: () => T): T {
    this.#storage ??= makeAsyncStorage();
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
