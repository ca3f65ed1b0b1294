/** What the unit tests share: a clock, scopes and requests, and what came back. */
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

/** A clock that moves only when it is told to. */
export function fakeClock(seconds = 1_700_000_000) {
  let ms = seconds * 1000;
  return {
    now: () => ms,
    /** Now in Unix seconds. */
    seconds: () => ms / 1000,
    /** Moves the clock on by seconds. */
    advance(by: number) {
      ms += by * 1000;
    },
  };
}

/** A PAGI scope for an HTTP request with these headers. */
export function scopeWith(headers: Record<string, string> | HeaderPair[] = {}): Scope {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  return { type: "http", method: "GET", path: "/", headers: pairs };
}

/** A fetch request with these headers. */
export function requestWith(headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/", { headers });
}

/** Calls a PAGI app and resolves to what it sent. */
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

/** Answers 200 to whatever comes. */
export const respond: App = async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: "" });
};

/** The values of one header in the response that an app sent. */
export function sentHeader(events: Event[], name: string): string[] {
  const start = events.find(({ type }) => type === "http.response.start");
  return (start?.headers as HeaderPair[] ?? [])
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
}

/** What a client sends back: the name and value of a Set-Cookie, or of a response's only one. */
export function cookieOf(setCookie: string | Response): string {
  const text = typeof setCookie === "string" ? setCookie : setCookie.headers.getSetCookie()[0];
  if (text === undefined) throw new Error("The response sets no cookie");
  return text.split(";")[0]!;
}

/** A text of the form of an id, made of one digit. */
export function idOf(digit: string): string {
  return digit.repeat(64);
}

/** Sessions on a store of their own, the events that they emit, and a client. */
export function rig(options: Partial<SessionOptions> = {}) {
  const clock = fakeClock();
  const store = new MemoryStore({ now: clock.now });
  const events: SessionEvent["type"][] = [];
  const sessions = new SessionMiddleware({
    secret: "s",
    store,
    now: clock.now,
    onEvent: ({ type }) => void events.push(type),
    ...options,
  });
  /** What a client with `cookie` gets when the app answers `response`, and writes unless told not to. */
  const answer = (response: Response, { cookie = "", write = true } = {}) =>
    sessions.run(requestWith({ cookie }), (session) => {
      if (write) session.update("n", (n) => Number(n ?? 0) + 1);
      return response;
    });
  const signIn = async () => cookieOf(await answer(new Response()));
  return { answer, clock, events, sessions, signIn, store };
}

/** A store whose named methods fail. */
export function failing(...methods: string[]): MemoryStore {
  const fail = () => {
    throw new Error("connection refused");
  };
  return Object.assign(new MemoryStore(), Object.fromEntries(methods.map((name) => [name, fail])));
}
