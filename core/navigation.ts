/** Whether a request is a navigation: a browser opens a page at the top level. */
import type { Scope } from "../pagi.ts";
import { headersOf } from "./request_headers.ts";

/**
 * Whether a browser opens a page with this request. A browser makes navigations one after the other,
 * so a cookie in the response does not overtake another one.
 */
export function isNavigation(scope: Scope): boolean {
  if (scope.method !== "GET") return false;
  const headers = headersOf(scope);
  // The user may never see a page that is loaded in advance.
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ??
    "";
  if (/prefetch|prerender|preview/i.test(purpose)) return false;
  const destination = headers.get("sec-fetch-dest");
  if (destination !== undefined) return destination === "document";
  // An older browser, or a site without HTTPS.
  return /\btext\/html\b|\bapplication\/xhtml\+xml\b/i.test(headers.get("accept") ?? "");
}
