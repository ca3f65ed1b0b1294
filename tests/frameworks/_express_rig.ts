/** Express apps in this process, on a store that is slow and fails when a test wants it to. */
import type { AddressInfo } from "node:net";
import { createServer, type RequestListener } from "node:http";
import {
  type DeleteOptions,
  MemoryStore,
  type ReplaceOptions,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type StoredRecord,
  type TouchOptions,
  type VersionedStore,
  type WriteOptions,
} from "../../mod.ts";

type Operation = "read" | "create" | "replace" | "touch" | "delete";

/** A store that takes a while. */
export class SlowStore implements VersionedStore {
  readonly inner: MemoryStore = new MemoryStore();
  /** The operations that fail. */
  failing: readonly Operation[] = [];
  readonly calls: Operation[] = [];

  read(id: string): Promise<StoredRecord | undefined> {
    return this.#call("read", () => this.inner.read(id));
  }
  create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    return this.#call("create", () => this.inner.create(id, text, options));
  }
  replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    return this.#call("replace", () => this.inner.replace(id, text, options));
  }
  touch(id: string, options: TouchOptions): Promise<boolean> {
    return this.#call("touch", () => this.inner.touch(id, options));
  }
  delete(id: string, options: DeleteOptions): Promise<boolean> {
    return this.#call("delete", () => this.inner.delete(id, options));
  }

  async #call<T>(operation: Operation, apply: () => T): Promise<Awaited<T>> {
    this.calls.push(operation);
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (this.failing.includes(operation)) throw new Error("connection refused");
    return await apply();
  }
}

/** Makes a middleware, and what a test wants to see of it. */
export function slowRig(options: Partial<SessionOptions> = {}) {
  const events: SessionEvent[] = [];
  const store = new SlowStore();
  const sessions = new SessionMiddleware({
    secret: "a test's secret of 32 bytes or more",
    store,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { sessions, store, events };
}

/** A server that is listening. */
export interface Serving extends AsyncDisposable {
  readonly url: string;
}

/** Serves an app of Express or Connect. */
export async function serve(app: unknown): Promise<Serving> {
  const server = createServer(app as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A response, read. */
export interface Page {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** All Set-Cookie headers. */
  readonly set: string[];
}

/** A browser with one jar. */
export class Browser {
  readonly cookies: Map<string, string> = new Map();
  readonly #url: string;

  constructor({ url }: Serving, cookies: Iterable<readonly [string, string]> = []) {
    this.#url = url;
    for (const [name, value] of cookies) this.cookies.set(name, value);
  }

  /** Requests a page, with the cookies of the moment. */
  async get(path: string, init: RequestInit = {}): Promise<Page> {
    const headers = new Headers(init.headers);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (cookie !== "") headers.set("cookie", cookie);
    const response = await fetch(this.#url + path, { ...init, headers, redirect: "manual" });
    const text = await response.text();
    const set = response.headers.getSetCookie();
    for (const one of set) {
      const pair = one.split(";", 1)[0]!;
      const at = pair.indexOf("=");
      if (/; Max-Age=0(;|$)/.test(one)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return { status: response.status, text, headers: response.headers, set };
  }

  /** Sends a form. */
  post(path: string, form: Record<string, string> = {}, init: RequestInit = {}): Promise<Page> {
    return this.get(path, { ...init, method: "POST", body: new URLSearchParams(form) });
  }

  /** Another browser with the same cookies: a request that is on its way. */
  copy(): Browser {
    return new Browser({ url: this.#url } as Serving, this.cookies);
  }
}
