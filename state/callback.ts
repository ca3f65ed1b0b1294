/**
 * {@linkcode CallbackState}: functions of yours decide how the session's id travels.
 *
 * @module
 */
import { checkOptions } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { isToken } from "./_headers.ts";
import { type Extracted, type InjectOptions, State } from "./state.ts";

/** Options of {@linkcode CallbackState}. */
export interface CallbackStateOptions {
  /** Finds the id that the client presents; may be async. */
  extract: (scope: Scope) => Extracted | Promise<Extracted>;
  /**
   * Sends the id to the client.
   *
   * @default {nothing is sent}
   */
  inject?: (headers: HeaderPair[], id: string, options: InjectOptions) => void;
  /**
   * Makes the client forget its id.
   *
   * @default {nothing is sent}
   */
  clear?: (headers: HeaderPair[]) => void;
  /**
   * The request headers that `extract` reads, for the response's `Vary`.
   *
   * @default {[]}
   */
  vary?: readonly string[];
  /**
   * What the id is carried under. A session that a `CookieStore` sealed for one name does not open
   * under another.
   *
   * @default {undefined, sealed sessions are bound to no name}
   */
  name?: string;
}

/**
 * Carries the session's id as your functions say: PAGI's `State::Callback`.
 *
 * @example PAGI's recipe: bearer tokens for API clients, a cookie for browsers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BearerState, CallbackState, CookieState } from "@pagi/session";
 *
 * const cookie = new CookieState();
 * const bearer = new BearerState();
 * const state = new CallbackState({
 *   extract: (scope) => bearer.extract(scope) ?? cookie.extract(scope),
 *   inject: (headers, id, options) => cookie.inject(headers, id, options),
 *   clear: (headers) => cookie.clear(headers),
 *   vary: [...bearer.vary, ...cookie.vary],
 * });
 *
 * assertEquals(await state.extract({ type: "http", headers: [["authorization", "Bearer t"]] }), "t");
 * assertEquals(await state.extract({ type: "http", headers: [["cookie", "pagi_session=c"]] }), "c");
 * ```
 */
export class CallbackState extends State {
  /** The request headers that `extract` reads. */
  override readonly vary: readonly string[];
  /** What the id is carried under, where the options say. */
  override readonly name?: string;
  readonly #options: CallbackStateOptions;

  /**
   * Checks the options.
   *
   * @throws {TypeError} When a callback is not a function, `vary` is not a list of headers' names, or
   * `name` is no string.
   */
  constructor(options: CallbackStateOptions) {
    super();
    checkOptions("CallbackState", options, ["extract", "inject", "clear", "vary", "name"]);
    if (typeof options.extract !== "function") {
      throw new TypeError("Cannot make CallbackState: extract must be a function");
    }
    for (const name of ["inject", "clear"] as const) {
      if (options[name] !== undefined && typeof options[name] !== "function") {
        throw new TypeError(`Cannot make CallbackState: ${name} must be a function`);
      }
    }
    const { vary = [], name } = options;
    if (!Array.isArray(vary) || !vary.every(isToken)) {
      throw new TypeError("Cannot make CallbackState: vary must be a list of headers' names");
    }
    if (name !== undefined && typeof name !== "string") {
      throw new TypeError("Cannot make CallbackState: name must be a string");
    }
    this.#options = { ...options };
    this.name = name;
    this.vary = vary;
  }

  /** Asks the `extract` callback. */
  override extract(scope: Scope): Extracted | Promise<Extracted> {
    return this.#options.extract(scope);
  }

  /** Calls the `inject` callback, where there is one. */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions): void {
    this.#options.inject?.(headers, id, options);
  }

  /** Calls the `clear` callback, where there is one. */
  override clear(headers: HeaderPair[]): void {
    this.#options.clear?.(headers);
  }
}
