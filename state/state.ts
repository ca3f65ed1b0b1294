/**
 * {@linkcode State}: how a session's id travels between client and server.
 *
 * @module
 */
import type { HeaderPair, Scope } from "../pagi.ts";

/** What a State is told about the session whose id is being sent. */
export interface InjectOptions {
  /** For how long the client may keep the id, in seconds. */
  expire?: number;
}

/**
 * An id that the client did not present as such: the State knows it from something else that the
 * client presents. The client is told at the first chance, as if the session's use were to be noted.
 */
export interface TranslatedId {
  /** The id; of several candidates, each. */
  readonly id: string | readonly string[];
  /** Says that the client has to be told. */
  readonly mustInject: true;
  /**
   * What it was carried under.
   *
   * @default {the State's `name`}
   */
  readonly name?: string;
}

/** What `extract` may find: an id, several candidates, an id to be told, or nothing. */
export type Extracted = string | readonly string[] | TranslatedId | undefined;

/**
 * What the middleware asks of a State. Any object with `extract` and `inject` is one; no base
 * class is needed.
 */
export interface SessionState {
  /**
   * Finds the id that the client presents. More than one string means that the client sent
   * several; up to four that the store accepts are tried, more are refused.
   */
  extract(scope: Scope): Extracted | Promise<Extracted>;
  /** Adds to the response's headers what makes the client present `id` from now on. */
  inject(headers: HeaderPair[], id: string, options: InjectOptions): void;
  /** Adds to the response's headers what makes the client forget its id. */
  clear?(headers: HeaderPair[]): void;
  /** The request headers that `extract` reads, for the response's `Vary`. */
  readonly vary?: readonly string[];
  /**
   * What the id is carried under: a cookie's name, say. A session that a `CookieStore` sealed for one
   * name does not open under another. Read once, when the middleware is made.
   *
   * @default {undefined, it opens under any State without a name}
   */
  readonly name?: string;
}

/**
 * The base class of every State of this package, PAGI's `Session::State`. A subclass must
 * implement `extract` and `inject`; `clear` does nothing unless it is overridden.
 *
 * @example An id in the query string
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { State } from "@pagi/session/state";
 * import type { HeaderPair, Scope } from "@pagi/session/pagi";
 *
 * class QueryState extends State {
 *   override extract(scope: Scope) {
 *     return new URLSearchParams(String(scope.query_string ?? "")).get("sid") ?? undefined;
 *   }
 *   override inject(headers: HeaderPair[], id: string) {
 *     headers.push(["x-session-id", id]);
 *   }
 * }
 *
 * assertEquals(new QueryState().extract({ type: "http", query_string: "sid=abc" }), "abc");
 * ```
 */
export class State implements SessionState {
  /** The request headers that `extract` reads, for the response's `Vary`. */
  readonly vary: readonly string[] = [];
  /** What the id is carried under, where sealed sessions are to be bound to it. */
  readonly name?: string;

  /**
   * Finds the id that the client presents.
   *
   * @throws {Error} Unless a subclass overrides it.
   */
  extract(_scope: Scope): Extracted | Promise<Extracted> {
    throw new Error(`Cannot extract: ${this.constructor.name} must implement extract(scope)`);
  }

  /**
   * Adds to the response's headers what makes the client present `id` from now on.
   *
   * @throws {Error} Unless a subclass overrides it.
   */
  inject(_headers: HeaderPair[], _id: string, _options: InjectOptions): void {
    throw new Error(
      `Cannot inject: ${this.constructor.name} must implement inject(headers, id, options)`,
    );
  }

  /** Adds to the response's headers what makes the client forget its id. Does nothing by default. */
  clear(_headers: HeaderPair[]): void {}
}
