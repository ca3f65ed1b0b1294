/** A browser that keeps the cookies of one app. */
import { HttpClient, type RawResponse, textOf } from "./_http.ts";

/** A response. */
export interface Page {
  status: number;
  headers: Headers;
  text: string;
  /** The Set-Cookie headers of the session. */
  cookies: string[];
  /** The Set-Cookie headers of the second session, whose key is "admin". */
  adminCookies: string[];
}

const NAME = "pagi_session";
const ADMIN_NAME = "pagi_session_admin";

export class Visitor {
  readonly #url: string;
  readonly #client: HttpClient;
  readonly #jar: Map<string, string> = new Map();

  /** @param cookie The cookie to begin with, `name=value`. */
  constructor(url: string, cookie?: string) {
    this.#url = url;
    this.#client = new HttpClient(url);
    if (cookie !== undefined) this.#jar.set(nameOf(cookie), cookie);
  }

  /** The session's cookie, `name=value`. */
  get cookie(): string | undefined {
    return this.#jar.get(NAME);
  }

  set cookie(cookie: string | undefined) {
    if (cookie === undefined) this.#jar.delete(NAME);
    else this.#jar.set(NAME, cookie);
  }

  /** The cookie of the second session. */
  get adminCookie(): string | undefined {
    return this.#jar.get(ADMIN_NAME);
  }

  /** Another browser with the same cookies. */
  copy(): Visitor {
    const copy = new Visitor(this.#url);
    for (const [name, cookie] of this.#jar) copy.#jar.set(name, cookie);
    return copy;
  }

  /** Fetches a page. The connection stays open for the next. */
  async get(path: string, init: RequestInit = {}): Promise<Page> {
    const { status, headers, body } = await this.open(path, init);
    const text = await textOf(body, headers);
    const cookies = headers.getSetCookie();
    return {
      status,
      headers,
      text,
      cookies: cookies.filter((one) => nameOf(one) === NAME),
      adminCookies: cookies.filter((one) => nameOf(one) === ADMIN_NAME),
    };
  }

  /** Posts a form. */
  async post(path: string, fields: Record<string, string> = {}): Promise<Page> {
    // Frameworks refuse forms of other origins.
    const headers = { origin: this.#url, accept: "text/html" };
    return await this.get(path, { method: "POST", body: new URLSearchParams(fields), headers });
  }

  /** Fetches a page, and returns when its headers have arrived. Stores its cookies. */
  async open(path: string, init: RequestInit = {}): Promise<RawResponse> {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(this.#cookieHeader())) headers.set(name, value);
    const response = await this.#client.request(path, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      if (/; *(Max-Age=0|Expires=Thu, 01 Jan 1970[^;]*)(;|$)/i.test(cookie)) {
        this.#jar.delete(nameOf(cookie));
      } else this.#jar.set(nameOf(cookie), cookie.split(";")[0]!);
    }
    return response;
  }

  /** Sends requests in one go, and returns the responses. */
  async pipeline(paths: string[]): Promise<[status: number, text: string][]> {
    return await this.#client.pipeline(paths, this.#cookieHeader());
  }

  /** Sends a message to the WebSocket at a path and returns its reply. */
  async ask(path: string): Promise<string> {
    const url = this.#url.replace("http", "ws") + path;
    // Deno's WebSocket accepts headers, but the standard type does not declare them.
    const socket = new WebSocket(url, { headers: this.#cookieHeader() } as never);
    try {
      return await new Promise((resolve, reject) => {
        socket.onopen = () => socket.send("?");
        socket.onmessage = ({ data }) => resolve(String(data));
        socket.onerror = () => reject(new Error("The socket failed"));
      });
    } finally {
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.close();
      await closed;
    }
  }

  #cookieHeader(): Record<string, string> {
    return this.#jar.size === 0 ? {} : { cookie: [...this.#jar.values()].join("; ") };
  }
}

function nameOf(cookie: string): string {
  return cookie.slice(0, cookie.indexOf("="));
}
