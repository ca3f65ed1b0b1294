/**
 * Holding back a response of Node's until its session is saved. Node has no hook for that, so the
 * methods that send are replaced, on that one object. To the app it looks as if it had sent: from
 * its first call on the headers are closed, and what it writes waits its turn.
 */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import type { ResponseHeaders } from "../middleware.ts";

/** What is needed of a response as Node's `http` hands it out: a `ServerResponse` is one. */
export interface NodeResponse {
  /** The status. */
  statusCode: number;
  /** The status in words. */
  statusMessage: string;
  /** Whether the headers have been sent. */
  readonly headersSent: boolean;
  /** The headers, by their names in lower case. */
  getHeaders(): Readonly<Record<string, unknown>>;
  /** One header. */
  getHeader(name: string): unknown;
  /** Sets a header. */
  setHeader(name: string, value: string | string[]): unknown;
  /** Removes a header. */
  removeHeader(name: string): unknown;
  /** Sends the headers. */
  writeHead(statusCode: number): unknown;
  /** Sends the headers. */
  flushHeaders(): unknown;
  /** Sends a part of the body. */
  write(chunk: unknown): boolean;
  /** Sends what is left of the body. */
  end(): unknown;
  /** Tells the listeners of an event. */
  emit(event: string): unknown;
  /** Listens for an event, once. */
  once(event: string, listener: () => void): unknown;
}

/** What is done before the response is sent. */
export interface Hold {
  /** Saves the session, and adds what the client has to be told. */
  save(headers: ResponseHeaders): Awaitable<void>;
  /** The status and headers of a response to an error, where there is no other way to make one. */
  describe(error: unknown): { status: number; headers: readonly (readonly [string, string])[] };
  /** Hands the error on, to be answered unless `headersSent`. */
  fail(error: unknown): void;
}

type Method = (...args: unknown[]) => unknown;

const SENDING = ["writeHead", "flushHeaders", "write", "end"] as const;
const CHANGING = ["setHeader", "setHeaders", "appendHeader", "removeHeader"] as const;

/** Has `hold.save` done before anything of `res` is sent. */
export function holdBack(res: NodeResponse, hold: Hold): void {
  new HeldResponse(res, hold);
}

class HeldResponse {
  readonly #res: NodeResponse;
  readonly #hold: Hold;
  /** The methods as they were. */
  readonly #original: Record<string, Method> = {};
  /** The response as the app found it. */
  readonly #before: { statusCode: number; statusMessage: string; headers: Record<string, unknown> };
  /** What the app has called since it began its response. */
  readonly #waiting: [name: string, args: unknown[]][] = [];
  /** `dead`: another response has gone out in place of the app's. */
  #stage: "untouched" | "saving" | "open" | "dead" = "untouched";

  constructor(res: NodeResponse, hold: Hold) {
    this.#res = res;
    this.#hold = hold;
    const { statusCode, statusMessage } = res;
    this.#before = { statusCode, statusMessage, headers: { ...res.getHeaders() } };
    for (const name of SENDING) this.#replace(name, (args) => this.#send(name, args));
    for (const name of CHANGING) this.#replace(name, (args) => this.#change(name, args));
    const prototype = Object.getPrototypeOf(res);
    Object.defineProperty(res, "headersSent", {
      configurable: true,
      get: () => this.#stage === "saving" || Reflect.get(prototype, "headersSent", res),
    });
  }

