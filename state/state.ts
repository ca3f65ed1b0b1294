/**
 * {@linkcode State}: how a session ID travels between client and server.
 *
 * @module
 */
import type { Awaitable } from "../base/awaitable.ts";
import type { HeaderPair, Scope } from "../pagi.ts";

/** The attributes of the session cookie. `false` leaves an attribute out. */
export interface CookieOptions {
  /**
   * Hides the cookie from scripts in the page.
   *
   * @default {true}
   */
  httpOnly?: boolean;
  /**
   * Limits the cookie to URLs at or below this path. Write it as it appears in URLs, with reserved
   * characters percent-encoded. `false` means `/`.
   *
   * @default {"/"}
   */
  path?: string | false;
  /**
   * Decides which requests from other sites carry the cookie. `"None"` needs `secure`.
   *
   * @default {"Lax"}
   */
  sameSite?: "Strict" | "Lax" | "None" | false;
  /**
   * Restricts the cookie to HTTPS. Turn it on in production.
   *
   * @default {false}
   */
  secure?: boolean;
  /**
   * Shares the cookie with all subdomains of this domain. Without it, only the host that set the
   * cookie receives it.
   *
   * @default {false}
   */
  domain?: string | false;
  /**
   * Keeps a separate cookie under each top-level site (CHIPS). Needs `secure`.
   *
   * @default {false}
   */
  partitioned?: boolean;
  /**
   * Tells Chromium which cookies to delete last when a site has too many.
   *
   * @default {false}
   */
  priority?: "Low" | "Medium" | "High" | false;
  /**
   * Sets how long the browser keeps the cookie, in whole seconds. `false` keeps it until the
   * browser is closed.
   *
   * @default {expire}
   */
  maxAge?: number | false;
}

/** The options that the middleware passes to a State when it sends a session ID. */
export interface InjectOptions {
  /** How long the client may keep the ID, in seconds. */
  expire?: number;
  /**
   * For a session with a `lifetime` of its own: whether a browser keeps the ID when it is closed. If
   * it does, `expire` says how long, whatever the State's own options say.
   *
   * @default {undefined, the State's options decide}
   */
  persistent?: boolean | undefined;
  /**
   * The request that is answered.
   *
   * @default {undefined, no request is known}
   */
  scope?: Scope;
}

/**
 * An ID that the State derived from something else the client sent, such as an old cookie. The
 * middleware sends the ID to the client with the next response that saves or extends the session.
 */
export interface TranslatedId {
  /** The ID, or an array of candidates. */
  readonly id: string | readonly string[];
  /** Makes the middleware send the ID to the client, even if `rolling` is off. */
  readonly mustInject: true;
  /**
   * The name of the cookie or header that carried the ID.
   *
   * @default {the State's `name`}
   */
  readonly name?: string;
}

/** The result of `extract`: an ID, several candidates, a translated ID, or nothing. */
export type Extracted = string | readonly string[] | TranslatedId | undefined;

/** The State that answers a request. */
export interface ChosenState {
  /** The State. */
  readonly state: SessionState;
  /** The result of its `extract`. */
  readonly extracted: Extracted;
}

/**
 * The methods that the middleware calls on a State. Any object with `extract` and `inject` is a
 * State; it does not have to extend a class.
 */
export interface SessionState {
  /**
   * Finds the ID that the client sent. An array means that the client sent several candidates. The
   * middleware looks up at most four that have a valid form; if there are more, it rejects them
   * all.
   */
  extract(scope: Scope): Extracted | Promise<Extracted>;
  /**
   * Finds the State that answers the request, for a State that consists of several. The middleware
   * then calls the methods of that one, and not `extract`.
   */
  choose?(scope: Scope): Awaitable<ChosenState>;
  /** Adds the response headers that make the client send `id` from now on. */
  inject(headers: HeaderPair[], id: string, options: InjectOptions): void;
  /** Adds the response headers that make the client forget its ID. */
  clear?(headers: HeaderPair[]): void;
  /** The request headers that `extract` reads, for the response's `Vary`. */
  readonly vary?: readonly string[];
  /**
   * Names the cookie or header that carries the ID. Set it if you use the State with `CookieStore`:
   * an encrypted session is bound to this name and is rejected under any other. The middleware
   * reads the name once, in its constructor.
   *
   * @default {undefined, encrypted sessions are bound to no name}
   */
  readonly name?: string;
  /**
   * True if the client's own code adds the ID to each request, as with a header or a bearer token.
   * No response can then take a newer ID away from it, so that a request with a replaced ID is not
   * refused: it starts a new session.
   *
   * @default {false, as for a cookie}
   */
  readonly isExplicit?: boolean;
  /**
   * How long the client keeps the ID, in seconds, if that is not the middleware's `expire`; `false`
   * if it keeps the ID until the browser is closed.
   *
   * @default {undefined, the middleware's `expire`}
   */
  readonly maxAge?: number | false;
  /**
   * How many bytes the value may have that `inject` sends.
   *
   * @default {undefined, what a cookie with a short name holds}
   */
  readonly maxValueBytes?: number;
}

/**
 * The base class of every State in this package: PAGI's `Session::State`. A subclass must implement
 * `extract` and `inject`; `clear` does nothing unless it is overridden.
 *
 * @example An ID in the query string
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { State } from "@pagi/session/state";
 * import type { HeaderPair, Scope } from "@pagi/session/pagi";
 *
 * class QueryState extends State {
 *   override extract(scope: Scope) {
 *     return new URLSearchParams(String(scope.query_string ?? "")).get("sid") ?? undefined;
 *   }
 *   override inject(headers: HeaderPair[], id: string) {
 *     headers.push(["x-session-id", id]);
 *   }
 * }
 *
 * assertEquals(new QueryState().extract({ type: "http", query_string: "sid=abc" }), "abc");
 * ```
 */
export class State implements SessionState {
  /** The request headers that `extract` reads, for the response's `Vary`. */
  readonly vary: readonly string[] = [];
  /** The name of the cookie or header that carries the ID; encrypted sessions are bound to it. */
  readonly name?: string;
  /** Whether the client's own code adds the ID to each request. */
  readonly isExplicit?: boolean;
  /** How long the client keeps the ID, if that is not the middleware's `expire`. */
  readonly maxAge?: number | false;
  /** How many bytes the value may have that `inject` sends. */
  readonly maxValueBytes?: number;
  /** Finds the State that answers the request, if this one consists of several. */
  choose?(scope: Scope): Awaitable<ChosenState>;

  /**
   * Finds the ID that the client sent.
   *
   * @throws {Error} Unless a subclass overrides it.
   */
  extract(_scope: Scope): Extracted | Promise<Extracted> {
    throw new Error(`Cannot extract: ${this.constructor.name} must implement extract(scope)`);
  }

  /**
   * Adds the response headers that make the client send `id` from now on.
   *
   * @throws {Error} Unless a subclass overrides it.
   */
  inject(_headers: HeaderPair[], _id: string, _options: InjectOptions): void {
    throw new Error(
      `Cannot inject: ${this.constructor.name} must implement inject(headers, id, options)`,
    );
  }

  /** Adds the response headers that make the client forget its ID. Does nothing by default. */
  clear(_headers: HeaderPair[]): void {}
}
