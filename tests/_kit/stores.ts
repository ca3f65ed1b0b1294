/** The stores on which the tests of the promises run. */
import { DatabaseSync } from "node:sqlite";
import {
  CookieStore,
  HashedStore,
  MemoryStore,
  type PlainStore,
  SealedStore,
  type SessionEvent,
  type SessionHash,
  SessionMiddleware,
  type SessionOptions,
  type SessionStore,
  type VersionedStore,
} from "@pagi/session";
import { isId } from "../../base/id.ts";
import { SqliteStore } from "../../store/sqlite.ts";
import { Browser, type Work } from "./browser.ts";
import { fakeClock, SECRET } from "./helpers.ts";

export { SECRET };

/** The calls of a versioned store. */
export const CALLS = ["read", "create", "replace", "touch", "delete"] as const;
export type Call = typeof CALLS[number];

/** A store, and a look into it. */
export interface OpenedStore {
  store: SessionStore;
  /** Whether the client holds the sessions themselves. */
  isWithClient?: boolean;
  /** Counts the records, those of subjects' lists included. */
  records(): number;
  close?(): void;
}

/** Opens a store on a clock. */
export type Opener = (now: () => number) => OpenedStore | Promise<OpenedStore>;

/** Puts `change` around each call of a store. */
export function around(
  inner: VersionedStore,
  change: (name: Call, call: () => unknown, args: readonly unknown[]) => unknown,
): VersionedStore {
  const calls = CALLS.map((name) => [name, (...args: unknown[]) => {
    const method = inner[name] as (...args: unknown[]) => unknown;
    return change(name, () => method.apply(inner, args), args);
  }]);
  return { ...Object.fromEntries(calls), accepts: (id: string) => inner.accepts?.(id) ?? isId(id) };
}

/** A generator of random numbers from 0 to `below`, the same in each run. */
export function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // A linear congruential generator. Its high bits are the better ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** Answers with promises, each after another time, so that calls overtake each other. */
export function slow(inner: VersionedStore, seed = 7): VersionedStore {
  const random = chance(seed);
  const wait = async () => {
    for (let turns = random(9); turns > 0; turns--) await undefined;
  };
  return around(inner, async (_name, call) => {
    await wait();
    const answer = call();
    await wait();
    return await answer;
  });
}

/** A store with the three methods of PAGI. */
export class PlainMap implements PlainStore {
  readonly hashes = new Map<string, SessionHash>();
  get(id: string): SessionHash | undefined {
    return this.hashes.get(id);
  }
  set(id: string, hash: SessionHash): void {
    this.hashes.set(id, hash);
  }
  delete(id: string): void {
    this.hashes.delete(id);
  }
}

const onMemory = (wrap: (store: MemoryStore) => SessionStore): Opener => (now) => {
  const inner = new MemoryStore({ now });
  return { store: wrap(inner), records: () => inner.size };
};

/** The stores that compare versions, which keep every promise. */
export const VERSIONED: Readonly<Record<string, Opener>> = {
  MemoryStore: onMemory((inner) => inner),
  "a slow store": onMemory((inner) => slow(inner)),
  HashedStore: onMemory((inner) => new HashedStore(inner)),
  "SealedStore on HashedStore": onMemory((inner) => {
    return new SealedStore(new HashedStore(inner), { secret: SECRET });
  }),
  async SqliteStore(now) {
    const database = new DatabaseSync(":memory:");
    const store = new SqliteStore(database, { now });
    await store.setup();
    const count = database.prepare("SELECT count(*) AS n FROM pagi_sessions");
    return {
      store,
      records: () => Number((count.get() as { n: number }).n),
      close: () => database.close(),
    };
  },
};

/** A store that ends IDs for good, although the client holds the session. */
export const REVOKING: Readonly<Record<string, Opener>> = {
  "CookieStore with revocations": onRevocations((revocations) => revocations),
  "CookieStore with slow revocations": onRevocations((revocations) => slow(revocations)),
};

