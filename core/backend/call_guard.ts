/** Guards calls of a store: errors become `ERR_SESSION_STORE`, and calls have a deadline. */
import { type Awaitable, isPromise } from "../../base/awaitable.ts";
import { MAX_TIMER_MS } from "../../base/limits.ts";
import { SessionError } from "../../errors.ts";
import { storeError } from "./backend.ts";
import { redactError } from "./redact_error.ts";

const PENDING = Symbol("pending");

/** Guards the calls of one store. */
export class CallGuard {
  readonly #timeoutMs: number;
  /** The controller of the next call. It is kept if that call returns without a promise. */
  #controller = new AbortController();

  /** @param timeout Seconds that a call may take; `Infinity` for a store that performs no I/O. */
  constructor(timeout: number) {
    this.#timeoutMs = timeout * 1000;
  }

  /** The controller whose signal the next call gets. */
  get controller(): AbortController {
    return this.#controller;
  }

  /**
   * Calls the store.
   *
   * @param id The ID of the call. Like `text`, no error may reveal it.
   */
  call<T>(
    operation: string,
    invoke: (signal: AbortSignal) => Awaitable<T>,
    id: string,
    text?: string,
  ): Awaitable<T> {
    const controller = this.#controller;
    try {
      const result = invoke(controller.signal);
      if (!isPromise(result)) return result;
      return this.settle(result, controller, operation, unchanged, id, text);
    } catch (cause) {
      throw callError(operation, cause, id, text);
    }
  }

  /**
   * Converts the result of a call that was given the signal of `controller`. Waits for it if
   * necessary.
   *
   * @param convert Must throw nothing but a `SessionError`.
   */
  settle<T, Result>(
    result: Awaitable<T>,
    controller: AbortController,
    operation: string,
    convert: (value: T) => Result,
    id: string,
    text?: string,
  ): Awaitable<Result> {
    if (!isPromise(result)) return convert(result);
    if (controller === this.#controller) this.#controller = new AbortController();
    // Resolved only once: some promises start their work each time that they are awaited.
    const pending = Promise.resolve(result);
    const waited = this.#timeoutMs === Infinity
      ? pending
      : this.#waitUntilDeadline(pending, operation, controller);
    return waited.then(convert, (cause) => {
      throw callError(operation, cause, id, text);
    });
  }

  async #waitUntilDeadline<T>(
    pending: Promise<T>,
    operation: string,
    controller: AbortController,
  ): Promise<T> {
    // A promise that is settled already needs no timer.
    if (await Promise.race([pending, PENDING]) !== PENDING) return await pending;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = new DOMException("No answer within storeTimeout", "TimeoutError");
        // Rejected before the abort, so that the store's reaction to the abort comes second.
        reject(storeError(operation, "the store did not answer within storeTimeout", reason));
        controller.abort(reason);
      }, Math.min(this.#timeoutMs, MAX_TIMER_MS));
    });
    try {
      return await Promise.race([pending, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whether the store did not answer in time. */
export function isDeadlineError(error: SessionError): boolean {
  return error.cause instanceof DOMException && error.cause.name === "TimeoutError";
}

const unchanged = <T>(value: T): T => value;

/** The error for a call that threw. It does not reveal the ID and the text of the call. */
export function callError(
  operation: string,
  cause: unknown,
  id: string,
  text = "",
): SessionError {
  if (cause instanceof SessionError) return cause;
  return storeError(operation, "the store failed", redactError(cause, [id, text]));
}
