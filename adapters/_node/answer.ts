/** The response to a session that failed, for servers on Node that do not make one themselves. */
import type { NodeRequest, SessionMiddleware } from "../../middleware.ts";
import { fetchRequestOf } from "./fetch_request.ts";
import type { NodeResponse } from "./held_response.ts";
import { sendResponse } from "./send_response.ts";

/**
 * Makes the response of the option `onError`, or a short text. Rejects with the error itself if it is
 * not one of a session that failed.
 */
export async function answerNode<Data extends object>(
  sessions: SessionMiddleware<Data>,
  error: unknown,
  req: NodeRequest,
): Promise<Response> {
  const response = await sessions.answer(error, fetchRequestOf(req));
  const { body, status, statusText } = response;
  if (body === null) return response;
  // If the discarded response had no body, such as a 204, Node sends no chunks: only a length tells
  // where this body ends.
  const bytes = await response.arrayBuffer();
  const headers = new Headers(response.headers);
  headers.set("content-length", String(bytes.byteLength));
  return new Response(bytes, { status, statusText, headers });
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
  report();
  await sendResponse(response, req, res);
}
