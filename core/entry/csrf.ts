/** Refuses requests that pages of other sites have made (CSRF). */
import { checkOptions, isObject, optionError } from "../../base/check_options.ts";
import { workingCopyIn } from "../../data/working_copy.ts";
import { SessionError } from "../../errors.ts";
import type { Scope } from "../../pagi.ts";
import type { ResolvedOptions } from "../options.ts";
import { headersOf } from "../request_headers.ts";
import { reportFailure } from "./error_response.ts";
import { hostsOf, isOwnOrigin } from "./own_origin.ts";
import { type NodeRequest, RequestScope, scopeOf } from "./scope.ts";

/** Options of {@linkcode SessionMiddleware.verifyCsrf}. */
export interface VerifyCsrfOptions {
  /**
   * Gives the token, if the request has it in another place than the header `X-CSRF-Token` or the form
   * field `_csrf`.
   *
   * @default {undefined, the header or the field}
   */
  token?: unknown;
  /**
   * Lists origins besides the app's own whose pages may make requests, such as
   * `https://www.example.com`. Their requests need a token as well.
   *
   * @default {[], only pages of the app's own origin}
   */
  origins?: readonly string[];
}

const OWNER = "the CSRF check";
/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS", "TRACE"];
/** The values of `Sec-Fetch-Site` for requests that no page of another origin has made. */
const OWN_SITES = ["same-origin", "none"];
const HEADER = "x-csrf-token";
const FIELD = "_csrf";
const FORMS = ["application/x-www-form-urlencoded", "multipart/form-data"];

/** @throws {SessionError} `ERR_SESSION_CSRF` if the request may come from another site. */
export async function verifyCsrf(
  options: ResolvedOptions,
  request: Request | NodeRequest | Scope,
  session: object,
  { token, origins = [] }: VerifyCsrfOptions,
): Promise<void> {
  const scope = scopeOf(request);
  const workingCopy = workingCopyIn(session);
  const { link } = workingCopy;
  if ((workingCopy.owner as { options?: unknown } | undefined)?.options !== options || !link) {
    throw new TypeError(
      "Cannot verify the request: expected the Session that this middleware has opened for it",
    );
  }
  const headers = headersOf(scope);
  const isHandshake = scope.type === "websocket" ||
    headers.get("upgrade")?.toLowerCase() === "websocket";
  const isSafe = SAFE_METHODS.includes(String(scope.method).toUpperCase());
  // The client's own code has put the ID into a header. Other sites cannot do that.
  if ((isSafe && !isHandshake) || link.isExplicit) return;
  const refuse = (why: string) => {
    const error = new SessionError("ERR_SESSION_CSRF", `Cannot accept the request: ${why}`);
    reportFailure(options, error);
    return error;
  };
  if (!isAllowedOrigin(scope, headers, origins)) {
    throw refuse(
      "a page of another origin has made it. If you trust that, list it in the option origins. If a " +
        "proxy changes Host, let it send X-Forwarded-Host",
    );
  }
  // A page cannot add a header to a handshake. Browsers send its origin with each.
  if (isHandshake) return;
  const given = token ?? headers.get(HEADER) ?? await fieldOf(request, headers);
  if (typeof given !== "string") {
    throw refuse(
      "it has no CSRF token. Send session.csrfToken() in the form field _csrf or the header " +
        "X-CSRF-Token. In Node's frameworks, parse the form before the check",
    );
  }
  if (link.isCsrfToken(given)) return;
  throw refuse(
    "its CSRF token is not of this session, or older than the last login. Load the page again",
  );
}

/** Whether the request can come from a page of the app's own origin, or of an allowed one. */
function isAllowedOrigin(
  scope: Scope,
  headers: ReadonlyMap<string, string>,
  origins: readonly string[],
): boolean {
  const origin = headers.get("origin");
  if (origin !== undefined && origins.includes(origin)) return true;
  // The browser has compared the origins itself, so that no proxy matters.
  const site = headers.get("sec-fetch-site");
  if (site !== undefined) return OWN_SITES.includes(site);
  if (origin === undefined) return true;
  // Behind a proxy, HTTPS can look like HTTP, but not the other way round.
  if (scope.scheme === "https" && !origin.startsWith("https:")) return false;
  const hosts = hostsOf(headers);
  if (scope instanceof RequestScope) hosts.push(new URL(scope.request.url).host);
  return isOwnOrigin(origin, hosts);
}

/** The token in the form that the request contains. */
async function fieldOf(
  request: Request | NodeRequest | Scope,
  headers: ReadonlyMap<string, string>,
): Promise<unknown> {
  if (typeof (request as Request).clone !== "function") {
    const { body } = request as { body?: unknown };
    return isObject(body) ? body[FIELD] : undefined;
  }
  const type = headers.get("content-type")?.toLowerCase() ?? "";
  if (!FORMS.some((form) => type.startsWith(form))) return undefined;
  if ((request as Request).bodyUsed) {
    throw new TypeError(
      "Cannot verify the request: its body was read. Call verifyCsrf() first, or pass the option token",
    );
  }
  const form = await (request as Request).clone().formData().catch(() => undefined);
  return form?.get(FIELD);
}

/** @throws {TypeError} If an option is unknown or of the wrong type. */
export function checkCsrfOptions(options: VerifyCsrfOptions): void {
  checkOptions(OWNER, options, ["token", "origins"]);
  const { origins = [] } = options;
  const isOrigin = (one: unknown) =>
    typeof one === "string" && URL.canParse(one) && new URL(one).origin === one;
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    throw optionError(OWNER, "origins must be a list of origins, such as https://www.example.com");
  }
}
