/** Cross-origin handshakes: browsers send cookies with them, and no CORS rule stops them. */
import { hostsOf, isOwnOrigin } from "../../core/entry/own_origin.ts";
import { scopeOf } from "../../core/entry/scope.ts";
import { headersOf } from "../../core/request_headers.ts";
import type { NodeRequest } from "../../middleware.ts";

/**
 * Whether the handshake comes from a page of this host, or from a client that is not a browser, which
 * sends no `Origin`.
 */
export function isSameOrigin({ headers }: NodeRequest): boolean {
  const all = headersOf(scopeOf({ headers }));
  const origin = all.get("origin");
  return origin === undefined || isOwnOrigin(origin, hostsOf(all));
}
