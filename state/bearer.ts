/**
 * {@linkcode BearerState}: the session ID as an opaque bearer token.
 *
 * @module
 */
import { checkOptions } from "../base/check_options.ts";
import { HeaderState } from "./header.ts";

// The grammar of RFC 6750, section 2.1. RFC 9110, section 11.1, makes the scheme case-insensitive.
const BEARER = /^Bearer[ \t]+([A-Za-z0-9\-._~+/]+=*)$/i;

/** Options of {@linkcode BearerState}. */
export interface BearerStateOptions {
  /**
   * Names the response header that sends the ID to the client.
   *
   * @default {undefined, the ID is not sent}
   */
  emit?: string;
}

/**
 * Reads the session ID from `Authorization: Bearer <id>`: PAGI's `State::Bearer`. It is meant for
 * opaque session IDs, not for JWTs.
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
   * Validates the options.
   *
   * @throws {TypeError} If `emit` is not a valid header name.
   */
  constructor(options: BearerStateOptions = {}) {
    checkOptions("BearerState", options, ["emit"]);
    super({ headerName: "Authorization", pattern: BEARER, emit: options.emit });
  }
}
