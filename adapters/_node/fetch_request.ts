/** A request that did not come as a fetch `Request`, for the option `onError`. */
import type { NodeRequest } from "../../middleware.ts";

/**
 * Returns the request without its body. Client input must not throw, and some makes no `Request`: a
 * short one is returned then.
 *
 * @param host The host of its URL. By default, it is what the client sent.
 */
export function fetchRequestOf(
  { headers, method = "GET", url = "/", socket }: NodeRequest,
  host: unknown = headers.host ?? "localhost",
): Request {
  const scheme = (socket as { encrypted?: boolean } | undefined)?.encrypted ? "https" : "http";
  const base = `${scheme}://${host}`;
  try {
    const pairs = Object.entries(headers)
      // HTTP/2 has headers such as ":path".
      .filter(([name]) => !name.startsWith(":"))
      .flatMap(([name, values]) =>
        [values ?? []].flat().map((one): [string, string] => [name, one])
      );
    // The URL "//name" is a path here, and not another host.
    const full = url.startsWith("/") ? new URL(base + url) : new URL(url, base);
    return new Request(full, { headers: pairs, method });
  } catch {
    return new Request("http://localhost/");
  }
}
