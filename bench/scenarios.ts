/** The kinds of request, and the sessions that they find. */

/** What a handler does with its session; `anonymous` has none. */
export const SCENARIOS = ["read", "write", "new", "regenerate", "anonymous"] as const;

/** The name of a kind of request. */
export type Scenario = typeof SCENARIOS[number];

/** All that an app can do; `nested` is only for the check before measuring. */
export const ACTS = [...SCENARIOS, "nested"] as const;
/** The same without `regenerate`, for sessions that have no ID. */
export const ACTS_WITHOUT_ID = ACTS.filter((act) => act !== "regenerate");

/** What an app does. */
export type Act = typeof ACTS[number];

/** The data of a session. */
export interface SessionContent {
  user: string;
  visits: number;
  theme: string;
  cart: { sku: string; count: number }[];
  note: string;
}

/** The usual size of a session as JSON, in bytes. */
export const SMALL = 100;
/** Bytes of JSON for each item in the cart, so that a large session is not one long string. */
const BYTES_PER_ITEM = 256;

/** Data whose JSON has exactly `bytes` bytes: several keys, some nesting, some text. */
export function content(bytes: number): SessionContent {
  const items = Math.max(1, Math.floor(bytes / BYTES_PER_ITEM));
  const cart = Array.from({ length: items }, (_, at) => ({ sku: `A-${at % 10}`, count: 1 }));
  const session = { user: "ada", visits: 0, theme: "dark", cart, note: "" };
  const missing = bytes - JSON.stringify(session).length;
  if (missing < 0) {
    throw new RangeError(`Cannot make a session of ${bytes} bytes: too few for its keys`);
  }
  return { ...session, note: "n".repeat(missing) };
}

/** How a handler reads and writes the sessions of a library: by methods, or as a plain object. */
export interface Access<Session> {
  get<Key extends keyof SessionContent>(
    session: Session,
    key: Key,
  ): SessionContent[Key] | undefined;
  set<Key extends keyof SessionContent>(
    session: Session,
    key: Key,
    value: SessionContent[Key],
  ): void;
  /** Writes all keys. */
  fill(session: Session, data: SessionContent): void;
}

/** Access for sessions that are plain objects. */
export const plain: Access<Partial<SessionContent>> = {
  get: (session, key) => session[key],
  set: (session, key, value) => session[key] = value,
  fill: (session, data) => Object.assign(session, data),
};

/** Access for sessions with `get` and `set` for one key at a time. */
export const methods: Access<{
  get(key: string): unknown;
  set(key: string, value: unknown): unknown;
}> = {
  get: (session, key) => (session.get(key) ?? undefined) as SessionContent[typeof key] | undefined,
  set: (session, key, value) => session.set(key, value),
  fill(session, data) {
    for (const [key, value] of Object.entries(data)) session.set(key, value);
  },
};

/** Does what the request asks for; returns the text of the response. */
export type Action<Session> = (session: Session) => string;

/** What each kind of request does, the same for every library. */
export function actions<Session>(
  { get, set, fill }: Access<Session>,
  data: SessionContent,
): { [act in typeof ACTS[number]]: Action<Session> } {
  const read: Action<Session> = (session) => get(session, "user") ?? "nobody";
  return {
    read,
    anonymous: read,
    write(session) {
      const visits = (get(session, "visits") ?? 0) + 1;
      set(session, "visits", visits);
      return String(visits);
    },
    new(session) {
      // Copies nested values: a store that keeps objects must not share them between sessions.
      fill(session, { ...data, cart: data.cart.map((item) => ({ ...item })) });
      return data.user;
    },
    regenerate: read,
    nested(session) {
      const cart = get(session, "cart") ?? [];
      if (cart[0] !== undefined) cart[0].count++;
      set(session, "cart", cart);
      return String(cart[0]?.count);
    },
  };
}

/** Whether a request changes the session: with some libraries the handler has to save it. */
export function isWriting(act: Act): boolean {
  return act !== "read" && act !== "anonymous";
}

/** Whether the client that makes a request has a session. */
export function bringsCookie(scenario: Scenario): boolean {
  return scenario !== "new" && scenario !== "anonymous";
}
