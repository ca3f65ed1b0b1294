/**
 * {@linkcode visitor}: a client for tests of your app, with a cookie jar and a session.
 *
 * @module
 */
import { checkOptions, optionError } from "../base/check_options.ts";
import { optionsOf } from "../core/known_options.ts";
import type { ResolvedOptions } from "../core/options.ts";
import type { SessionMiddleware } from "../middleware.ts";
import type { HeaderPair } from "../pagi.ts";
import type { Session } from "../session.ts";
import { callTarget } from "./_target.ts";
import { CookieJar } from "./cookie_jar.ts";

/** Options of {@linkcode visitor}. */
export interface VisitorOptions<Data extends object = Record<string, unknown>> {
  /**
   * Signs the visitor in: sets the `subject` of a new session.
   *
   * @default {undefined, nobody is signed in}
   */
  subject?: string;
  /**
   * Writes these keys into a new session.
   *
   * @default {undefined, the session has no keys}
   */
  data?: Partial<Data>;
  /**
   * Sets the address of the app in the visitor's browser. Use `https:` and a real name if your cookies
   * have a `domain`, or if the app looks at the host. Browsers treat `localhost` as secure.
   *
   * @default {"http://localhost/"}
   */
  url?: string | URL;
  /**
   * Adds the session's ID to a request, if your State reads it from somewhere else than a cookie, a
   * header or `Authorization: Bearer`.
   *
   * @default {the header that the State reads}
   */
  present?: (headers: Headers, id: string) => void;
}

/**
 * What {@linkcode Visitor.fetch} calls:
 *
 * - a function of a `Request`, or an object with such a function `fetch`: a Hono, Elysia or h3 app, or
 *   the default export of a worker;
 * - a PAGI app, which is a function of three parameters;
 * - an Express, Connect, Koa, Fastify, Nest or oak app, or an `http.Server`. Node's apps get a real request
 *   over a connection to this computer, for which Deno needs `--allow-net`;
 * - the URL of a server that is running.
 */
export type VisitorTarget = string | URL | object;

/** Options of {@linkcode Visitor.fetch}: those of `fetch`, and the page that makes the request. */
export interface VisitorInit extends RequestInit {
  /**
   * `"follow"` follows redirects on the visitor's host, as a browser does: after a 303, and after a POST
   * with a 301 or 302, with GET. A redirect to another host is returned. `"error"` rejects.
   *
   * @default {"manual", a redirect is returned}
   */
  redirect?: "manual" | "follow" | "error";
  /**
   * Makes the request from this page, by a link or a form in it. The request then has `Origin` and
   * `Sec-Fetch-Site`, and cookies go with it as their `SameSite` allows.
   *
   * @default {undefined, a page of the same origin, without these headers}
   */
  from?: string | URL;
}

/** A client with a cookie jar. Make one with {@linkcode visitor}. */
export interface Visitor<Data extends object = Record<string, unknown>> {
  /**
   * The ID that the visitor sends, if the State reads it from somewhere else than a cookie. It
   * follows the header that `emit` names. Set it to an ID that a response contains.
   */
  presented: string | undefined;
  /**
   * Sends a request to an app, and takes the cookies of its response. Apps of Node and of PAGI have to
   * end the response; for one that does not end, pass a `signal` in `init`.
   *
   * @param path A path, or a URL on another host.
   * @throws {TypeError} If `target` is not an app, or redirects too often.
   */
  fetch(target: VisitorTarget, path?: string | URL, init?: VisitorInit): Promise<Response>;
  /** Makes the request that `fetch` would send, for other entry points, such as `sessions.load`. */
  request(path?: string | URL, init?: VisitorInit): Request;
  /** Takes the cookies of a response to a request that was not sent by `fetch`. */
  take(response: Response): void;
  /** Loads the visitor's session for reading; `undefined` without one. This is not a use of it. */
  session(): Promise<Session<Data> | undefined>;
  /** Closes and opens the browser: cookies without a lifetime are gone. */
  restartBrowser(): void;
}

const MAX_REDIRECTS = 20;
const REDIRECTS = [301, 302, 303, 307, 308];
/** An ID that asks a State how it travels. */
const PROBE = "0".repeat(64);