function onRevocations(wrap: (revocations: MemoryStore) => VersionedStore): Opener {
  return (now) => {
    const revocations = new MemoryStore({ now });
    const store = new CookieStore({ secret: SECRET, revocations: wrap(revocations), now });
    return { store, isWithClient: true, records: () => revocations.size };
  };
}

/** A store with the three methods of PAGI, which promise the least. */
export const PLAIN: Readonly<Record<string, Opener>> = {
  "a plain store"() {
    const store = new PlainMap();
    return { store, records: () => store.hashes.size };
  },
};

/** The stores in which an old ID and an ended session are known as such. */
export const ENDING: Readonly<Record<string, Opener>> = { ...VERSIONED, ...REVOKING };
/** The stores that hold the sessions themselves. */
export const HOLDING: Readonly<Record<string, Opener>> = { ...VERSIONED, ...PLAIN };
/** The stores that do not compare versions. */
export const UNVERSIONED: Readonly<Record<string, Opener>> = { ...PLAIN, ...REVOKING };
export const ALL: Readonly<Record<string, Opener>> = { ...VERSIONED, ...UNVERSIONED };

/** Sessions on a store, and a clock that tests move. */
export interface Rig extends OpenedStore, Disposable {
  clock: ReturnType<typeof fakeClock>;
  /** Whether the store compares versions. */
  isVersioned: boolean;
  /** The calls of the store. */
  calls: Call[];
  events: SessionEvent["type"][];
  sessions: SessionMiddleware;
  /** Makes another server on the same store. */
  server(options?: Partial<SessionOptions>): SessionMiddleware;
  /** Opens a browser, which sends the cookie `value`. */
  browser(value?: string, sessions?: SessionMiddleware): Browser;
  /** Opens a browser, and a session in it. */
  start(work: Work): Promise<Browser>;
  /** Resolves to the values that an ID, or a cookie's value, leads to; `undefined` if to none. */
  load(value: string | undefined): Promise<Record<string, unknown> | undefined>;
}

/** A test of sessions on one store. */
export type Test = (rig: Rig) => Promise<void>;

/** Sets up sessions on a store. */
export async function rigOn(open: Opener, options: Partial<SessionOptions> = {}): Promise<Rig> {
  const clock = fakeClock();
  const opened = await open(clock.now);
  const calls: Call[] = [];
  const isVersioned = "read" in opened.store;
  const store = isVersioned
    ? around(opened.store as VersionedStore, (name, call) => (calls.push(name), call()))
    : opened.store;
  const events: SessionEvent["type"][] = [];
  const server = (other: Partial<SessionOptions> = {}) =>
    new SessionMiddleware({
      secret: SECRET,
      store,
      now: clock.now,
      onEvent: ({ type }) => void events.push(type),
      ...options,
      ...other,
    });
  const sessions = server();
  events.length = 0;
  const browser = (value?: string, on = sessions) => new Browser(on, clock.now, value);
  return {
    ...opened,
    clock,
    isVersioned,
    calls,
    events,
    sessions,
    server,
    browser,
    async start(work) {
      const opened = browser();
      await opened.visit(work);
      return opened;
    },
    async load(value) {
      if (value === undefined) return undefined;
      const headers = { cookie: `pagi_session=${value}` };
      const found = await sessions.load(new Request("http://localhost/", { headers }));
      return found?.slice(...found.keys());
    },
    [Symbol.dispose]: () => opened.close?.(),
  };
}

/** Adds a test for each of these stores, with the middleware's options before the test. */
export function testOn(
  stores: Readonly<Record<string, Opener>>,
  title: string,
  ...rest: [test: Test] | [options: Partial<SessionOptions>, test: Test]
): void {
  const [options, test] = rest.length === 1 ? [{}, rest[0]] : rest;
  for (const [name, open] of Object.entries(stores)) {
    Deno.test(`${name}: ${title}`, async () => {
      using rig = await rigOn(open, options);
      await test(rig);
    });
  }
}
