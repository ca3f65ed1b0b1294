/** The response to a session that failed, for servers on Node that do not make one themselves. */
import type { NodeRequest, SessionMiddleware } from "../../middleware.ts";

/**
 * Makes the response of the option `onError`, or a short text. Rejects with the error itself if it is
 * not one of a session that failed.
 */
export function answerNode<Data extends object>(
  sessions: SessionMiddleware<Data>,
  error: unknown,
  req: NodeRequest,
): Promise<Response> {
  return sessions.answer(error, fetchRequestOf(req));
}

/** Returns the request without its body. Client input must not throw, and some makes no `Request`. */
function fetchRequestOf({ headers, method = "GET", url = "/", socket }: NodeRequest): Request {
  const scheme = (socket as { encrypted?: boolean } | undefined)?.encrypted ? "https" : "http";
  const { host = "localhost" } = headers;
  try {
    const pairs = Object.entries(headers)
      // HTTP/2 has headers such as ":path".
      .filter(([name]) => !name.startsWith(":"))
      .flatMap(([name, values]) =>
        [values ?? []].flat().map((one): [string, string] => [name, one])
      );
    return new Request(new URL(url, `${scheme}://${host}`), { headers: pairs, method });
  } catch {
    return new Request("http://localhost/");
  }
}
