/**
 * Holds a Node response back until its session is saved. Node has no hook for that, so this module
 * replaces the methods of one response object that send something. The first such call starts the
 * save and is queued with all later ones. The app cannot tell a held response from a sent one: its
 * headers can no longer change, and `write` returns false until the queue is sent.
 */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import type { ResponseHeaders } from "../middleware.ts";

/** The part of Node's `http.ServerResponse` that the adapters use. */
export interface NodeResponse {
  /** The status code. */
  statusCode: number;
  /** The status message. */
  statusMessage: string;
  /** Whether the headers have been sent. */
  readonly headersSent: boolean;
  /** Returns all headers by their lower-case names. */
  getHeaders(): Readonly<Record<string, unknown>>;
  /** Returns one header. */
  getHeader(name: string): unknown;
  /** Sets a header. */
  setHeader(name: string, value: string | string[]): unknown;
  /** Removes a header. */
  removeHeader(name: string): unknown;
  /** Sets the status and sends the headers. */
  writeHead(statusCode: number): unknown;
  /** Sends the headers. */
  flushHeaders(): unknown;
  /** Sends a chunk of the body. */
  write(chunk: unknown): boolean;
  /** Ends the response. */
  end(): unknown;
  /** Calls the listeners of an event. */
  emit(event: string): unknown;
  /** Adds a listener that is called once. */
  once(event: string, listener: () => void): unknown;
}

/** The functions that a held response calls. */
export interface HoldHooks {
  /** Saves the session and adds its response headers. */
  save(headers: ResponseHeaders): Awaitable<void>;
  /** Returns the status and headers of a response to an error. */
  errorHead(error: unknown): { status: number; headers: readonly (readonly [string, string])[] };
  /** Passes the error to the app's error handling, which sends a response unless `headersSent`. */
  fail(error: unknown): void;
}

type Method = (...args: unknown[]) => unknown;

const SENDING_METHODS = ["writeHead", "flushHeaders", "write", "end"] as const;
const HEADER_METHODS = ["setHeader", "setHeaders", "appendHeader", "removeHeader"] as const;

/** Runs `hooks.save` before anything of `res` is sent. */
export function holdResponse(res: NodeResponse, hooks: HoldHooks): void {
  new HeldResponse(res, hooks);
}

class HeldResponse {
  readonly #res: NodeResponse;
  readonly #hooks: HoldHooks;
  /** The replaced methods. */
  readonly #originals: Record<string, Method> = {};
  /** The response before the app changed it. */
  readonly #initial: {
    statusCode: number;
    statusMessage: string;
    headers: Record<string, unknown>;
  };
  /** The calls of sending methods since the response started. */
  readonly #queue: [name: string, args: unknown[]][] = [];
  /**
   * `held`: the app has sent nothing yet. `saving`: calls are queued. `released`: calls go to Node.
   * `replaced`: an error response was sent instead, and calls are ignored.
   */
  #stage: "held" | "saving" | "released" | "replaced" = "held";

  constructor(res: NodeResponse, hooks: HoldHooks) {
    this.#res = res;
    this.#hooks = hooks;
    const { statusCode, statusMessage } = res;
    this.#initial = { statusCode, statusMessage, headers: { ...res.getHeaders() } };
    for (const name of SENDING_METHODS) this.#replace(name, (args) => this.#send(name, args));
    for (const name of HEADER_METHODS) {
      this.#replace(name, (args) => this.#changeHeader(name, args));
    }
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
    this.#originals[name] = original;
    methods[name] = (...args) => method(args);
  }

  #call(name: string, args: unknown[]): unknown {
    return this.#originals[name]!.apply(this.#res, args);
  }

  #changeHeader(name: string, args: unknown[]): unknown {
    if (this.#stage === "saving") throw headersSentError(name);
    return this.#call(name, args);
  }

  #send(name: string, args: unknown[]): unknown {
    switch (this.#stage) {
      case "held":
        return this.#start(name, args);
      case "saving":
        return this.#enqueue(name, args);
      case "released":
        return this.#call(name, args);
      case "replaced":
        return name === "write" || this.#res;
    }
  }

  /** Saves the session when the app starts its response. */
  #start(name: string, args: unknown[]): unknown {
    const remaining = name === "writeHead" ? this.#applyHead(args) : args;
    const { statusCode, statusMessage } = this.#res;
    const saved = this.#save();
    if (!isPromise(saved)) {
      this.#stage = "released";
      return this.#call(name, remaining);
    }
    this.#stage = "saving";
    saved.then(() => this.#release(statusCode, statusMessage)).catch((error) => this.#fail(error));
    return this.#enqueue(name, remaining);
  }

  #save(): Awaitable<void> {
    try {
      return this.#hooks.save(this.#headers());
    } catch (error) {
      // Rejecting delays the failure: by then, an app that does not stream has ended its response.
      return Promise.reject(error);
    }
  }

  #enqueue(name: string, args: unknown[]): unknown {
    if (name === "writeHead" && this.#queue.length > 0) throw headersSentError(name);
    this.#queue.push([name, args]);
    return name === "write" ? false : this.#res;
  }

  get #isEnded(): boolean {
    return this.#queue.some(([name]) => name === "end");
  }

  /** Sends the queued calls after the session was saved. */
  #release(statusCode: number, statusMessage: string): void {
    this.#stage = "released";
    Object.assign(this.#res, { statusCode, statusMessage });
    let hasRoom: unknown;
    for (const [name, args] of this.#queue) hasRoom = this.#call(name, args);
    // A queued `write` returned false, so the app waits for "drain". If Node's buffer is full too,
    // Node emits that event later.
    if (this.#queue.at(-1)?.[0] === "write" && hasRoom === true) this.#res.emit("drain");
  }

  /** Discards the app's response after the session could not be saved. */
  #fail(error: unknown): void {
    this.#stage = "released";
    if (this.#res.headersSent) return this.#hooks.fail(error);
    this.#reset();
    const { status, headers } = this.#hooks.errorHead(error);
    const responseHeaders = this.#headers();
    for (const [name, value] of headers) responseHeaders.append(name, value);
    if (this.#isEnded) return this.#hooks.fail(error);
    // The app still writes its response. Its calls would mix with those of the error handling, so
    // send an empty response and pass the error on when that is done.
    responseHeaders.append("connection", "close");
    this.#res.statusCode = status;
    this.#res.once("close", () => this.#hooks.fail(error));
    this.#res.end();
    this.#stage = "replaced";
  }

  /** Restores the status and headers from before the app changed them. */
  #reset(): void {
    const { headers, ...status } = this.#initial;
    Object.assign(this.#res, status);
    for (const name of Object.keys(this.#res.getHeaders())) this.#res.removeHeader(name);
    for (const [name, value] of Object.entries(headers)) {
      this.#call("setHeader", [name, value]);
    }
  }

  /**
   * Applies the arguments of `writeHead` without sending. Returns the arguments still to pass on.
   */
  #applyHead([statusCode, ...rest]: unknown[]): unknown[] {
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
    const set = (name: string, value: string) => this.#call("setHeader", [name, value]);
    const forEach = (visit: (value: string, name: string) => void) => {
      for (const name of Object.keys(this.#res.getHeaders())) visit(get(name)!, name);
    };
    return { get, append, set, forEach };
  }
}

/** Returns the headers from any form that `writeHead` accepts: object, pairs or flat array. */
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

function headersSentError(name: string): Error {
  return Object.assign(new Error(`Cannot ${name}: the headers are on their way to the client`), {
    code: "ERR_HTTP_HEADERS_SENT",
  });
}
