/**
 * A second defense against cross-site requests (CSRF). The first is the cookie's `SameSite=Lax`.
 */

/**
 * Checks whether another site sent the request. Browsers name the origin of a form in the header
 * `Sec-Fetch-Site` or `Origin`. Other clients may omit both, but they have no other user's cookie.
 */
export function isCrossSite(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = request.headers.get("origin");
  // Compare the host without the scheme: a proxy may handle HTTPS for this server.
  return origin !== null && !origin.endsWith(`://${new URL(request.url).host}`);
}
