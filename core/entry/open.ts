/** A request's session for servers that make no fetch `Response`. */
import { after, type Awaitable } from "../../base/awaitable.ts";
import type { Exchange } from "../active_session.ts";
import { missingVary } from "./response_headers.ts";
import type { SessionEvent } from "../options.ts";
import type { HeaderPair } from "../../pagi.ts";
import { Session } from "../../session.ts";

/** The headers of a response that is yet to be sent: a `Headers`, Koa's `ctx.response` … */
export interface ResponseHeaders {
  /** The value of a header that is set already; of several, as one. */
  get(name: string): string | null | undefined;
  /** Adds a header beside those of its name. */
  append(name: string, value: string): unknown;
}

/**
 * The session of a request under way, which is for its holder to finish: by `commit` before the
 * response's headers are sent, or by `abort`. What {@linkcode SessionMiddleware.open} resolves to.
 */
export interface OpenSession<Data extends object = Record<string, unknown>> {
  /** The session, for the handler. */
  readonly session: Session<Data>;
  /**
   * Saves the session, and adds to `headers` what the client has to be told. Without `headers`, for
   * a response that has been sent already, what should have been told is the event
   * `headers-dropped`. Once; a second call does nothing. Returns a promise only if the store has to
   * be waited for.
   *
   * @throws {SessionError} When the session cannot be saved: then the response must not be sent,
   * and the one that is made of the error should carry the error's `headers`.
   */
  commit(headers?: ResponseHeaders): Awaitable<void>;
  /** The handler failed: saves nothing, but what it destroyed stays destroyed. */
  abort(): Promise<void>;
}

/** An {@linkcode Exchange} for those outside. */
export class OpenExchange<Data extends object> implements OpenSession<Data> {
  readonly session: Session<Data>;
  readonly #exchange: Exchange;
  readonly #emit: (event: SessionEvent) => void;

  constructor(exchange: Exchange, emit: (event: SessionEvent) => void) {
    this.#exchange = exchange;
    this.#emit = emit;
    this.session = new Session<Data>(exchange.control);
  }

  commit(headers?: ResponseHeaders): Awaitable<void> {
    const added: HeaderPair[] = [];
    const done = this.#exchange.commit(added, () => headers?.get("cache-control") || undefined);
    return after(done, () => {
      if (headers === undefined) return this.#drop(added);
      for (const [name, value] of added) headers.append(name, value);
      const missing = missingVary(headers.get("vary"), this.#exchange.vary);
      for (const name of missing) headers.append("vary", name);
    });
  }

  abort(): Promise<void> {
    return this.#exchange.abort();
  }

  #drop(headers: HeaderPair[]): void {
    if (headers.length === 0) return;
    this.#emit({
      type: "headers-dropped",
      message: "The session's headers could not be put on a response that was sent already",
    });
  }
}
