/** Helpers of all unit tests: a clock, scopes, requests and responses. */
import {
  type App,
  type Event,
  type HeaderPair,
  MemoryStore,
  type Scope,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";

/** The secret of the middleware and of the stores that encrypt. */
export const SECRET = "a secret of thirty-two bytes or so";

/** Creates a clock that a test moves. */
export function fakeClock(seconds = 1_700_000_000) {
  let ms = seconds * 1000;
  return {
    now: () => ms,
    /** Returns the time in Unix seconds. */
    seconds: () => ms / 1000,
    /** Moves the clock forward by seconds. */
    advance(by: number) {
      ms += by * 1000;
    },
  };
}

/** Creates a PAGI scope for an HTTP request with these headers. */
export function scopeWith(headers: Record<string, string> | HeaderPair[] = {}): Scope {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  return { type: "http", method: "GET", path: "/", headers: pairs };
}

/** Creates a fetch request with these headers. */
export function requestWith(headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/", { headers });
}

/** Calls a PAGI app and resolves to the events that it sent. */
export async function call(app: App, scope: Scope = scopeWith()): Promise<Event[]> {
  const sent: Event[] = [];
  await app(
    scope,
    () => Promise.resolve({ type: "http.request" }),
    (event) => {
      sent.push(event);
      return Promise.resolve();
    },
  );
  return sent;
}

/** Responds with 200 to every request. */
export const respond: App = async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: "" });
};

/** Returns the values of one header of the response that an app sent. */
export function sentHeader(events: Event[], name: string): string[] {
  const start = events.find(({ type }) => type === "http.response.start");
  return (start?.headers as HeaderPair[] ?? [])
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
}

/** Returns the name and value of a Set-Cookie, or of a response's only one. */
export function cookieOf(setCookie: string | Response): string {
  const text = typeof setCookie === "string" ? setCookie : setCookie.headers.getSetCookie()[0];
  if (text === undefined) throw new Error("The response sets no cookie");
  return text.split(";")[0]!;
}

/** Returns an ID that repeats one digit. */
export function idOf(digit: string): string {
  return digit.repeat(64);
}

/** Returns the key of a session: the second half of its ID, under which stores keep it. */
export function keyOf(id: string): string {
  return id.slice(32);
}

/** Returns the verifier in an ID: its first half, which each new ID changes. */
export function verifierOf(id: string): string {
  return id.slice(0, 32);
}

/** The headers that a browser sends when it opens a page. */
export const NAVIGATION: Readonly<Record<string, string>> = {
  "sec-fetch-dest": "document",
  "sec-fetch-mode": "navigate",
  accept: "text/html,application/xhtml+xml",
};

/** Sets up sessions on a store, their events, and a client. */
export function rig(options: Partial<SessionOptions> = {}) {
  const clock = fakeClock();
  const store = new MemoryStore({ now: clock.now });
  const events: SessionEvent["type"][] = [];
  const sessions = new SessionMiddleware({
    secret: SECRET,
    store,
    now: clock.now,
    onEvent: ({ type }) => void events.push(type),
    ...options,
  });
  /** Runs a request with `cookie` whose app returns `response`. The app writes by default. */
  const answer = (response: Response, { cookie = "", write = true } = {}) =>
    sessions.run(requestWith({ cookie }), (session) => {
      if (write) session.update("n", (n) => Number(n ?? 0) + 1);
      return response;
    });
  const signIn = async () => cookieOf(await answer(new Response()));
  return { answer, clock, events, sessions, signIn, store };
}

/** Creates a store whose named methods fail. */
export function failing(...methods: string[]): MemoryStore {
  const fail = () => {
    throw new Error("connection refused");
  };
  return Object.assign(new MemoryStore(), Object.fromEntries(methods.map((name) => [name, fail])));
}
