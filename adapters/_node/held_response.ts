/**
 * Holds a Node response back until its session is saved. Node has no hook for that, so this module
 * replaces the methods of one response object that send something. The first such call completes the
 * head and starts the save. That call and all later ones are queued. To the app and to other
 * middleware the response looks sent. Its headers can no longer change. `headersSent` is true, and so
 * is `writableEnded` after `end`. `write` returns false when the queue is full, until "drain".
 */
import { type Awaitable, isPromise } from "../../base/awaitable.ts";
import type { ResponseHeaders } from "../../middleware.ts";

/** The part of Node's `http.ServerResponse` that the adapters use. */
export interface NodeResponse {
  /** The status code. */
  statusCode: number;
  /** The status message. */
  statusMessage: string;
  /** Whether the headers have been sent. */
  readonly headersSent: boolean;
  /** Whether the connection has been closed. */
  readonly destroyed?: boolean;
  /** How many bytes `write` accepts before it returns false. */
  readonly writableHighWaterMark?: number;
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
  end(chunk?: unknown): unknown;
  /** Calls the listeners of an event. */
  emit(event: string): unknown;
  /** Adds a listener that is called once. */
  once(event: string, listener: () => void): unknown;
  /** Returns the listeners of an event. */
  rawListeners?(event: string): unknown[];
  /** Closes the connection. */
  destroy?(): unknown;
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
type AddedHeader = [put: "set" | "append", name: string, value: string];
type Status = Pick<NodeResponse, "statusCode" | "statusMessage">;

/** Node calls `_implicitHeader` for `writeHead` if the app has not, and so do some middlewares. */
const SENDING_METHODS = ["writeHead", "_implicitHeader", "flushHeaders", "write", "end"] as const;
const LISTENER_METHODS = ["on", "addListener"] as const;
const HEADER_METHODS = ["setHeader", "setHeaders", "appendHeader", "removeHeader"] as const;

/** Used if the response does not tell its own; Node's on most systems. */
const HIGH_WATER_MARK = 65_536;

/** How long an error page may take before the client gets an empty one, in milliseconds. */
const ERROR_PAGE_TIMEOUT_MS = 10_000;

/** The headers of sessions that were saved. Every later response of the request has to carry them. */
const sessionHeaders = new WeakMap<NodeResponse, AddedHeader[]>();

/** Whether this is a response that can be held. Libraries pass other objects for WebSockets. */
export function isNodeResponse(res: Partial<NodeResponse>): res is NodeResponse {
  const { writeHead, end, getHeaders } = res;
  return [writeHead, end, getHeaders].every((method) => typeof method === "function");
}

/** Runs `hooks.save` before anything of `res` is sent. */
export function holdResponse(res: NodeResponse, hooks: HoldHooks): void {
  new HeldResponse(res, hooks);
}

class HeldResponse {
  readonly #res: NodeResponse;
  readonly #hooks: HoldHooks;
  /** The methods before they were replaced. */
  readonly #originals: Record<string, Method> = {};
  /** Undo the replacements that last until the response is discarded. */
  readonly #undoHold: (() => void)[] = [];
  /** Undo the replacements that last while the session is being saved. */
  readonly #undoSaving: (() => void)[] = [];
  /** The response before the app changed it. */
  readonly #initial: { status: Status; headers: Record<string, unknown> };
  /**
   * `held`: the app has sent nothing yet. `saving`: calls are queued. `released`: calls go to Node.
   * `discarded`: an error response is sent instead, and calls are ignored.
   */
  #stage: "held" | "saving" | "released" | "discarded" = "held";
  /** Whether the app has sent something without calling `writeHead`. */
  #isImplicit = false;
  /** The calls since the response started. */
  readonly #queue: [name: string, args: unknown[]][] = [];
  /** The bytes in the queue. */
  #queued = 0;
  /** Whether a queued `write` has returned false. */
  #needsDrain = false;
  #isEnded = false;
  /** Listeners of "drain" that another middleware keeps elsewhere, as `compression` does. */
  readonly #moved: Method[] = [];

  constructor(res: NodeResponse, hooks: HoldHooks) {
    this.#res = res;
    this.#hooks = hooks;
    this.#initial = { status: statusOf(res), headers: { ...res.getHeaders() } };
    for (const name of SENDING_METHODS) {
      this.#replace(name, (args) => this.#send(name, args), this.#undoHold);
    }
    for (const name of LISTENER_METHODS) {
      this.#replace(name, (args) => this.#listen(name, args), this.#undoHold);
    }
  }

