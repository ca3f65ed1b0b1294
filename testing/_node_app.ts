/** Calls an app of Node's `http` with a fetch request, over a real connection to this computer. */

/** The parts of `node:http` that are used. */
interface NodeHttp {
  createServer(listener: NodeListener): NodeServer;
  request(options: object): NodeClientRequest;
}

/** An app as `http.createServer` takes it. */
export type NodeListener = (req: never, res: never) => unknown;

interface Emitter {
  on(event: string, listener: (value: never) => void): unknown;
}

/** An `http.Server`. */
export interface NodeServer extends Emitter {
  listen(port: number, host: string, ready: () => void): unknown;
  address(): { port: number } | string | null;
  emit(event: string, ...values: unknown[]): unknown;
  close(done: () => void): unknown;
  closeAllConnections?(): void;
}

interface NodeClientRequest extends Emitter {
  end(body?: Uint8Array): void;
  destroy(): unknown;
}

interface NodeAnswer extends Emitter {
  statusCode: number;
  statusMessage: string;
  rawHeaders: string[];
}

const HOST = "127.0.0.1";
/** The statuses of responses without a body. */
const BODILESS = [101, 204, 205, 304];

/** Starts a server for this one request, unless `app` is one that listens already. */
export async function fetchFromNode(
  app: NodeListener | NodeServer,
  request: Request,
): Promise<Response> {
  const http = loadHttp();
  if (typeof app !== "function" && app.address() !== null) {
    return await send(http, portOf(app), request);
  }
  // Not the app's own server, which simultaneous requests would have to share.
  const server = http.createServer(
    typeof app === "function" ? app : (req, res) => app.emit("request", req, res),
  );
  await listen(server);
  try {
    return await send(http, portOf(server), request);
  } finally {
    await close(server);
  }
}

function portOf(server: NodeServer): number {
  const address = server.address();
  if (address !== null && typeof address !== "string") return address.port;
  throw new TypeError("Cannot visit the server: it must listen on a port");
}

function loadHttp(): NodeHttp {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const http = process?.getBuiltinModule?.("node:http");
  if (http !== undefined) return http as NodeHttp;
  throw new TypeError(
    "Cannot visit the app: this runtime has no http servers of Node. Use Node 22, Bun or Deno, or " +
      "pass a fetch handler",
  );
}

function listen(server: NodeServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, HOST, resolve);
  });
}

function close(server: NodeServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections?.();
  });
}

async function send(http: NodeHttp, port: number, request: Request): Promise<Response> {
  const { pathname, search, host } = new URL(request.url);
  const body = new Uint8Array(await request.arrayBuffer());
  const headers: Record<string, string> = { host, ...Object.fromEntries(request.headers) };
  // An app that does not read the whole body, because it is too long, can still respond.
  headers.connection = "keep-alive";
  if (request.body !== null) headers["content-length"] = String(body.length);
  const { method, signal } = request;
  const options = { host: HOST, port, path: pathname + search, method, headers, agent: false };
  return await new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const call = http.request(options);
    const abort = () => {
      reject(signal.reason);
      call.destroy();
    };
    signal.addEventListener("abort", abort);
    call.on("error", reject);
    call.on("close", () => signal.removeEventListener("abort", abort));
    call.on("response", (answer: NodeAnswer) => {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      answer.on("error", reject);
      answer.on("data", (chunk: Uint8Array<ArrayBuffer>) => void chunks.push(chunk));
      answer.on("end", () => {
        resolve(toResponse(answer, chunks, method));
        call.destroy();
      });
    });
    call.end(body);
  });
}

function toResponse(
  { statusCode: status, statusMessage: statusText, rawHeaders }: NodeAnswer,
  chunks: Uint8Array<ArrayBuffer>[],
  method: string,
): Response {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  }
  const hasBody = method !== "HEAD" && !BODILESS.includes(status);
  return new Response(hasBody ? new Blob(chunks) : null, { status, statusText, headers });
}
