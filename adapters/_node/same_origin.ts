/** Cross-origin handshakes: browsers send cookies with them, and no CORS rule stops them. */
import type { NodeRequest } from "../../middleware.ts";

/**
 * Whether the handshake comes from a page of this host, or from a client that is not a browser, which
 * sends no `Origin`. A proxy may have replaced `Host`. No page can set `X-Forwarded-Host`.
 */
export function isSameOrigin({ headers }: NodeRequest): boolean {
  const { origin } = headers;
  if (origin === undefined) return true;
  const page = parsed(String(origin));
  // The URL of a file has no host.
  if (page === undefined || page.host === "") return false;
  return [headers.host, headers["x-forwarded-host"]].some((hosts) =>
    [hosts ?? []].flat().some((host) =>
      // With the page's scheme, so that a default port makes no difference.
      parsed(`${page.protocol}//${host.split(",")[0]!.trim()}`)?.host === page.host
    )
  );
}

function parsed(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}