  #replace(name: string, method: (args: unknown[]) => unknown, undo: (() => void)[]): void {
    const methods = this.#res as unknown as Record<string, Method | undefined>;
    const original = methods[name];
    if (original === undefined) return;
    this.#originals[name] = original;
    const isOwn = Object.hasOwn(methods, name);
    methods[name] = (...args) => method(args);
    undo.push(() => {
      if (isOwn) methods[name] = original;
      else delete methods[name];
    });
  }

  /** Lets a property also tell what is in the queue. */
  #extend<T>(name: string, extend: (value: T) => T): void {
    const res = this.#res;
    const isOwn = Object.hasOwn(res, name);
    const original = descriptorOf(res, name);
    if (original === undefined) return;
    Object.defineProperty(res, name, {
      configurable: true,
      enumerable: original.enumerable,
      get: () => extend(original.get === undefined ? original.value : original.get.call(res)),
      set: (value) =>
        original.set === undefined ? original.value = value : original.set.call(res, value),
    });
    this.#undoSaving.push(() => {
      if (isOwn) Object.defineProperty(res, name, original);
      else delete (res as unknown as Record<string, unknown>)[name];
    });
  }

  #call(name: string, args: unknown[]): unknown {
    return this.#originals[name]!.apply(this.#res, args);
  }

  #send(name: string, args: unknown[]): unknown {
    switch (this.#stage) {
      case "held":
        return name === "writeHead" ? this.#start(args) : this.#startImplicitly(name, args);
      case "saving":
        return this.#enqueue(name, args);
      case "released":
        // Middleware that has replaced `writeHead` has seen the head before the save.
        return name === "_implicitHeader"
          ? this.#call("writeHead", [this.#res.statusCode])
          : this.#call(name, args);
      case "discarded":
        callBack(args, new Error("Cannot send: the response was discarded"));
        // `pipeline` waits for an event after `end`, and "finish" and "close" may have passed.
        if (name === "end") queueMicrotask(() => this.#drain());
        return name === "write" || this.#res;
    }
  }

  /**
   * Completes the head as Node does, by calling `writeHead`: other middleware may have replaced it to
   * add headers, and the session's cache headers depend on them.
   */
  #startImplicitly(name: string, args: unknown[]): unknown {
    this.#isImplicit = true;
    this.#res.writeHead(this.#res.statusCode);
    if (this.#stage === "held") this.#start([this.#res.statusCode]);
    return name === "_implicitHeader" ? undefined : this.#send(name, args);
  }

  /** Saves the session when the app starts its response. */
  #start(head: unknown[]): unknown {
    this.#applyHead(head);
    const status = statusOf(this.#res);
    const saved = this.#save();
    if (!isPromise(saved)) {
      this.#stage = "released";
      return this.#isImplicit ? this.#res : this.#call("writeHead", [status.statusCode]);
    }
    this.#stage = "saving";
    this.#lookSent();
    if (!this.#isImplicit) this.#queue.push(["writeHead", [status.statusCode]]);
    saved.then(() => this.#release(status)).catch((error) => this.#fail(error));
    return this.#res;
  }

  #save(): Awaitable<void> {
    try {
      const remembered = sessionHeaders.get(this.#res) ?? [];
      sessionHeaders.set(this.#res, remembered);
      return this.#hooks.save(this.#headers(remembered));
    } catch (error) {
      // Rejecting delays the failure: by then, an app that does not stream has ended its response.
      return Promise.reject(error);
    }
  }

  /** Makes the response look sent while the session is being saved. */
  #lookSent(): void {
    for (const name of HEADER_METHODS) {
      this.#replace(name, () => {
        throw headersSentError(name);
      }, this.#undoSaving);
    }
    this.#replace("addTrailers", (args) => this.#enqueue("addTrailers", args), this.#undoSaving);
    this.#extend("headersSent", () => true);
    this.#extend<boolean>("writableEnded", (isEnded) => isEnded || this.#isEnded);
    this.#extend<boolean>("finished", (isFinished) => isFinished || this.#isEnded);
    this.#extend<number>("writableLength", (length) => length + this.#queued);
    this.#extend<boolean>("writableNeedDrain", (needsDrain) => needsDrain || this.#needsDrain);
  }

  #enqueue(name: string, args: unknown[]): unknown {
    // Node, too, does nothing if the headers exist.
    if (name === "_implicitHeader") return;
    if (name === "writeHead") throw headersSentError(name);
    if (name === "write" || name === "end") checkChunk(name, args[0]);
    // If the response has been sent, Node only tells the callback. Earlier, it emits an error that ends
    // the process, and only the time of the save makes this earlier.
    if (this.#isEnded && sizeOf(args[0]) > 0) {
      callBack(args, writeAfterEnd());
      return name === "write" ? false : this.#res;
    }
    this.#queue.push([name, args]);
    if (name === "end") this.#isEnded = true;
    if (name !== "write") return this.#res;
    this.#queued += sizeOf(args[0]);
    if (this.#queued < (this.#res.writableHighWaterMark ?? HIGH_WATER_MARK)) return true;
    this.#needsDrain = true;
    return false;
  }

  #listen(name: string, args: unknown[]): unknown {
    const result = this.#call(name, args);
    const [event, listener] = args;
    if (event === "drain" && (this.#stage === "held" || this.#stage === "saving")) {
      const isHere = this.#res.rawListeners?.(event).includes(listener) ?? true;
      if (!isHere) this.#moved.push(listener as Method);
    }
    return result;
  }

  /** Ends the time of saving. Returns the queue. */
  #leaveSaving(): [name: string, args: unknown[]][] {
    for (const undo of this.#undoSaving.splice(0)) undo();
    this.#stage = "released";
    return this.#queue.splice(0);
  }

  /** Sends the queued calls after the session was saved. */
  #release(status: Status): void {
    const queue = this.#leaveSaving();
    Object.assign(this.#res, status);
    let hasRoom = true;
    for (const [name, args] of queue) if (this.#call(name, args) === false) hasRoom = false;
    // If the next buffer is full, too, "drain" comes from there.
    if (this.#needsDrain && hasRoom && !this.#isEnded) this.#drain();
  }

  /** Tells the app that it can write again. */
  #drain(): void {
    this.#res.emit("drain");
    for (const listener of this.#moved) listener.call(this.#res);
  }

  /** Discards the app's response after the session could not be saved, or Node refused to send it. */
  #fail(error: unknown): void {
    const queue = this.#leaveSaving();
    const res = this.#res;
    if (res.headersSent) return void this.#passOn(error);
    this.#reset(error);
    if (this.#isEnded) this.#giveBack();
    else if (!res.destroyed) this.#sendEmpty(error);
    this.#stage = "discarded";
    for (const [, args] of queue) callBack(args, error);
    if (this.#isEnded || res.destroyed) this.#failEnded(error);
    else if (this.#needsDrain) this.#drain();
  }

  /** Passes the error to the app's error handling. Returns false if that throws. */
  #passOn(error: unknown): boolean {
    try {
      this.#hooks.fail(error);
      return true;
    } catch {
      // Some servers cannot call `next` twice, such as middie. An event has reported the error.
      return false;
    }
  }

  /**
   * Lets the error handling respond. A server may ignore the second call of `next`, for example if
   * it has put a promise around the first. The client must not wait forever then.
   */
  #failEnded(error: unknown): void {
    const res = this.#res;
    const isPassedOn = this.#passOn(error);
    if (res.headersSent || res.destroyed) return;
    if (!isPassedOn) return this.#endEmpty(error);
    const timer = setTimeout(() => {
      if (!res.headersSent) this.#endEmpty(error);
    }, ERROR_PAGE_TIMEOUT_MS);
    res.once("close", () => clearTimeout(timer));
    // Node's timers have it. A stopping server does not wait for this one.
    (timer as { unref?(): void }).unref?.();
  }

  /**
   * Sends an empty response while the app still writes its own: the output of the error handling
   * would mix with that. The error is passed on when the empty response is sent.
   */
  #sendEmpty(error: unknown): void {
    this.#res.once("close", () => this.#passOn(error));
    this.#endEmpty(error);
  }

  #endEmpty(error: unknown): void {
    this.#headers().append("connection", "close");
    this.#res.statusCode = this.#hooks.errorHead(error).status;
    this.#call("end", []);
  }

  /**
   * Gives the error handling the response as it was before the hold. Middleware after this one has
   * seen the end of the discarded response, so what it put around the methods is removed, too.
   */
  #giveBack(): void {
    for (const undo of this.#undoHold.splice(0)) undo();
  }

  /** Restores the head from before the app changed it, and adds the headers of the session. */
  #reset(error: unknown): void {
    const { status, headers } = this.#initial;
    const res = this.#res as NodeResponse & { addTrailers?(trailers: object): void };
    Object.assign(res, status);
    for (const name of Object.keys(res.getHeaders())) res.removeHeader(name);
    for (const [name, value] of Object.entries(headers)) {
      res.setHeader(name, value as string | string[]);
    }
    res.addTrailers?.({});
    const target = this.#headers();
    for (const [put, name, value] of sessionHeaders.get(res) ?? []) target[put]!(name, value);
    for (const [name, value] of this.#hooks.errorHead(error).headers) target.append(name, value);
  }

  /** Applies the arguments of `writeHead` without sending. */
  #applyHead([statusCode, ...rest]: unknown[]): void {
    const hasMessage = typeof rest[0] === "string";
    this.#res.statusCode = statusCode as number;
    if (hasMessage) this.#res.statusMessage = rest[0] as string;
    for (const [name, values] of headerEntries(hasMessage ? rest[1] : rest[0])) {
      this.#res.setHeader(name, values as string | string[]);
    }
  }

  /** The headers of the response. The session's are remembered, so that an error page has them. */
  #headers(remembered: AddedHeader[] = []): ResponseHeaders {
    const res = this.#res;
    const put = (name: string, value: string | string[]) =>
      this.#stage === "saving"
        ? this.#call("setHeader", [name, value])
        : res.setHeader(name, value);
    const get = (name: string) => {
      const value = res.getHeader(name);
      return value === undefined ? undefined : [value].flat().join(", ");
    };
    return {
      get,
      forEach(visit) {
        for (const name of Object.keys(res.getHeaders())) visit(get(name)!, name);
      },
      set(name, value) {
        remembered.push(["set", name, value]);
        put(name, value);
      },
      append(name, value) {
        remembered.push(["append", name, value]);
        const all = [res.getHeader(name) ?? [], value].flat() as string[];
        put(name, name.toLowerCase() === "set-cookie" ? all : all.join(", "));
      },
    };
  }
}

