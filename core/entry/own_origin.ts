/** Compares the origin of a page with the hosts of the app: for forms and for WebSocket handshakes. */

const HOST_HEADERS = ["host", ":authority", "x-forwarded-host"];

/**
 * Returns the app's hosts, as a request has them. A proxy may have replaced `Host`. A page of another
 * site could not make a browser send one of these headers with another value.
 */
export function hostsOf(headers: ReadonlyMap<string, string>): string[] {
  const given = HOST_HEADERS.map((name) => headers.get(name) ?? "");
  return given.join().split(",").map((host) => host.trim());
}

/** Whether a page of the origin comes from one of the hosts. */
export function isOwnOrigin(origin: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  // The URL of a file has no host.
  if (host === "") return false;
  return hosts.some((one) => {
    // With the page's scheme, so that a default port makes no difference.
    const url = `${protocol}//${one}`;
    return URL.canParse(url) && new URL(url).host === host;
  });
}