/**
 * Creates a client for tests of an app, with a cookie jar and, if `subject` or `data` is given, a
 * stored session. Its cookies expire by the `now` of the middleware.
 *
 * @param sessions The middleware of the app.
 * @throws {TypeError} If `sessions` is not a middleware, an option is wrong, or the visitor cannot
 * present its session, because its browser refuses the cookie or the State needs `present`.
 * @throws {SessionError} If the session cannot be saved.
 *
 * @example A signed-in user adds to a cart
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { visitor } from "@pagi/session/testing";
 *
 * const sessions = new SessionMiddleware<{ cart: string[] }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 * const handler = sessions.handler((_request, session) => {
 *   session.update("cart", (cart = []) => [...cart, "tea"]);
 *   return Response.redirect("http://localhost/cart", 303);
 * });
 *
 * const ada = await visitor(sessions, { subject: "user-7", data: { cart: [] } });
 * const response = await ada.fetch(handler, "/cart", { method: "POST" });
 * assertEquals(response.status, 303);
 * assertEquals((await ada.session())?.get("cart"), ["tea"]);
 * ```
 */
export async function visitor<Data extends object>(
  sessions: SessionMiddleware<Data>,
  options: VisitorOptions<Data> = {},
): Promise<Visitor<Data>> {
  const settings = optionsOf(sessions);
  if (settings === undefined) {
    throw optionError("a visitor", "it takes a SessionMiddleware, and then its options");
  }
  checkOptions("a visitor", options, ["subject", "data", "url", "present"]);
  const { subject, data } = options;
  const client = new Client(sessions, settings, options);
  await client.learnHeader();
  if (subject === undefined && data === undefined) return client;
  let presented: string | undefined;
  const response = await sessions.run(client.request(), async (session) => {
    if (subject !== undefined) session.subject = subject;
    if (data !== undefined && Object.keys(data).length > 0) session.set(data);
    presented = await session.save();
    return new Response();
  });
  client.begin(response, presented);
  return client;
}

/** The header that carries an ID, and the text in front of it. */
interface IdHeader {
  readonly name: string;
  readonly prefix: string;
}

class Client<Data extends object> implements Visitor<Data> {
  presented: string | undefined;
  readonly #sessions: SessionMiddleware<Data>;
  readonly #options: ResolvedOptions;
  readonly #url: URL;
  readonly #present: VisitorOptions["present"];
  readonly #jar: CookieJar;
  /** The response headers that can bring a new ID. */
  readonly #emitted: readonly string[];
  #header: IdHeader | undefined;

  constructor(
    sessions: SessionMiddleware<Data>,
    options: ResolvedOptions,
    { url = "http://localhost/", present }: VisitorOptions<Data>,
  ) {
    if (!URL.canParse(String(url))) throw optionError("a visitor", "url must be a complete URL");
    this.#sessions = sessions;
    this.#options = options;
    this.#url = new URL(url);
    this.#present = present;
    this.#jar = new CookieJar(options.now);
    this.#emitted = this.#probeResponse();
  }

  /** Finds the request header from which the State reads an ID. */
  async learnHeader(): Promise<void> {
    const { state } = this.#options;
    const names = (state.vary ?? []).filter((name) => name.toLowerCase() !== "cookie");
    for (const name of names) {
      for (const prefix of ["", "Bearer "]) {
        const headers: HeaderPair[] = [[name.toLowerCase(), prefix + PROBE]];
        const scope = { type: "http", method: "GET", path: "/", headers };
        if (await state.extract(scope) === PROBE) {
          this.#header = { name, prefix };
          return;
        }
      }
    }
  }