function statusOf({ statusCode, statusMessage }: NodeResponse): Status {
  return { statusCode, statusMessage };
}

/** Returns the descriptor of an own or inherited property. */
function descriptorOf(object: object | null, name: string): PropertyDescriptor | undefined {
  if (object === null) return undefined;
  return Object.getOwnPropertyDescriptor(object, name) ??
    descriptorOf(Object.getPrototypeOf(object), name);
}

/** Refuses what Node refuses, in the call and not when the queue is sent. */
function checkChunk(name: string, chunk: unknown): void {
  if (typeof chunk === "string" || chunk instanceof Uint8Array) return;
  if (name === "end" && (chunk == null || typeof chunk === "function")) return;
  const code = chunk === null ? "ERR_STREAM_NULL_VALUES" : "ERR_INVALID_ARG_TYPE";
  const message = `Cannot ${name}: a chunk has to be a string, a Buffer or a Uint8Array`;
  throw Object.assign(new TypeError(message), { code });
}

/** The error of Node if something is sent after the end. */
function writeAfterEnd(): Error {
  return Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" });
}

/** About how many bytes a chunk has. */
function sizeOf(chunk: unknown): number {
  return typeof chunk === "string" ? chunk.length : (chunk as Uint8Array)?.byteLength ?? 0;
}

/** Tells the callback of a discarded `write` or `end` that it failed. */
function callBack(args: unknown[], error: unknown): void {
  const callback = args.findLast((arg) => typeof arg === "function") as Method | undefined;
  if (callback !== undefined) queueMicrotask(() => callback(error));
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

/** The error with which Node refuses the call. Some middleware compares its text. */
function headersSentError(name: string): Error {
  const verb = name.replace(/Head(ers?)?$/, "");
  return Object.assign(new Error(`Cannot ${verb} headers after they are sent to the client`), {
    code: "ERR_HTTP_HEADERS_SENT",
  });
}
