/** Stand-ins for what adapters for Node's `http` use. */
import { rig } from "./helpers.ts";

/** Stands in for Node's response and records what is sent. */
export function nodeResponse() {
  const headers = new Map<string, unknown>();
  const sent: unknown[] = [];
  const listeners: [event: string, listener: () => void][] = [];
  class Response {
    statusCode = 200;
    statusMessage = "";
    finished = false;
    writableHighWaterMark = 4;
    get headersSent() {
      return sent.length > 0;
    }
    get writableEnded() {
      return this.finished;
    }
    get writableLength() {
      return 0;
    }
    getHeaders = () => Object.fromEntries(headers);
    getHeader = (name: string) => headers.get(name.toLowerCase());
    setHeader = (name: string, value: unknown) => headers.set(name.toLowerCase(), value);
    removeHeader = (name: string) => headers.delete(name.toLowerCase());
    _implicitHeader() {
      this.writeHead(this.statusCode);
    }
    #head() {
      if (sent.length === 0) this._implicitHeader();
    }
    flushHeaders() {
      this.#head();
    }
    writeHead(status: number, ..._rest: unknown[]) {
      sent.push(status);
      return this;
    }
    write(chunk: unknown, _callback?: (error?: unknown) => void) {
      this.#head();
      return sent.push(chunk) > 0;
    }
    end(chunk?: unknown) {
      this.#head();
      if (typeof chunk === "string") sent.push(chunk);
      sent.push("end");
      this.finished = true;
      for (const [event, listener] of listeners) if (event === "close") listener();
      return this;
    }
    emit(event: string) {
      sent.push(event);
      for (const [name, listener] of listeners) if (name === event) listener();
    }
    on(event: string, listener: () => void) {
      listeners.push([event, listener]);
      return this;
    }
    once = this.on;
    rawListeners = (event: string) =>
      listeners.filter(([name]) => name === event).map(([, listener]) => listener);
  }
  return { headers, listeners, res: new Response(), sent };
}

/** A store with asynchronous methods, of which some may fail. */
export function slow(...failures: string[]) {
  const { store } = rig();
  for (const name of ["read", "create", "replace"] as const) {
    const method = store[name].bind(store) as (...args: unknown[]) => unknown;
    const later = async (...args: unknown[]) => {
      await Promise.resolve();
      if (failures.includes(name)) throw new Error("connection refused");
      return method(...args);
    };
    Object.assign(store, { [name]: later });
  }
  return store;
}
