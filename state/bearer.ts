/**
 * {@linkcode BearerState}: the session's id as an opaque bearer token.
 *
 * @module
 */
import { checkOptions } from "../base/check_options.ts";
import { HeaderState } from "./header.ts";

// RFC 6750 section 2.1, the scheme's case ignored as RFC 9110 section 11.1 wants it.
const BEARER = /^Bearer[ \t]+([A-Za-z0-9\-._~+/]+=*)$/i;

/** Options of {@linkcode BearerState}. */
export interface BearerStateOptions {
  /**
   * The response header in which the id is sent to the client.
   *
   * @default {undefined, nothing is sent}
   */
  emit?: string;
}

/**
 * Reads the session's id from `Authorization: Bearer <id>`: PAGI's `State::Bearer`. For opaque
 * session ids, not for JWTs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BearerState } from "@pagi/session/state/bearer";
 *
 * const state = new BearerState();
 * assertEquals(state.extract({ type: "http", headers: [["authorization", "Bearer abc"]] }), "abc");
 * ```
 */
export class BearerState extends HeaderState {
  /**
   * Checks the options.
   *
   * @throws {TypeError} When `emit` is not a header's name.
   */
  constructor(options: BearerStateOptions = {}) {
    checkOptions("BearerState", options, ["emit"]);
    super({ headerName: "Authorization", pattern: BEARER, emit: options.emit });
  }
}
