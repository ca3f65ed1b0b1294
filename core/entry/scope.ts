/** Requests of every kind as PAGI scopes, so that one State serves all entry points. */
import { isObject } from "../../base/check_options.ts";
import type { Scope } from "../../pagi.ts";

/** A fetch request as a PAGI scope. Getters compute only what a State asks for. */
export class RequestScope implements Scope {
  [key: string]: unknown;
  readonly type = "http";
  readonly request: Request;

  constructor(request: Request) {
    this.request = request;
  }

  get method(): string {
    return this.request.method;
  }

  get headers(): [name: string, value: string][] {
    const { headers } = this.request;
    if (typeof headers?.[Symbol.iterator] !== "function") throw notRequest();
    return [...headers];
  }

  get scheme(): string {
    return this.request.url.startsWith("https:") ? "https" : "http";
  }

  get path(): string {
    return decoded(new URL(this.request.url).pathname);
  }

  get query_string(): string {
    return new URL(this.request.url).search.slice(1);
  }
}

/** The part of a request of Node's `http` that a State needs. An `IncomingMessage` has it. */
export interface NodeRequest {
  /** The headers, with names in lower case. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The method. */
  method?: string;
  /** The path and the query string. */
  url?: string;
  /** The connection. */
  socket?: object;
  /** Whether the connection is being upgraded, to a WebSocket for example. */
  upgrade?: boolean;
  /** The parsed body, if a body parser has run. Only `sessions.verifyCsrf` reads it. */
  body?: unknown;
}

/** A request of any kind as a PAGI scope. */
export function scopeOf(source: Request | NodeRequest | Scope): Scope {
  if (!isRequest(source)) throw notRequest();
  if (isScope(source)) return source;
  // `instanceof` would fail: some servers on Node have a Request class of their own.
  return typeof source.headers.get === "function"
    ? new RequestScope(source as Request)
    : new NodeScope(source as NodeRequest);
}

function isRequest(source: unknown): boolean {
  return isObject(source) && (typeof source.type === "string" || isObject(source.headers));
}

/**
 * The error for something else than a request, which is the developer's mistake and not a client's.
 */
export function notRequest(): TypeError {
  return new TypeError(
    "Cannot open the session: expected a fetch Request. For a request of Node's http, use " +
      "sessions.open() or an adapter",
  );
}

function isScope(source: Request | NodeRequest | Scope): source is Scope {
  return typeof (source as Scope).type === "string";
}

/** A request of Node's `http` as a PAGI scope. */
class NodeScope implements Scope {
  [key: string]: unknown;
  readonly #request: NodeRequest;

  constructor(request: NodeRequest) {
    this.#request = request;
  }

  get type(): string {
    return this.#request.upgrade ? "websocket" : "http";
  }

  get method(): string | undefined {
    return this.#request.method;
  }

  get scheme(): string | undefined {
    const socket: { encrypted?: boolean } | undefined = this.#request.socket;
    return socket && (socket.encrypted ? "https" : "http");
  }

  get headers(): [name: string, value: string][] {
    return Object.entries(this.#request.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one])
    );
  }

  get path(): string {
    return decoded(splitUrl(this.#request.url)[0]);
  }

  get query_string(): string {
    return splitUrl(this.#request.url)[1];
  }
}

/** Does not use `URL`, which throws on some input: client input must never throw. */
function splitUrl(url = "/"): [path: string, query: string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
