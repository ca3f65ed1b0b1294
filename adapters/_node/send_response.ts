/** Sends a fetch `Response` with the response object of Node's `http`. */
import { cancelBody, missingVary } from "../../core/entry/response_headers.ts";
import type { NodeRequest } from "../../middleware.ts";
import type { NodeResponse } from "./held_response.ts";

/** The statuses of responses without a body. */
const WITHOUT_BODY = [204, 205, 304];

/**
 * Sends `response`. Headers that `res` has already stay, unless `response` has one of the same name;
 * cookies and `Vary` are added. Resolves when the last chunk has been written, or when the client has
 * disconnected, which cancels the body.
 *
 * Rejects if the body fails. If the headers have been sent by then, the connection is closed, so that
 * the client does not take the body for complete.
 */
export async function sendResponse(
  response: Response,
  { method }: Pick<NodeRequest, "method">,
  res: NodeResponse,
): Promise<void> {
  if (res.headersSent || res.destroyed) return cancelBody(response);
  const { body, status } = response;
  if (method === "HEAD" || WITHOUT_BODY.includes(status) || body === null) {
    cancelBody(response);
    setHead(response, res);
    return void res.end();
  }
  const reader = body.getReader();
  let isGone = false;
  let resume = () => {};
  res.once("close", () => {
    isGone = true;
    // Does nothing if the body has been read to its end.
    reader.cancel().catch(() => {});
    resume();
  });
  try {
    // If the body fails before its first chunk, the app can still send an error page.
    for (let isFirst = true; !isGone; isFirst = false) {
      const { value, done } = await reader.read();
      if (isGone) return;
      if (isFirst) setHead(response, res);
      if (done) return void res.end();
      if (res.write(value)) continue;
      await new Promise<void>((resolve) => {
        resume = resolve;
        res.once("drain", resolve);
      });
    }
  } catch (error) {
    if (res.headersSent) res.destroy?.();
    throw error;
  }
}

/** Sets the status and the headers of `response`. */
export function setHead({ status, statusText, headers }: Response, res: NodeResponse): void {
  res.statusCode = status;
  // HTTP/2 has no status message, and Node warns if there is one.
  if (statusText !== "") res.statusMessage = statusText;
  headers.forEach((value, name) => {
    if (name === "vary") res.setHeader(name, withVary(res.getHeader(name), value));
    else if (name !== "set-cookie") res.setHeader(name, value);
  });
  const present = [res.getHeader("set-cookie") ?? []].flat() as string[];
  // The error of a session and the response to it may clear the same cookie.
  const added = headers.getSetCookie().filter((one) => !present.includes(one));
  if (added.length > 0) res.setHeader("set-cookie", [...present, ...added]);
}

function withVary(present: unknown, added: string): string {
  if (present === undefined) return added;
  const names = added.split(",").map((name) => name.trim());
  const vary = [present].flat().join(", ");
  return [vary, ...missingVary(vary, names)].join(", ");
}
