/** A browser that keeps the session cookie of one app. */

/** A response. */
export interface Page {
  status: number;
  headers: Headers;
  text: string;
  /** The session's Set-Cookie headers. */
  cookies: string[];
}

export class Visitor {
  readonly #url: string;
  /** The session's cookie, `name=value`. */
  cookie: string | undefined;

  constructor(url: string, cookie?: string) {
    this.#url = url;
    this.cookie = cookie;
  }

  /** Fetches a page and stores or removes the cookie as the response says. */
  async get(path: string, init: RequestInit = {}): Promise<Page> {
    const headers = new Headers(init.headers);
    if (this.cookie !== undefined) headers.set("cookie", this.cookie);
    const response = await fetch(this.#url + path, { ...init, headers, redirect: "manual" });
    const text = await response.text();
    const cookies = response.headers.getSetCookie().filter((one) => one.startsWith("pagi_session"));
    for (const cookie of cookies) {
      this.cookie = cookie.includes("Max-Age=0") ? undefined : cookie.split(";")[0];
    }
    return { status: response.status, headers: response.headers, text, cookies };
  }

  /** Sends a message to the WebSocket at a path and returns its reply. */
  async ask(path: string): Promise<string> {
    const headers = this.cookie === undefined ? {} : { cookie: this.cookie };
    const url = this.#url.replace("http", "ws") + path;
    // Deno's WebSocket accepts headers, but the standard type does not declare them.
    const socket = new WebSocket(url, { headers } as never);
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
}
