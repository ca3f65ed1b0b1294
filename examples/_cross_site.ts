/** The second lock against forms from other sites (CSRF). The first is the cookie's `SameSite=Lax`. */

/**
 * Whether another site sent this. Browsers say where a form comes from; what is no browser sends
 * neither header, and has no one else's cookie to send along.
 */
export function isCrossSite(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = request.headers.get("origin");
  // By host, not by scheme: a proxy in front may speak HTTPS for us.
  return origin !== null && !origin.endsWith(`://${new URL(request.url).host}`);
}
