/** What the apps of Node's frameworks share. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { announce, type Body, type Reply, toEvents } from "./_work.ts";

/** The body of a request of Node, read with no framework. */
export function bodyOf(request: IncomingMessage): Body {
  const body = () =>
    new Response(Readable.toWeb(request) as ReadableStream<Uint8Array<ArrayBuffer>>);
  return {
    bytes: async () => new Uint8Array(await body().arrayBuffer()),
    form: async () => {
      const headers = { "content-type": request.headers["content-type"]! };
      return await new Response(await body().arrayBuffer(), { headers }).formData();
    },
  };
}

/** Sets the headers of a reply. A name that is there twice gets both values. */
export function setHeaders(
  reply: Reply,
  set: (name: string, value: string | string[]) => unknown,
): void {
  for (const name of new Set(reply.headers.map(([name]) => name))) {
    const values = reply.headers.filter(([other]) => other === name).map(([, value]) => value);
    set(name, values.length === 1 ? values[0]! : values);
  }
}

/** Returns the body of a reply as a stream of Node. */
export function toReadable({ kind, parts }: Reply): Readable {
  return Readable.from(kind === "events" ? toEvents(parts()) : parts());
}

/** Sends a reply on a response of Node, with no framework. */
export function send(res: ServerResponse, reply: Reply): void {
  const { kind, status, text } = reply;
  setHeaders(reply, (name, value) => res.setHeader(name, value));
  res.statusCode = status;
  if (kind === "redirect") res.setHeader("location", text);
  if (kind === "events") res.setHeader("content-type", "text/event-stream");
  if (kind === "stream" || kind === "events") pipeline(toReadable(reply), res, () => {});
  else res.end(kind === "text" ? text : undefined);
}

/** Prints the port of a server. */
export function announceServer(server: Server): void {
  const announcePort = () => announce((server.address() as AddressInfo).port);
  if (server.listening) announcePort();
  else server.once("listening", announcePort);
}

/** An error as Connect, Express, Koa and Fastify understand it. */
export function httpError(status: number): Error {
  return Object.assign(new Error("refused"), { status, statusCode: status, expose: true });
}