  #probeResponse(): string[] {
    const { state, expire } = this.#options;
    const headers: HeaderPair[] = [];
    state.inject(headers, PROBE, { expire });
    return headers.filter(([, value]) => value === PROBE).map(([name]) => name);
  }

  /** Takes the session that was made for this visitor. */
  begin(response: Response, presented: string | undefined): void {
    const url = this.#url;
    const refused = this.#jar.take(response.headers, url);
    if (refused.length > 0) {
      throw optionError(
        "a visitor",
        `a browser at ${url.origin} refuses the session's cookie. Set url to an address that fits ` +
          "its attributes",
      );
    }
    if (presented === undefined || this.#jar.allFor(url.hostname) !== undefined) return;
    this.presented = presented;
    if (this.#present !== undefined || this.#header !== undefined) return;
    throw optionError(
      "a visitor",
      "its State does not show how the ID travels. Set the option present",
    );
  }

  async fetch(
    target: VisitorTarget,
    path: string | URL = "/",
    init: VisitorInit = {},
  ): Promise<Response> {
    const { redirect = "manual", from, ...rest } = init;
    const given = new Request(new URL(path, this.#url), rest);
    const { headers, signal } = given;
    // A redirect may send it again.
    let body = given.body === null ? undefined : await given.arrayBuffer();
    let { url, method } = given;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const sent = { method, headers, body, signal, ...from !== undefined && { from } };
      const response = await callTarget(target, this.request(url, sent));
      this.#take(response, new URL(url));
      const location = response.headers.get("location");
      if (!REDIRECTS.includes(response.status) || location === null || redirect === "manual") {
        return response;
      }
      if (redirect === "error") throw new TypeError("Cannot visit the app: it redirects");
      const next = this.#own(new URL(location, url), target);
      if (next === undefined) return response;
      await response.body?.cancel();
      url = next.href;
      const { status } = response;
      if (method === "HEAD" || status >= 307 || (status !== 303 && method !== "POST")) continue;
      method = "GET";
      body = undefined;
      headers.delete("content-type");
    }
    throw new TypeError(`Cannot visit the app: it redirects more than ${MAX_REDIRECTS} times`);
  }

  /** The URL in the visitor's browser; `undefined` if it is on another host. */
  #own(url: URL, target: VisitorTarget): URL | undefined {
    const { origin } = this.#url;
    if (url.origin === origin) return url;
    const isTarget = (typeof target === "string" || target instanceof URL) &&
      new URL(target).origin === url.origin;
    return isTarget ? new URL(url.pathname + url.search, origin) : undefined;
  }

  request(path: string | URL = "/", init: VisitorInit = {}): Request {
    const { from, redirect: _, ...rest } = init;
    const url = new URL(path, this.#url);
    const request = new Request(url, { ...rest, redirect: "manual" });
    const { headers, method } = request;
    const site = from === undefined ? undefined : siteOf(new URL(from), url);
    const isSameSite = site === undefined || site !== "cross-site";
    const cookie = this.#jar.headerFor({ url, method, isSameSite });
    if (cookie !== undefined) {
      headers.set("cookie", [headers.get("cookie") ?? [], cookie].flat().join("; "));
    }
    this.#identify(headers);
    if (from !== undefined) addOrigin(headers, new URL(from), site!, method);
    return request;
  }

  #identify(headers: Headers): void {
    const { presented } = this;
    if (presented === undefined) return;
    if (this.#present !== undefined) return this.#present(headers, presented);
    if (this.#header === undefined) return;
    const { name, prefix } = this.#header;
    if (!headers.has(name)) headers.set(name, prefix + presented);
  }

  take(response: Response): void {
    this.#take(response, this.#url);
  }

  #take({ headers }: Response, url: URL): void {
    this.#jar.take(headers, url);
    for (const name of this.#emitted) this.presented = headers.get(name) ?? this.presented;
  }

  async session(): Promise<Session<Data> | undefined> {
    const headers = new Headers();
    const cookie = this.#jar.allFor(this.#url.hostname);
    if (cookie !== undefined) headers.set("cookie", cookie);
    this.#identify(headers);
    return await this.#sessions.load(new Request(this.#url, { headers }));
  }

  restartBrowser(): void {
    this.#jar.endBrowser();
  }
}

/** The value of `Sec-Fetch-Site`. Two hosts are of one site if the last two labels are the same. */
function siteOf(from: URL, url: URL): string {
  if (from.origin === url.origin) return "same-origin";
  const site = ({ hostname }: URL) =>
    /^[0-9.]+$/.test(hostname) ? hostname : hostname.split(".").slice(-2).join(".");
  return from.protocol === url.protocol && site(from) === site(url) ? "same-site" : "cross-site";
}

/** Adds the headers by which a browser says where a form or a link is. */
function addOrigin(headers: Headers, from: URL, site: string, method: string): void {
  const added: HeaderPair[] = [
    ["sec-fetch-site", site],
    ["sec-fetch-mode", "navigate"],
    ["sec-fetch-dest", "document"],
    ["referer", site === "same-origin" ? from.href : `${from.origin}/`],
  ];
  if (method !== "GET" && method !== "HEAD") added.push(["origin", from.origin]);
  for (const [name, value] of added) if (!headers.has(name)) headers.set(name, value);
}
