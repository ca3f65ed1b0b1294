/**
 * {@linkcode CallbackState}: your own functions read and send the session ID.
 *
 * @module
 */
import { checkOptions, optionError } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { isToken } from "./_headers.ts";
import { type Extracted, type InjectOptions, State } from "./state.ts";

/** Options of {@linkcode CallbackState}. */
export interface CallbackStateOptions {
  /** Finds the ID that the client sent. May be async. */
  extract: (scope: Scope) => Extracted | Promise<Extracted>;
  /**
   * Adds the response headers that send the ID to the client.
   *
   * @default {undefined, the ID is not sent}
   */
  inject?: (headers: HeaderPair[], id: string, options: InjectOptions) => void;
  /**
   * Adds the response headers that make the client forget its ID.
   *
   * @default {undefined, no header is added}
   */
  clear?: (headers: HeaderPair[]) => void;
  /**
   * Lists the request headers that `extract` reads, for the response's `Vary`.
   *
   * @default {[]}
   */
  vary?: readonly string[];
  /**
   * Names the cookie or header that carries the ID. Set it if you use the State with `CookieStore`:
   * an encrypted session is bound to this name and is rejected under any other.
   *
   * @default {undefined, encrypted sessions are bound to no name}
   */
  name?: string;
}

/**
 * Reads and sends the session ID with your own functions: PAGI's `State::Callback`.
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
  /** The name of the cookie or header that carries the ID, if the options set it. */
  override readonly name?: string;
  readonly #options: CallbackStateOptions;

  /**
   * Validates the options.
   *
   * @throws {TypeError} If a callback is not a function, `vary` is not an array of header names, or
   * `name` is not a string.
   */
  constructor(options: CallbackStateOptions) {
    super();
    checkOptions("CallbackState", options, ["extract", "inject", "clear", "vary", "name"]);
    if (typeof options.extract !== "function") {
      throw optionError("CallbackState", "extract must be a function");
    }
    for (const name of ["inject", "clear"] as const) {
      if (options[name] !== undefined && typeof options[name] !== "function") {
        throw optionError("CallbackState", `${name} must be a function`);
      }
    }
    const { vary = [], name } = options;
    if (!Array.isArray(vary) || !vary.every(isToken)) {
      throw optionError("CallbackState", "vary must be a list of headers' names");
    }
    if (name !== undefined && typeof name !== "string") {
      throw optionError("CallbackState", "name must be a string");
    }
    this.#options = { ...options };
    this.name = name;
    this.vary = vary;
  }

  /** Calls the `extract` callback. */
  override extract(scope: Scope): Extracted | Promise<Extracted> {
    return this.#options.extract(scope);
  }

  /** Calls the `inject` callback, if there is one. */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions): void {
    this.#options.inject?.(headers, id, options);
  }

  /** Calls the `clear` callback, if there is one. */
  override clear(headers: HeaderPair[]): void {
    this.#options.clear?.(headers);
  }
}
