/** From Deno.serve to PAGI: a fetch Request becomes a scope and events, and events a Response. */
import type { App, Event, HeaderPair, Receive, Scope, Send } from "../mod.ts";

/** Statuses whose responses have no body, and methods whose answers have none. */
const BODILESS = [101, 204, 205, 304];
const encoder = new TextEncoder();

/**
 * The PAGI app as a handler for Deno.serve. No lifespan and no WebSockets: as much as the example
 * needs, done right.
 */
export function bridge(app: App): (request: Request) => Promise<Response> {
  return (request) => {
    const started = Promise.withResolvers<Response>();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    // Settles when the response is complete, and when the client has gone.
    const over = writer.closed.then(() => {}, () => {});
    let hasBody = true;
    let isComplete = false;

    const send: Send = async (event) => {
      if (event.type === "http.response.start") {
        hasBody = request.method !== "HEAD" && !BODILESS.includes(Number(event.status));
        started.resolve(responseOf(event, hasBody ? readable : null));
      } else if (event.type === "http.response.body" && !isComplete) {
        isComplete = !event.more;
        // To a client that has gone, nothing is sent, and the app is not to blame.
        if (hasBody) await write(writer, event).catch(() => {});
      }
    };

    const run = async () => {
      try {
        await app(scopeOf(request), receiveOf(request, over), send);
        if (!isComplete) throw new Error("The app ended before its response was complete");
      } catch (error) {
        // Before the start this is a 500; after it, the client must see that the rest is missing.
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

/** The request's body, chunk by chunk, and then the end of the connection. */
function receiveOf(request: Request, over: Promise<void>): Receive {
  const chunks = request.body?.getReader();
  let more = true;
  return async () => {
    if (!more) {
      await over;
      return { type: "http.disconnect" };
    }
    const { done = true, value } = await chunks?.read() ?? {};
    more = !done;
    return { type: "http.request", body: value ?? new Uint8Array(), more };
  };
}

/** Headers go over as pairs: several Set-Cookie stay several. */
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