  #replace(name: string, method: (args: unknown[]) => unknown): void {
    const methods = this.#res as unknown as Record<string, Method | undefined>;
    const original = methods[name];
    if (original === undefined) return;
    this.#original[name] = original;
    methods[name] = (...args) => method(args);
  }

  #call(name: string, args: unknown[]): unknown {
    return this.#original[name]!.apply(this.#res, args);
  }

  #change(name: string, args: unknown[]): unknown {
    if (this.#stage === "saving") throw headersSent(name);
    return this.#call(name, args);
  }

  #send(name: string, args: unknown[]): unknown {
    switch (this.#stage) {
      case "untouched":
        return this.#begin(name, args);
      case "saving":
        return this.#wait(name, args);
      case "open":
        return this.#call(name, args);
      case "dead":
        return name === "write" || this.#res;
    }
  }

  /** The app begins its response: what it made of its session is saved now. */
  #begin(name: string, args: unknown[]): unknown {
    const taken = name === "writeHead" ? this.#takeHead(args) : args;
    const { statusCode, statusMessage } = this.#res;
    const saved = this.#save();
    if (!isPromise(saved)) {
      this.#stage = "open";
      return this.#call(name, taken);
    }
    this.#stage = "saving";
    saved.then(() => this.#release(statusCode, statusMessage)).catch((error) => this.#fail(error));
    return this.#wait(name, taken);
  }

  #save(): Awaitable<void> {
    try {
      return this.#hold.save(this.#headers());
    } catch (error) {
      // Later: by then an app that does not stream has ended its response.
      return Promise.reject(error);
    }
  }

  #wait(name: string, args: unknown[]): unknown {
    if (name === "writeHead" && this.#waiting.length > 0) throw headersSent(name);
    this.#waiting.push([name, args]);
    return name === "write" ? false : this.#res;
  }

  get #isEnded(): boolean {
    return this.#waiting.some(([name]) => name === "end");
  }

  /** All that waits goes out. */
  #release(statusCode: number, statusMessage: string): void {
    this.#stage = "open";
    Object.assign(this.#res, { statusCode, statusMessage });
    let hasRoom: unknown;
    for (const [name, args] of this.#waiting) hasRoom = this.#call(name, args);
    // Whoever was told to wait is told to go on; where Node has no room either, it will do so itself.
    if (this.#waiting.at(-1)?.[0] === "write" && hasRoom === true) this.#res.emit("drain");
  }

  /** Nothing of the app's response goes out. */
  #fail(error: unknown): void {
    this.#stage = "open";
    if (this.#res.headersSent) return this.#hold.fail(error);
    this.#reset();
    const { status, headers } = this.#hold.describe(error);
    const own = this.#headers();
    for (const [name, value] of headers) own.append(name, value);
    if (this.#isEnded) return this.#hold.fail(error);
    // The app is still sending, and could not be told from whoever makes a page of the error.
    own.append("connection", "close");
    this.#res.statusCode = status;
    this.#res.once("close", () => this.#hold.fail(error));
    this.#res.end();
    this.#stage = "dead";
  }

  #reset(): void {
    const { headers, ...status } = this.#before;
    Object.assign(this.#res, status);
    for (const name of Object.keys(this.#res.getHeaders())) this.#res.removeHeader(name);
    for (const [name, value] of Object.entries(headers)) {
      this.#call("setHeader", [name, value]);
    }
  }

  /** Does what `writeHead` would, but for the sending; what is left of its arguments. */
  #takeHead([statusCode, ...rest]: unknown[]): unknown[] {
    const hasMessage = typeof rest[0] === "string";
    this.#res.statusCode = statusCode as number;
    if (hasMessage) this.#res.statusMessage = rest[0] as string;
    for (const [name, values] of headerEntries(hasMessage ? rest[1] : rest[0])) {
      this.#call("setHeader", [name, values]);
    }
    return [statusCode];
  }

  #headers(): ResponseHeaders {
    const get = (name: string) => {
      const value = this.#res.getHeader(name);
      return value === undefined ? undefined : [value].flat().join(", ");
    };
    const append = (name: string, value: string) => {
      const old = this.#res.getHeader(name);
      const all = [old ?? [], value].flat();
      this.#call("setHeader", [name, name.toLowerCase() === "set-cookie" ? all : all.join(", ")]);
    };
    return { get, append };
  }
}

/** The headers in each of the forms that `writeHead` takes: an object, pairs, or a flat list. */
function headerEntries(headers: unknown): [name: string, value: unknown][] {
  if (!Array.isArray(headers)) return Object.entries(headers ?? {});
  const pairs = Array.isArray(headers[0])
    ? headers
    : headers.flatMap((name, i) => i % 2 === 0 ? [[name, headers[i + 1]]] : []);
  const byName = new Map<string, unknown[]>();
  for (const [name, value] of pairs) {
    const key = String(name).toLowerCase();
    byName.set(key, [...byName.get(key) ?? [], value].flat());
  }
  return [...byName].map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
}

function headersSent(name: string): Error {
  return Object.assign(new Error(`Cannot ${name}: the headers are on their way to the client`), {
    code: "ERR_HTTP_HEADERS_SENT",
  });
}
