/**
 * A strict HTTP/1.1 client that keeps its connections open. A server must send exactly one response for
 * each request. If a response is longer or shorter than it says, the request or the next one fails, as
 * it does in browsers and proxies.
 */

/** What a client waits for. Only a response that never ends takes as long. */
const DEADLINE_MS = 15_000;
/** Servers may close a connection that was idle for some seconds. */
const IDLE_MS = 2_000;
/** How many connections of all clients stay open. */
const MAX_IDLE = 100;

interface Idle {
  client: HttpClient;
  connection: Connection;
  since: number;
}

/** The open connections of all clients, the last used last. */
const idle: Idle[] = [];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A response whose body has not been read. */
export interface RawResponse {
  status: number;
  headers: Headers;
  /** The bytes of the body, as they arrive. Leaving the loop early closes the connection. */
  body: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** The connections of one client to one server. */
export class HttpClient {
  readonly #url: URL;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Sends a request on a connection that the last response left open, if there is one. */
  async request(path: string, init: RequestInit = {}): Promise<RawResponse> {
    const request = new Request(new URL(path, this.#url), init);
    const body = new Uint8Array(await request.arrayBuffer());
    const connection = this.#takeIdle() ?? await this.#connect();
    const signals = [AbortSignal.timeout(DEADLINE_MS), ...(init.signal ? [init.signal] : [])];
    const release = connection.closeOn(AbortSignal.any(signals));
    try {
      await connection.write(encodeRequest(this.#url, request, body));
      const head = await readHead(connection);
      const parts = readBody(connection, request.method, head);
      return { ...head, body: this.#returning(connection, head, parts, release) };
    } catch (error) {
      connection.close();
      release();
      throw error;
    }
  }

  /** Sends requests in one go. Returns their responses, in their order. */
  async pipeline(paths: string[], headers: HeadersInit): Promise<[status: number, text: string][]> {
    const connection = await this.#connect();
    const release = connection.closeOn(AbortSignal.timeout(DEADLINE_MS));
    try {
      const requests = paths.map((path) => new Request(new URL(path, this.#url), { headers }));
      const bytes = requests.map((request) => encodeRequest(this.#url, request, new Uint8Array()));
      await connection.write(concat(bytes));
      const responses: [number, string][] = [];
      for (const { method } of requests) {
        const head = await readHead(connection);
        responses.push([head.status, await textOf(readBody(connection, method, head))]);
      }
      return responses;
    } finally {
      connection.close();
      release();
    }
  }

  #takeIdle(): Connection | undefined {
    const at = idle.findLastIndex(({ client }) => client === this);
    if (at < 0) return undefined;
    const [{ connection, since }] = idle.splice(at, 1) as [Idle];
    if (performance.now() - since < IDLE_MS) return connection;
    connection.close();
    return this.#takeIdle();
  }

  #keep(connection: Connection): void {
    idle.push({ client: this, connection, since: performance.now() });
    if (idle.length > MAX_IDLE) idle.shift()!.connection.close();
  }

  async #connect(): Promise<Connection> {
    const { hostname, port } = this.#url;
    return new Connection(await Deno.connect({ hostname, port: Number(port) }));
  }

  async *#returning(
    connection: Connection,
    { headers }: Head,
    parts: AsyncIterable<Uint8Array<ArrayBuffer>>,
    release: () => void,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    let isOpen = false;
    try {
      yield* parts;
      isOpen = connection.isUsable && headers.get("connection")?.toLowerCase() !== "close";
    } finally {
      release();
      if (isOpen) this.#keep(connection);
      else connection.close();
    }
  }
}

interface Head {
  status: number;
  headers: Headers;
}

/** A connection, with what has been read from it and not been used. */
class Connection {
  readonly #connection: Deno.TcpConn;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();
  #isClosed = false;
  #hasEnded = false;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Whether neither side has closed it. */
  get isUsable(): boolean {
    return !this.#isClosed && !this.#hasEnded;
  }

  /** Closes the connection when the signal is aborted. Returns a function that stops that. */
  closeOn(signal: AbortSignal): () => void {
    const close = () => this.close();
    signal.addEventListener("abort", close);
    if (signal.aborted) close();
    return () => signal.removeEventListener("abort", close);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#unlessClosed(() => this.#connection.write(bytes.subarray(at)));
    }
  }

  /** Reads up to and including `\r\n`. Returns what is before that. */
  async line(): Promise<string> {
    for (let from = 0;;) {
      const end = this.#rest.indexOf(10, from);
      if (end > 0 && this.#rest[end - 1] === 13) {
        return decoder.decode(this.#take(end + 1)).slice(0, -2);
      }
      if (end >= 0) throw new Error("The server sent a line without CR");
      from = this.#rest.length;
      await this.#more();
    }
  }

  /** Reads at most this many bytes, and at least one. */
  async some(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#rest.length === 0) await this.#more();
    return this.#take(Math.min(limit, this.#rest.length));
  }

  /** Reads until the server closes the connection. */
  async *rest(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    while (await this.#read() || this.#rest.length > 0) {
      yield this.#take(this.#rest.length);
    }
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return taken;
  }

  async #more(): Promise<void> {
    if (!await this.#read()) throw new Error("The server closed the connection within a response");
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const length = await this.#unlessClosed(() => this.#connection.read(buffer));
    this.#hasEnded = length === null;
    if (length === null) return false;
    this.#rest = concat([this.#rest, buffer.subarray(0, length)]);
    return true;
  }

  async #unlessClosed<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!this.#isClosed) throw error;
      throw new DOMException("The client has closed the connection", "AbortError");
    }
  }
}

function encodeRequest({ host }: URL, request: Request, body: Uint8Array): Uint8Array {
  const { pathname, search } = new URL(request.url);
  const hasBody = !/^(GET|HEAD)$/.test(request.method);
  const lines = [
    `${request.method} ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    "Accept: */*",
    "Accept-Encoding: gzip",
    ...[...request.headers].map(([name, value]) => `${name}: ${value}`),
    ...(hasBody ? [`Content-Length: ${body.length}`] : []),
  ];
  return concat([encoder.encode(lines.join("\r\n") + "\r\n\r\n"), body]);
}

async function readHead(connection: Connection): Promise<Head> {
  const start = await connection.line();
  const [, digits] = /^HTTP\/1\.1 ([1-5]\d\d)( |$)/.exec(start) ?? [];
  if (digits === undefined) {
    throw new Error(`The server sent ${JSON.stringify(start)} for a response`);
  }
  const headers = new Headers();
  for (let line = await connection.line(); line !== ""; line = await connection.line()) {
    const [, name, value] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`The server sent ${JSON.stringify(line)} for a header`);
    headers.append(name, value!);
  }
  const status = Number(digits);
  // An interim response, such as 103.
  return status < 200 && status !== 101 ? await readHead(connection) : { status, headers };
}

async function* readBody(
  connection: Connection,
  method: string,
  { status, headers }: Head,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (method === "HEAD" || status === 204 || status === 304) return;
  const length = headers.get("content-length");
  if (/\bchunked$/i.test(headers.get("transfer-encoding") ?? "")) {
    if (length !== null) throw new Error("The response has a length and chunks");
    yield* readChunks(connection);
  } else if (length !== null) {
    if (!/^\d+$/.test(length)) throw new Error(`The response has the length ${length}`);
    for (let left = Number(length); left > 0;) {
      const part = await connection.some(left);
      left -= part.length;
      yield part;
    }
  } else {
    if (headers.get("connection")?.toLowerCase() !== "close") {
      throw new Error("The response has no length, and does not say that the connection closes");
    }
    yield* connection.rest();
  }
}

async function* readChunks(connection: Connection): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const size = await connection.line();
    if (!/^[0-9a-f]+$/i.test(size)) throw new Error(`A chunk has the size ${JSON.stringify(size)}`);
    let left = parseInt(size, 16);
    // Trailers may follow the last chunk.
    if (left === 0) {
      while (await connection.line() !== "");
      return;
    }
    while (left > 0) {
      const part = await connection.some(left);
      left -= part.length;
      yield part;
    }
    if (await connection.line() !== "") throw new Error("A chunk is longer than its size");
  }
}

/** Reads a body as text. */
export async function textOf(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
  headers?: Headers,
): Promise<string> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of body) parts.push(part);
  if (headers?.get("content-encoding") !== "gzip" || parts.length === 0) {
    return decoder.decode(concat(parts));
  }
  const unzipped = new Blob(parts).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(unzipped).text();
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
