/** A browser that keeps one cookie and sends the headers that browsers send. */
import type { Session, SessionMiddleware } from "@pagi/session";
import { NAVIGATION } from "./helpers.ts";

/** The work of a request on its session. */
export type Work<T = unknown> = (session: Session) => T;

/** A request, except for its cookie, and the headers of its response. */
export interface Kind {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** The headers that the app sets in its response. */
  responseHeaders?: Readonly<Record<string, string>>;
}

/** Opens a page. */
export const PAGE: Kind = { headers: NAVIGATION };
/** A request by a script of a page. Responses to such requests may overtake each other. */
export const POLL: Kind = {
  headers: { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors", accept: "application/json" },
};
/** Sends a form of this site. */
export const FORM: Kind = { ...PAGE, method: "POST" };

/** A response, and what the handler returned. */
export interface Reply<T> {
  value: Awaited<T>;
  response: Response;
  /** The values of its Set-Cookie headers. */
  cookies: string[];
  /** The ID of the session after the request. */
  id: string | undefined;
}

/** A browser. It forgets its cookie when `Max-Age` has passed. */
export class Browser {
  /** The value of its cookie, as it was last sent. */
  value: string | undefined;
  /** The ID of the session whose cookie it received last. */
  id: string | undefined;
  /** Set it for a client that sends its cookie for longer than it should. */
  ignoresMaxAge = false;
  readonly #sessions: SessionMiddleware;
  readonly #now: () => number;
  #expiresAt = Infinity;

  /** @param now Returns the time in Unix milliseconds. */
  constructor(sessions: SessionMiddleware, now: () => number, value?: string) {
    this.#sessions = sessions;
    this.#now = now;
    this.value = this.id = value;
  }

  /** Whether it would send a cookie now. */
  get hasCookie(): boolean {
    const isKept = this.ignoresMaxAge || this.#now() < this.#expiresAt;
    return this.value !== undefined && isKept;
  }

  /** Sends a request, and leaves its response on the way. */
  async send<T>(work: Work<T>, kind: Kind = POLL): Promise<Reply<T>> {
    const { method = "GET", responseHeaders } = kind;
    const headers = new Headers(kind.headers);
    if (this.hasCookie) headers.set("cookie", `pagi_session=${this.value}`);
    let value: Awaited<T>;
    let used: Session | undefined;
    const request = new Request("http://localhost/", { method, headers });
    const response = await this.#sessions.run(request, async (session) => {
      used = session;
      value = await work(session);
      return new Response("ok", { headers: responseHeaders });
    });
    return { value: value!, response, cookies: response.headers.getSetCookie(), id: used?.id };
  }

  /** Receives a response: stores or removes the cookie as it says. */
  receive({ cookies, id }: Reply<unknown>): void {
    for (const cookie of cookies) {
      const [pair, ...attributes] = cookie.split("; ");
      const maxAge = attributes.find((one) => one.startsWith("Max-Age="))?.slice("Max-Age=".length);
      this.#expiresAt = maxAge === undefined ? Infinity : this.#now() + 1000 * Number(maxAge);
      // The cookie that clears another one is empty.
      this.value = pair!.slice("pagi_session=".length) || undefined;
      this.id = this.value && id;
    }
  }

  /** Sends a request and receives its response. */
  async visit<T>(work: Work<T>, kind: Kind = POLL): Promise<Reply<T>> {
    const reply = await this.send(work, kind);
    this.receive(reply);
    return reply;
  }
}
