/** Calls a PAGI app with a fetch request. */
import type { App, Event, HeaderPair, Scope, Send } from "../pagi.ts";

/** The statuses of responses without a body. */
const BODILESS = [101, 204, 205, 304];

/**
 * Resolves to the response once the app has ended.
 *
 * @throws {TypeError} If the app sent no response.
 */
export async function fetchFromPagi(app: App, request: Request): Promise<Response> {
  const body = new Uint8Array(await request.arrayBuffer());
  const received: Event[] = [{ type: "http.request", body, more: false }];
  const ended = Promise.withResolvers<Event>();
  let start: Event | undefined;
  const chunks: BlobPart[] = [];
  const send: Send = (event) => {
    if (event.type === "http.response.start") start = event;
    if (event.type === "http.response.body") {
      if (event.body !== undefined) chunks.push(event.body as BlobPart);
      // The client hangs up when it has the response.
      if (!event.more) ended.resolve({ type: "http.disconnect" });
    }
    return Promise.resolve();
  };
  const { signal } = request;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => {
    // The client hangs up before it has the response.
    ended.resolve({ type: "http.disconnect" });
    aborted.reject(signal.reason);
  };
  signal.addEventListener("abort", abort);
  const receive = () => Promise.resolve(received.shift() ?? ended.promise);
  await Promise.race([app(scopeOf(request), receive, send), aborted.promise])
    .finally(() => signal.removeEventListener("abort", abort));
  if (start === undefined) {
    throw new TypeError(
      "Cannot visit the app: it ended without http.response.start. A function of three parameters " +
        "is called as a PAGI app; pass a fetch handler of three parameters as { fetch: handler }",
    );
  }
  const status = Number(start.status);
  const hasBody = request.method !== "HEAD" && !BODILESS.includes(status);
  const headers = (start.headers ?? []) as HeaderPair[];
  return new Response(hasBody ? new Blob(chunks) : null, { status, headers });
}

function scopeOf({ url, method, headers }: Request): Scope {
  const { protocol, pathname, search, hostname, port } = new URL(url);
  return {
    type: "http",
    http_version: "1.1",
    method,
    scheme: protocol.slice(0, -1),
    path: decoded(pathname),
    raw_path: pathname,
    query_string: search.slice(1),
    root_path: "",
    headers: [...headers],
    client: ["127.0.0.1", 50_000],
    server: [hostname, Number(port) || (protocol === "https:" ? 443 : 80)],
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
