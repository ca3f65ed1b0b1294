/** A browser for PAGI apps. It keeps one cookie. */
import type { App, Event, HeaderPair, Scope } from "@pagi/session";
import { NAVIGATION } from "./helpers.ts";

/** A response. */
export interface Answer {
  /** The events that were sent. */
  events: Event[];
  /** The headers of the response, if it was started. */
  headers: HeaderPair[];
  /** The values of its Set-Cookie headers. */
  cookies: string[];
}

export class Client {
  /** The cookie that the next request sends: `name=value`. */
  cookie: string | undefined;
  readonly #app: App;

  constructor(app: App, cookie?: string) {
    this.#app = app;
    this.cookie = cookie;
  }

  /** The ID in the cookie. */
  get id(): string | undefined {
    return this.cookie?.split("=")[1];
  }

  /** Sends a request, and stores or removes the cookie as the response says. */
  async request(scope: Partial<Scope> = {}): Promise<Answer> {
    const events: Event[] = [];
    const own: HeaderPair[] = this.cookie === undefined ? [] : [["cookie", this.cookie]];
    const headers = [...own, ...(scope.headers ?? []) as HeaderPair[]];
    await this.#app(
      { type: "http", path: "/", ...scope, headers },
      () => Promise.resolve({ type: "http.request" }),
      (event) => {
        events.push(event);
        return Promise.resolve();
      },
    );
    const start = events.find((event) => event.type === "http.response.start");
    const sent = start?.headers as HeaderPair[] ?? [];
    const cookies = sent.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, v]) => v);
    for (const cookie of cookies) {
      this.cookie = cookie.includes("Max-Age=0") ? undefined : cookie.split(";")[0];
    }
    return { events, headers: sent, cookies };
  }

  /** Opens a page: the kind of request whose response may send the cookie again. */
  navigate(): Promise<Answer> {
    return this.request({ method: "GET", headers: Object.entries(NAVIGATION) });
  }
}

/** Responds with 200 and these headers. */
export async function respond(
  send: (event: Event) => Promise<void>,
  headers: HeaderPair[] = [],
): Promise<void> {
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body: "ok" });
}
