/** The response to a session that failed, for servers on Node that do not make one themselves. */
import type { NodeRequest, SessionMiddleware } from "../../middleware.ts";
import type { NodeResponse } from "./held_response.ts";
import { setHead } from "./send_response.ts";

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

/**
 * Sends that response. Rejects with the error itself if it is not one of a session that failed, and
 * does nothing else then.
 *
 * @param report Is called before the response is sent.
 */
export async function sendAnswer<Data extends object>(
  sessions: SessionMiddleware<Data>,
  error: unknown,
  req: NodeRequest,
  res: NodeResponse,
  report: () => void = () => {},
): Promise<void> {
  const response = await answerNode(sessions, error, req);
  const body = new Uint8Array(await response.arrayBuffer());
  report();
  if (res.headersSent || res.destroyed) return;
  setHead(response, res);
  // If the app has removed `Transfer-Encoding`, as Koa does, the client could not find the body's end.
  if (body.length > 0) res.setHeader("content-length", String(body.length));
  res.end(req.method === "HEAD" ? undefined : body);
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
