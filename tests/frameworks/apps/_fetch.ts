/** What the apps of fetch frameworks share. */
import { type Body, type Reply, toEvents, toStream } from "./_work.ts";

/** The body of a fetch request. */
export function bodyOf(request: Request): Body {
  return {
    bytes: async () => new Uint8Array(await request.arrayBuffer()),
    form: () => request.formData(),
  };
}

/** Makes a fetch response of a reply. */
export function toResponse({ kind, status, headers, text, parts }: Reply): Response {
  const all = new Headers(headers);
  if (kind === "redirect") all.set("location", text);
  if (kind === "events") all.set("content-type", "text/event-stream");
  const body = kind === "text"
    ? text
    : kind === "stream"
    ? toStream(parts())
    : kind === "events"
    ? toStream(toEvents(parts()))
    : null;
  return new Response(body, { status, headers: all });
}
