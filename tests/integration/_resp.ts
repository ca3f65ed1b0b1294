/** Redis' protocol, as little of it as the tests need: a parser, and a client without a driver. */

/** A value that Redis sends or receives. Strings are as they are on the wire. */
export type Resp = Uint8Array | string | number | null | Error | Resp[];

const CR = 13;
const CLOSED = "The connection is closed";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Cuts a stream into values of RESP2, wherever its chunks end. */
export class RespParser {
  #bytes = new Uint8Array(0);
  #at = 0;

  /** Takes a chunk; the values that are complete with it. */
  push(chunk: Uint8Array): Resp[] {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
    const values: Resp[] = [];
    let end = 0;
    for (this.#at = 0; this.#at < bytes.length;) {
      const value = this.#next();
      if (value === undefined) break;
      values.push(value);
      end = this.#at;
    }
    this.#bytes = bytes.slice(end);
    return values;
  }

  #next(): Resp | undefined {
    const end = this.#bytes.indexOf(CR, this.#at);
    if (end === -1 || end + 2 > this.#bytes.length) return undefined;
    const line = decoder.decode(this.#bytes.subarray(this.#at, end));
    const rest = line.slice(1);
    this.#at = end + 2;
    switch (line[0]) {
      case "+":
        return rest;
      case "-":
        return new Error(rest);
      case ":":
        return Number(rest);
      case "$":
        return this.#bulk(Number(rest));
      case "*":
        return this.#array(Number(rest));
      default:
        throw new Error("This is not RESP2");
    }
  }

  #bulk(length: number): Resp | undefined {
    if (length === -1) return null;
    const end = this.#at + length;
    if (end + 2 > this.#bytes.length) return undefined;
    const bytes = this.#bytes.slice(this.#at, end);
    this.#at = end + 2;
    return bytes;
  }

  #array(length: number): Resp | undefined {
    if (length === -1) return null;
    const values: Resp[] = [];
    while (values.length < length) {
      const value = this.#next();
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }
}

/** A connection to Redis. Its `send` is a plain function, as RedisStore takes one. */
export class RespClient {
  readonly #connection: Deno.Conn;
  readonly #waiting: PromiseWithResolvers<Resp>[] = [];
  #lastWrite: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.#listen();
  }

  static async connect(port: number): Promise<RespClient> {
    return new RespClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends a command; strings come back as bytes. */
  readonly sendRaw = async (...words: string[]): Promise<Resp> => {
    if (!this.#isOpen) throw new Error(CLOSED);
    const waiting = Promise.withResolvers<Resp>();
    // Where the write fails already, nobody waits for the reply.
    waiting.promise.catch(() => {});
    this.#waiting.push(waiting);
    this.#lastWrite = this.#lastWrite.then(() => writeAll(this.#connection, encode(words)));
    await this.#lastWrite;
    const reply = await waiting.promise;
    if (reply instanceof Error) throw reply;
    return reply;
  };

  /** Sends a command; strings come back as strings. */
  readonly send = async (...words: string[]): Promise<unknown> =>
    text(await this.sendRaw(...words));

  close(): void {
    if (this.#isOpen) this.#connection.close();
    this.#isOpen = false;
  }

  async #listen(): Promise<void> {
    const parser = new RespParser();
    try {
      for await (const chunk of this.#connection.readable) {
        for (const reply of parser.push(chunk)) this.#waiting.shift()!.resolve(reply);
      }
    } catch {
      // Closed, by either side.
    }
    this.#isOpen = false;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(CLOSED));
  }
}

function encode(words: string[]): Uint8Array {
  const parts = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`);
  return encoder.encode(`*${words.length}\r\n${parts.join("")}`);
}

/** The same with strings for bytes. */
export function text(value: Resp): unknown {
  if (value instanceof Uint8Array) return decoder.decode(value);
  return Array.isArray(value) ? value.map(text) : value;
}

export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
