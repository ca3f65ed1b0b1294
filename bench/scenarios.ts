/** What is measured: kinds of request, and the sessions that they find. */

/** What a handler does with its session. */
export const SCENARIOS = ["read", "write", "new", "regenerate", "anonymous"] as const;

/** The name of a kind of request. */
export type Scenario = typeof SCENARIOS[number];

/** What every contender is asked to do; `nested` is for the check before the measuring alone. */
export const ACTS = [...SCENARIOS, "nested"] as const;
/** The same for those whose sessions have no id that could be renewed. */
export const ACTS_WITHOUT_ID = ACTS.filter((act) => act !== "regenerate");

/** What an app does; `count` adds one to the visits so that none is lost, where that can be had. */
export type Act = typeof ACTS[number] | "count";

/** What a session holds. */
export interface SessionContent {
  user: string;
  visits: number;
  theme: string;
  cart: { sku: string; count: number }[];
  note: string;
}

/** Sizes of a session as JSON, in bytes. */
export const PAYLOADS = [100, 1024, 16_384] as const;
/** The size of a session where nothing else is said. */
export const SMALL = 100;
/** Bytes of JSON for each thing in the cart, so that a large session is no single long string. */
const BYTES_PER_ITEM = 256;

/** A session whose JSON has exactly `bytes` bytes: some keys, some nesting, some text. */
export function content(bytes: number): SessionContent {
  const items = Math.max(1, Math.floor(bytes / BYTES_PER_ITEM));
  const cart = Array.from({ length: items }, (_, at) => ({ sku: `A-${at % 10}`, count: 1 }));
  const session = { user: "ada", visits: 0, theme: "dark", cart, note: "" };
  const missing = bytes - JSON.stringify(session).length;
  if (missing < 0) throw new RangeError(`Cannot make a session of ${bytes} bytes: too small`);
  return { ...session, note: "n".repeat(missing) };
}

/** How the sessions of a contender are read and written: with methods, or as a plain object. */
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

/** Does to a session what a request is for; what the response says. */
export type Action<Session> = (session: Session) => string;

/** What each kind of request does, the same for every contender. */
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
      // Copies what is nested: a store that keeps objects must not share it between sessions.
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

/** Whether a kind of request changes the session: some contenders have to be told to save it. */
export function isWriting(act: Act): boolean {
  return act !== "read" && act !== "anonymous";
}

/** Whether a kind of request comes from a client that has a session. */
export function bringsCookie(scenario: Scenario): boolean {
  return scenario !== "new" && scenario !== "anonymous";
}
