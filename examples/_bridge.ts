/**
 * Connects Deno.serve to PAGI: turns a Request into a scope and events, and events into a Response.
 */
import type { App, Event, HeaderPair, Receive, Scope, Send } from "../mod.ts";

/** The statuses of responses without a body. */
const BODILESS_STATUSES = [101, 204, 205, 304];
const encoder = new TextEncoder();

/**
 * Turns a PAGI app into a handler for Deno.serve. It supports what the example needs: HTTP, but no
 * lifespan and no WebSockets.
 */
export function bridge(app: App): (request: Request) => Promise<Response> {
  return (request) => {
    const started = Promise.withResolvers<Response>();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    // Settles when the response is complete or the client has disconnected.
    const ended = writer.closed.then(() => {}, () => {});
    let hasBody = true;
    let isComplete = false;

    const send: Send = async (event) => {
      if (event.type === "http.response.start") {
        hasBody = request.method !== "HEAD" && !BODILESS_STATUSES.includes(Number(event.status));
        started.resolve(responseOf(event, hasBody ? readable : null));
      } else if (event.type === "http.response.body" && !isComplete) {
        isComplete = !event.more;
        // A failed write means that the client has disconnected. That is not the app's fault.
        if (hasBody) await write(writer, event).catch(() => {});
      }
    };

    const run = async () => {
      try {
        await app(scopeOf(request), receiveOf(request, ended), send);
        if (!isComplete) throw new Error("The app ended before its response was complete");
      } catch (error) {
        // Before the response has started, this results in a 500. After that, it breaks the
        // connection, so that the client notices the missing rest.
        started.reject(error);
        await writer.abort(error).catch(() => {});
      }
    };
    run();
    return started.promise;
  };
}

function scopeOf(request: Request): Scope {
  const { pathname, search, protocol } = new URL(request.url);
  return {
    type: "http",
    method: request.method,
    scheme: protocol.slice(0, -1),
    path: decoded(pathname),
    raw_path: pathname,
    query_string: search.slice(1),
    root_path: "",
    headers: [...request.headers],
    request,
  };
}

/** Receives the request's body in chunks, then the end of the connection. */
function receiveOf(request: Request, ended: Promise<void>): Receive {
  const chunks = request.body?.getReader();
  let more = true;
  return async () => {
    if (!more) {
      await ended;
      return { type: "http.disconnect" };
    }
    const { done = true, value } = await chunks?.read() ?? {};
    more = !done;
    return { type: "http.request", body: value ?? new Uint8Array(), more };
  };
}

/**
 * Creates the response. Headers are appended one by one, so that several Set-Cookie stay separate.
 */
function responseOf(event: Event, body: ReadableStream<Uint8Array> | null): Response {
  const headers = new Headers();
  for (const [name, value] of event.headers as HeaderPair[] ?? []) headers.append(name, value);
  return new Response(body, { status: Number(event.status), headers });
}

async function write(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  { body, more }: Event,
): Promise<void> {
  const bytes = typeof body === "string" ? encoder.encode(body) : body as Uint8Array | undefined;
  if (bytes !== undefined && bytes.length > 0) await writer.write(bytes);
  if (!more) await writer.close();
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
