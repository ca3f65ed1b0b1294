/**
 * {@linkcode HeaderState}: the session's id in a request header of your choice.
 *
 * @module
 */
import { checkOptions } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { headerValue, isToken, isVisible } from "./_headers.ts";
import { State } from "./state.ts";

/** Options of {@linkcode HeaderState}. */
export interface HeaderStateOptions {
  /** The request header that carries the id. */
  headerName: string;
  /**
   * What the header's value must look like; the first group is the id. It runs on whatever clients
   * send: one that tries again and again, such as `/^(\w+\s?)+$/`, takes as long as they please.
   *
   * @default {the whole value}
   */
  pattern?: RegExp;
  /**
   * The response header in which the id is sent to the client. Without it the app has to hand the
   * id out itself, and the client cannot learn the new one after a rotation.
   *
   * @default {undefined, nothing is sent}
   */
  emit?: string;
}

/**
 * Reads the session's id from a request header, for clients that are not browsers: PAGI's
 * `State::Header`.
 *
 * @example An API whose clients learn their id from a response header
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { HeaderState } from "@pagi/session/state/header";
 *
 * const state = new HeaderState({ headerName: "X-Session-ID", emit: "X-Session-ID" });
 * assertEquals(state.extract({ type: "http", headers: [["x-session-id", "abc"]] }), "abc");
 * ```
 */
export class HeaderState extends State {
  /** The header that carries the id. */
  override readonly vary: readonly string[];
  /** `header` and the header's name, in lower case: no cookie can be called so. */
  override readonly name: string;
  readonly #headerName: string;
  readonly #pattern: RegExp | undefined;
  readonly #emit: string | undefined;

  /**
   * Checks the options.
   *
   * @throws {TypeError} When a name is not a token of RFC 9110, or the pattern has no group.
   */
  constructor(options: HeaderStateOptions) {
    super();
    checkOptions("HeaderState", options, ["headerName", "pattern", "emit"]);
    const { headerName, pattern, emit } = options;
    if (!isToken(headerName)) {
      throw new TypeError("Cannot make HeaderState: headerName must be a header's name");
    }
    if (pattern !== undefined && !hasGroup(pattern)) {
      throw new TypeError("Cannot make HeaderState: pattern must be a RegExp with a group");
    }
    if (emit !== undefined && (!isToken(emit) || emit.toLowerCase() === "set-cookie")) {
      throw new TypeError("Cannot make HeaderState: emit must be a header's name, not Set-Cookie");
    }
    this.vary = [headerName];
    this.#headerName = headerName.toLowerCase();
    this.name = `header ${this.#headerName}`;
    // With g or y a RegExp remembers where it stopped: the second request would not match.
    this.#pattern = pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
    this.#emit = emit;
  }

  /** Finds the id in the header of this name. */
  override extract(scope: Scope): string | undefined {
    const value = headerValue(scope, this.#headerName);
    if (value === undefined || this.#pattern === undefined) return value;
    return this.#pattern.exec(value)?.[1];
  }

  /**
   * Adds the `emit` header, where there is one.
   *
   * @throws {TypeError} When `id` has characters that a header cannot carry.
   */
  override inject(headers: HeaderPair[], id: string): void {
    if (this.#emit === undefined) return;
    if (!isVisible(id)) {
      throw new TypeError("Cannot send the id: it has characters that no header can carry");
    }
    headers.push([this.#emit, id]);
  }
}

function hasGroup(pattern: unknown): boolean {
  // With an empty alternative the pattern matches anything, and the match tells its groups.
  return pattern instanceof RegExp &&
    (new RegExp(`${pattern.source}|`, pattern.flags.replace(/[gy]/g, "")).exec("")?.length ?? 0) >
      1;
}
