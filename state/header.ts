/**
 * {@linkcode HeaderState}: the session ID in a request header of your choice.
 *
 * @module
 */
import { checkOptions, optionError } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { headerValue, isToken, isVisible } from "./_headers.ts";
import { State } from "./state.ts";

/** Options of {@linkcode HeaderState}. */
export interface HeaderStateOptions {
  /** Names the request header that carries the ID. */
  headerName: string;
  /**
   * Extracts the ID from the header's value: the first capturing group is the ID. The pattern runs
   * on untrusted input, so avoid nested quantifiers such as `/^(\w+\s?)+$/`. With those, a client
   * can keep the server busy for as long as it wants (ReDoS).
   *
   * @default {undefined, the whole value is the ID}
   */
  pattern?: RegExp;
  /**
   * Names the response header that sends the ID to the client. Without it, your app must send the
   * ID itself, and the client does not receive the new ID after `regenerate()`.
   *
   * @default {undefined, the ID is not sent}
   */
  emit?: string;
}

/**
 * Reads the session ID from a request header, for clients other than browsers: PAGI's
 * `State::Header`.
 *
 * @example An API whose clients receive their ID in a response header
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { HeaderState } from "@pagi/session/state/header";
 *
 * const state = new HeaderState({ headerName: "X-Session-ID", emit: "X-Session-ID" });
 * assertEquals(state.extract({ type: "http", headers: [["x-session-id", "abc"]] }), "abc");
 * ```
 */
export class HeaderState extends State {
  /** The request header that carries the ID. */
  override readonly vary: readonly string[];
  /**
   * `header` and the header's name in lower case. The space rules out a cookie of the same name.
   */
  override readonly name: string;
  /** True, except for the header `Cookie`: a browser adds that one by itself. */
  override readonly isExplicit: boolean;
  readonly #headerName: string;
  readonly #pattern: RegExp | undefined;
  readonly #emit: string | undefined;

  /**
   * Validates the options.
   *
   * @throws {TypeError} If a name is not a token of RFC 9110, or if the pattern has no capturing
   * group.
   */
  constructor(options: HeaderStateOptions) {
    super();
    checkOptions("HeaderState", options, ["headerName", "pattern", "emit"]);
    const { headerName, pattern, emit } = options;
    if (!isToken(headerName)) {
      throw optionError("HeaderState", "headerName must be a header's name");
    }
    if (pattern !== undefined && !hasGroup(pattern)) {
      throw optionError("HeaderState", "pattern must be a RegExp with a group");
    }
    if (emit !== undefined && (!isToken(emit) || emit.toLowerCase() === "set-cookie")) {
      throw optionError("HeaderState", "emit must be a header's name, not Set-Cookie");
    }
    this.vary = [headerName];
    this.#headerName = headerName.toLowerCase();
    this.name = `header ${this.#headerName}`;
    this.isExplicit = this.#headerName !== "cookie";
    // With the flags g or y, a RegExp starts where the last match ended: the next request would
    // fail.
    this.#pattern = pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
    this.#emit = emit;
  }

  /** Finds the ID in the request header. */
  override extract(scope: Scope): string | undefined {
    const value = headerValue(scope, this.#headerName);
    if (value === undefined || this.#pattern === undefined) return value;
    return this.#pattern.exec(value)?.[1];
  }

  /**
   * Adds the `emit` header, if that option is set.
   *
   * @throws {TypeError} If `id` has characters that are not allowed in a header.
   */
  override inject(headers: HeaderPair[], id: string): void {
    if (this.#emit === undefined) return;
    if (!isVisible(id)) {
      throw new TypeError("Cannot send the id: it has characters that no header can carry");
    }
    headers.push([this.#emit, id]);
  }
}

/** Checks whether `pattern` is a RegExp with a capturing group. */
function hasGroup(pattern: unknown): boolean {
  // With an empty alternative, the pattern matches any string, and the match has one entry a group.
  return pattern instanceof RegExp &&
    (new RegExp(`${pattern.source}|`, pattern.flags.replace(/[gy]/g, "")).exec("")?.length ?? 0) >
      1;
}
