/** Visits with records that this package did not write, in each kind of store. */
import {
  CookieStore,
  HashedStore,
  MemoryStore,
  type PlainStore,
  SealedStore,
  type Session,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type SessionStore,
  type VersionedStore,
} from "@pagi/session";
import { idOf, keyOf, verifierOf } from "./helpers.ts";

const SECRET = "at least 32 bytes that nobody else knows";
const NOW = 1_700_000_000;
const ID = idOf("a");

/** A store with one record, which the ID `presented` leads to. */
interface Stored {
  store: SessionStore;
  presented: string;
}

const write = { lastAccess: NOW, ttl: 3600, signal: new AbortController().signal };

/** The text of a record with this JSON. JSON that is not an object gets no header. */
function textOf(json: string, verifier: string): string {
  return json.startsWith("{") ? `s1:${verifier}${json}` : json;
}

async function versioned(store: VersionedStore, json: string): Promise<Stored> {
  await store.create(keyOf(ID), textOf(json, verifierOf(ID)), write);
  return { store, presented: ID };
}

/** A plain store whose `get` resolves to whatever JSON made of the text; undefined where it made nothing. */
function plain(text: string): Stored | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  // As for a missing record.
  if (value === null) return undefined;
  const store: PlainStore = {
    get: () => Promise.resolve(value as undefined),
    set: () => Promise.resolve(undefined),
    delete: () => Promise.resolve(),
  };
  return { store, presented: ID };
}

async function sealing(json: string, format: "pagi" | undefined): Promise<Stored | undefined> {
  const store = new CookieStore({ secret: SECRET, now: () => NOW * 1000, ...format && { format } });
  try {
    const text = textOf(json, "");
    const value = await store.seal(ID, text, { ...write, name: "pagi_session" });
    return value === undefined ? undefined : { store, presented: value };
  } catch {
    // Too large for a cookie, or not what this format can hold: no client has such a value.
    return undefined;
  }
}

/** The kinds of store. */
export const KINDS: Record<
  string,
  (json: string) => Stored | undefined | Promise<Stored | undefined>
> = {
  memory: (json) => versioned(new MemoryStore({ now: () => NOW * 1000 }), json),
  hashed: (json) => versioned(new HashedStore(new MemoryStore()), json),
  sealed: (json) => versioned(new SealedStore(new MemoryStore(), { secret: SECRET }), json),
  plain,
  cookie: (json) => sealing(json, undefined),
  "cookie of PAGI": (json) => sealing(json, "pagi"),
};

const ACTS: Record<string, (session: Session) => unknown> = {
  nothing: () => {},
  "a read": (session) => session.get("v", undefined),
  data: (session) => JSON.stringify(session.data),
  "a write": (session) => session.set("written", 1),
  update: (session) => session.update("written", (n) => Number(n ?? 0) + 1),
  regenerate: (session) => session.regenerate(),
  clear: (session) => session.clear(),
};

/** The result of the visits. */
export type Outcome = "a session" | "no session" | "cannot be stored there";

/**
 * Visits with a record in the store in every way there is. Throws when a visit does, or when it finds
 * no session and no event says why.
 */
export async function visitStored(
  kind: string,
  json: string,
  codec: SessionOptions["codec"],
): Promise<Outcome> {
  const outcomes = new Set<Outcome>();
  for (const [name, act] of Object.entries(ACTS)) {
    const stored = await KINDS[kind]!(json);
    if (stored === undefined) return "cannot be stored there";
    const events: SessionEvent["type"][] = [];
    const sessions = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store: stored.store,
      codec,
      now: () => NOW * 1000,
      onEvent: ({ type }) => void events.push(type),
    });
    const headers = { cookie: `pagi_session=${stored.presented}` };
    const request = () => new Request("http://localhost/", { headers });
    const isKnown = await sessions.load(request()) !== undefined;
    await sessions.run(request(), async (session) => {
      await act(session);
      return new Response();
    });
    const isReported = events.includes("record-corrupt");
    if (isKnown === isReported) {
      throw new Error(`${name}: found ${isKnown ? "a" : "no"} session, with the events ${events}`);
    }
    outcomes.add(isKnown ? "a session" : "no session");
  }
  const [outcome, ...others] = outcomes;
  if (others.length > 0) throw new Error("One visit finds a session, and another does not");
  return outcome!;
}

/** Returns the JSON of a session whose `v` is this JSON. */
export const sessionOf = (json: string) => `{"_created":${NOW},"v":${json}}`;
