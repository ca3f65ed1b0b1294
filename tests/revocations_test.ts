import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import {
  MemoryStore,
  type Session,
  SessionError,
  SessionMiddleware,
  type SessionOptions,
  type WriteOptions,
} from "@pagi/session";
import { simulateRaces } from "@pagi/session/testing";
import { CookieStore, type CookieStoreOptions } from "../store/cookie.ts";
import type { SealOptions } from "../store/store.ts";
import { FAULTS, FaultyStore, type Operation } from "./_faulty_store.ts";
import { cookieOf, fakeClock, idOf, requestWith } from "./_helpers.ts";

const secret = "a secret of more than 32 bytes, for tests";
const { signal } = new AbortController();

/** Keeps how long each record was to be kept. */
class Ledger extends MemoryStore {
  readonly ttls = new Map<string, number>();
  reads = 0;
  override read(id: string) {
    this.reads++;
    return super.read(id);
  }
  override create(id: string, text: string, options: WriteOptions) {
    this.ttls.set(id, options.ttl);
    return super.create(id, text, options);
  }
}

function setUp(options: Partial<CookieStoreOptions> = {}, session: Partial<SessionOptions> = {}) {
  const clock = fakeClock();
  const revocations = new Ledger({ now: clock.now });
  /** Another server: it shares the secret and the revocations, and nothing else. */
  const server = (other: Partial<CookieStoreOptions> = {}) => {
    const store = new CookieStore({ secret, revocations, now: clock.now, ...options, ...other });
    const sessions = new SessionMiddleware({ secret: "ids", store, now: clock.now, ...session });
    const visit = (cookie: string | undefined, act: (session: Session) => unknown = () => {}) =>
      sessions.run(requestWith(cookie === undefined ? {} : { cookie }), async (session) => {
        await act(session);
        return Response.json({ id: session.id, user: session.get("user", undefined) });
      });
    const load = async (cookie: string) =>
      (await sessions.load(requestWith({ cookie })))?.get("user", undefined);
    return { store, sessions, visit, load };
  };
  const here = server();
  const signIn = async () =>
    cookieOf(await here.visit(undefined, (session) => session.set("user", "ada")));
  return { clock, revocations, server, signIn, ...here };
}

const valueOf = (cookie: string) => cookie.slice(cookie.indexOf("=") + 1);
const destroy = (session: Session) => session.destroy();
const regenerate = (session: Session) => session.regenerate();

Deno.test("a logout is final for every copy, at every server", async () => {
  const { visit, load, server, signIn } = setUp();
  const first = await signIn();
  const second = cookieOf(await visit(first, (session) => session.set("n", 1)));
  const other = server();
  assertEquals([await load(first), await other.load(second)], ["ada", "ada"]);
  const logout = await visit(first, destroy);
  assertMatch(logout.headers.get("set-cookie")!, /Max-Age=0/);
  for (const cookie of [first, second]) {
    assertEquals([await load(cookie), await other.load(cookie)], [undefined, undefined]);
    assertEquals(await server().store.get(valueOf(cookie)), undefined);
    // A visitor like any other.
    const response = await other.visit(cookie, (session) => session.set("n", 2));
    assertEquals((await response.json()).user, undefined);
  }
});

Deno.test("sessions that never end leave no record, and cost one question a read and two a write", async () => {
  const { visit, signIn, revocations } = setUp();
  const cookie = await signIn();
  assertEquals([revocations.reads, revocations.size], [0, 0]);
  await visit(cookie);
  assertEquals(revocations.reads, 1);
  await visit(cookie, (session) => session.set("n", 1));
  assertEquals([revocations.reads, revocations.size], [3, 0]);
  await visit("pagi_session=junk");
  await visit(`pagi_session=${idOf("a")}`);
  await visit(`${cookie}A`);
  assertEquals(revocations.reads, 3);
});

Deno.test("a record of a logout outlives every copy, and no more than that", async () => {
  const { visit, load, signIn, revocations, clock } = setUp({}, { expire: 600 });
  const cookie = await signIn();
  clock.advance(300);
  // The newest copy there can be.
  const copy = cookieOf(await visit(cookie, (session) => session.set("n", 1)));
  await visit(cookie, destroy);
  const [ttl] = revocations.ttls.values();
  assert(ttl! >= 600 && ttl! <= 600 + 310, `${ttl}`);
  for (let second = 0; second < 1000; second += 50) {
    assertEquals([await load(cookie), await load(copy)], [undefined, undefined]);
    clock.advance(50);
  }
  revocations.read(idOf("0"));
  assertEquals(revocations.size, 0);
});

Deno.test("an old id is dead after regenerate(), and the new one is not", async () => {
  const { visit, load, signIn, server } = setUp();
  const before = await signIn();
  const after = cookieOf(await visit(before, regenerate));
  const other = server();
  assertEquals([await load(before), await other.load(before)], [undefined, undefined]);
  assertEquals([await load(after), await other.load(after)], ["ada", "ada"]);
  // A late request has an empty session that it cannot write to, and no cookie.
  const late = await other.visit(before);
  assertEquals([(await late.json()).user, late.headers.get("set-cookie")], [undefined, null]);
  const write = (session: Session) => session.set("user", "eve");
  const error = await assertRejects(() => other.visit(before, write), SessionError);
  assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
});

Deno.test("a minute after regenerate() the old cookie is a stranger's", async () => {
  const { visit, signIn, clock } = setUp();
  const before = await signIn();
  await visit(before, regenerate);
  clock.advance(61);
  const response = await visit(before, (session) => session.set("user", "bob"));
  assertNotEquals(cookieOf(response), before);
});

Deno.test("a logout under an id of long ago ends the session of today", async () => {
  const { visit, load, signIn } = setUp();
  const cookies = [await signIn()];
  for (let at = 0; at < 4; at++) cookies.push(cookieOf(await visit(cookies[at], regenerate)));
  assertEquals(await load(cookies[4]!), "ada");
  const logout = await visit(cookies[0], destroy);
  assertMatch(logout.headers.get("set-cookie")!, /Max-Age=0/);
  for (const cookie of cookies) assertEquals(await load(cookie), undefined);
});

Deno.test("of many regenerations at once one wins, and its id is the only one alive", async () => {
  const { load, signIn, server } = setUp();
  const cookie = await signIn();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => server().visit(cookie, regenerate)),
  );
  const won = results.filter((result) => result.status === "fulfilled");
  const lost = results.filter((result) => result.status === "rejected");
  assertEquals([won.length, lost.length], [1, 19]);
  for (const { reason } of lost) assertEquals(reason.code, "ERR_SESSION_INTERRUPTED");
  assertEquals([await load(cookie), await load(cookieOf(won[0]!.value))], [undefined, "ada"]);
});

for (const [end, act] of [["destroy", destroy], ["regenerate", regenerate]] as const) {
  Deno.test(`a request in flight during ${end}() is refused if it writes, and sends nothing if not`, async () => {
    const { visit, load, signIn, server, clock } = setUp();
    const cookie = await signIn();
    // A touch is due in what only reads.
    clock.advance(100);
    const during = () => server().visit(cookie, act);
    const write = async (session: Session) => {
      await during();
      session.set("user", "eve");
    };
    const error = await assertRejects(() => visit(cookie, write), SessionError);
    assertEquals(error.code, "ERR_SESSION_INTERRUPTED");

    const next = await signIn();
    clock.advance(100);
    const read = await visit(next, () => server().visit(next, act));
    assertEquals([(await read.json()).user, read.headers.get("set-cookie")], ["ada", null]);
    assertEquals([await load(cookie), await load(next)], [undefined, undefined]);
  });
}

Deno.test("a logout beats a login that began before it, and a login that comes first is followed", async () => {
  const { visit, load, signIn, server } = setUp();
  const cookie = await signIn();
  const login = (session: Session) =>
    server().visit(cookie, destroy).then(() => session.regenerate());
  const error = await assertRejects(() => visit(cookie, login), SessionError);
  assertEquals([error.code, await load(cookie)], ["ERR_SESSION_INTERRUPTED", undefined]);

  const second = await signIn();
  let rotated = "";
  await visit(second, async (session) => {
    rotated = cookieOf(await server().visit(second, regenerate));
    session.destroy();
  });
  assertEquals([await load(second), await load(rotated)], [undefined, undefined]);
});

Deno.test("sessions.destroy() ends a session by its cookie's value, its id, an old id or a Session", async () => {
  const { visit, load, signIn, sessions, server } = setUp();
  const idIn = async (cookie: string) => (await (await visit(cookie)).json()).id;
  const first = await signIn();
  await sessions.destroy(valueOf(first));
  assertEquals(await load(first), undefined);

  const second = await signIn();
  await sessions.destroy(await idIn(second));
  assertEquals(await load(second), undefined);

  const third = await signIn();
  const oldId = await idIn(third);
  const rotated = cookieOf(await visit(third, regenerate));
  await server().sessions.destroy(oldId);
  assertEquals([await load(third), await load(rotated)], [undefined, undefined]);

  const fourth = await signIn();
  const moved = cookieOf(await visit(fourth, regenerate));
  await sessions.destroy(valueOf(fourth));
  assertEquals(await load(moved), undefined);

  const fifth = await signIn();
  await sessions.destroy((await sessions.load(requestWith({ cookie: fifth })))!);
  assertEquals(await load(fifth), undefined);
  // Twice is no error.
  await sessions.destroy(valueOf(fifth));
  await sessions.destroy("nobody's");
});

Deno.test("CookieStore's own set(), get() and delete() ask too", async () => {
  const { store, revocations } = setUp();
  for (const how of ["by its value", "by its id"]) {
    const id = idOf(how === "by its id" ? "1" : "2");
    const value = await store.set(id, { n: 1 });
    const again = await store.set(id, { n: 2 });
    assertEquals([(await store.get(value))?.n, (await store.get(again))?.n], [1, 2]);
    await store.delete(how === "by its id" ? id : value);
    assertEquals([await store.get(value), await store.get(again)], [undefined, undefined]);
    const error = await assertRejects(() => store.set(id, { n: 3 }), SessionError);
    assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
  }
  await store.delete("junk");
  assertEquals(revocations.size, 2);
});

Deno.test("an id that no store could keep is refused, and one sealed before is dead", async () => {
  const { store, clock } = setUp();
  const alone = new CookieStore({ secret, now: clock.now });
  const value = await alone.set("user-7", { n: 1 });
  assertEquals([await store.get(value), await store.open(value, { signal })], [
    undefined,
    undefined,
  ]);
  const write = { lastAccess: 0, ttl: 1, signal };
  await assertRejects(() => store.set("user-7", {}), TypeError, "64 hex digits");
  await assertRejects(() => store.seal("user-7", "{}", write), TypeError);
  await assertRejects(() => store.end("user-7", "", { signal }), TypeError);
});

Deno.test("sessions of before there were revocations are covered as well", async () => {
  const { load, visit, server } = setUp();
  const before = server({ revocations: undefined });
  const cookie = cookieOf(await before.visit(undefined, (session) => session.set("user", "ada")));
  assertEquals(await load(cookie), "ada");
  await visit(cookie, destroy);
  assertEquals([await load(cookie), await before.load(cookie)], [undefined, "ada"]);
});

Deno.test("CookieStore.end() is written once: the first text stands", async () => {
  const { store, server } = setUp();
  const id = idOf("3");
  const value = (await store.seal(id, "text", { lastAccess: 2e9, ttl: 60, signal }))!;
  assertEquals(await store.end(id, "gone to b", { lastAccess: 5, signal }), "gone to b");
  assertEquals(await server().store.end(id, "", { signal }), "gone to b");
  assertEquals(await server().store.end(id, "gone to c", { signal }), "gone to b");
  const { text, lastAccess } = (await store.open(value, { signal }))!;
  assertEquals([text, lastAccess], ["gone to b", 5]);
  assertEquals(await new CookieStore({ secret }).end(id, "", { signal }), undefined);
});

Deno.test("an answer is used again for revocationCache seconds, and not one more", async () => {
  const { server, signIn, clock, revocations } = setUp();
  const [here, there] = [server({ revocationCache: 30 }), server({ revocationCache: 30 })];
  const cookie = await signIn();
  const asked = async (work: () => Promise<unknown>) => {
    const before = revocations.reads;
    await work();
    return revocations.reads - before;
  };
  assertEquals(await asked(() => there.visit(cookie)), 1);
  clock.advance(29);
  assertEquals(await asked(() => there.visit(cookie, (session) => session.set("n", 1))), 0);
  await here.visit(cookie, destroy);
  // At once where it happened; elsewhere for as long as was said.
  assertEquals([await here.load(cookie), await there.load(cookie)], [undefined, "ada"]);
  clock.advance(1);
  assertEquals(await there.load(cookie), undefined);
  assertEquals(await asked(() => there.visit(cookie)), 0);
});

Deno.test("a copy that is in use all the time is dead after revocationCache seconds too", async () => {
  const { server, visit, signIn, clock } = setUp();
  const there = server({ revocationCache: 10 });
  const cookie = await signIn();
  await there.load(cookie);
  await visit(cookie, destroy);
  const seen: unknown[] = [];
  for (let second = 0; second < 12; second++) {
    seen.push(await there.load(cookie));
    clock.advance(1);
  }
  assertEquals(seen, [...Array(10).fill("ada"), undefined, undefined]);
});

Deno.test("a new id is never given on an old answer: the record decides", async () => {
  const { server, visit, signIn, load } = setUp();
  const there = server({ revocationCache: 1000 });
  const cookie = await signIn();
  await there.load(cookie);
  const rotated = cookieOf(await visit(cookie, regenerate));
  const error = await assertRejects(() => there.visit(cookie, regenerate), SessionError);
  assertEquals([error.code, await load(rotated)], ["ERR_SESSION_INTERRUPTED", "ada"]);
  // Nor is a logout held up by one.
  const second = await signIn();
  await there.load(second);
  const moved = cookieOf(await visit(second, regenerate));
  await there.visit(second, destroy);
  assertEquals(await load(moved), undefined);
});

Deno.test("an answer that was under way during a logout does not undo it", async () => {
  const { server, signIn, revocations, visit } = setUp();
  const there = server({ revocationCache: 1000 });
  const cookie = await signIn();
  const read = revocations.read.bind(revocations);
  const { promise, resolve } = Promise.withResolvers<void>();
  revocations.read = ((id: string) => {
    const answer = read(id);
    return promise.then(() => answer);
  }) as unknown as typeof read;
  const slow = there.load(cookie);
  revocations.read = read;
  await there.visit(cookie, destroy);
  resolve();
  // It had asked before; whoever asks now is told.
  assertEquals([await slow, await there.load(cookie)], ["ada", undefined]);
  await visit(cookie);
});

Deno.test("no more than ten thousand answers are kept", async () => {
  const { server, revocations, clock } = setUp();
  const { store } = server({ revocationCache: 1000 });
  const write: SealOptions = { lastAccess: clock.seconds(), ttl: 60, signal };
  const values: string[] = [];
  for (let at = 0; at < 10_050; at++) {
    const id = at.toString(16).padStart(64, "0");
    values.push((await store.seal(id, "text", write))!);
    await store.open(values[at]!, { signal });
  }
  const before = revocations.reads;
  await store.open(values[10_049]!, { signal });
  await store.open(values[50]!, { signal });
  assertEquals(revocations.reads - before, 0);
  await store.open(values[49]!, { signal });
  assertEquals(revocations.reads - before, 1);
});

/** A client with a session, on a server whose revocations can fail. */
async function setUpFaults(revocationCache = 0) {
  const clock = fakeClock();
  const faulty = new FaultyStore(new MemoryStore({ now: clock.now }));
  const store = new CookieStore({ secret, revocations: faulty, revocationCache, now: clock.now });
  const events: string[] = [];
  const sessions = new SessionMiddleware({
    secret: "ids",
    store,
    now: clock.now,
    storeTimeout: 0.001,
    onEvent: ({ type }) => void events.push(type),
  });
  const visit = (cookie: string, act: (session: Session) => unknown = () => {}) =>
    sessions.run(requestWith({ cookie }), async (session) => {
      await act(session);
      return new Response();
    });
  const cookie = cookieOf(await visit("", (session) => session.set("user", "ada")));
  const fail = (operation: Operation, kind: (typeof FAULTS)[number], after = 0) => {
    faulty.fault = { operation, kind, after };
  };
  return { clock, faulty, sessions, visit, cookie, fail, events };
}

for (const kind of FAULTS) {
  Deno.test(`a request is refused, and never let in, when revocations' read ${kind}`, async () => {
    const { sessions, visit, cookie, fail } = await setUpFaults();
    fail("read", kind);
    let isRun = false;
    const error = await assertRejects(() => visit(cookie, () => isRun = true), SessionError);
    assertEquals([error.code, error.headers, isRun], ["ERR_SESSION_STORE", [], false]);
    const response = await sessions.handler(() => new Response())(requestWith({ cookie }));
    assertEquals([response.status, response.headers.get("set-cookie")], [503, null]);
    await assertRejects(() => sessions.load(requestWith({ cookie })), SessionError);
    // Who has no session is none of its business.
    await visit("", (session) => session.set("user", "bob"));
  });

  Deno.test(`a write sends nothing when revocations' second read ${kind}`, async () => {
    const { visit, cookie, fail } = await setUpFaults();
    fail("read", kind, 1);
    const error = await assertRejects(
      () => visit(cookie, (session) => session.set("n", 1)),
      SessionError,
    );
    assertEquals([error.code, error.headers], ["ERR_SESSION_STORE", []]);
  });

  Deno.test(`a logout is an error with the cookie cleared when revocations' create ${kind}`, async () => {
    const { visit, cookie, fail } = await setUpFaults();
    fail("create", kind);
    const error = await assertRejects(() => visit(cookie, destroy), SessionError);
    assertEquals(error.code, "ERR_SESSION_STORE");
    assertMatch(error.headers[0]![1], /Max-Age=0/);
  });

  Deno.test(`no new id is sent when revocations' create ${kind}`, async () => {
    const { visit, cookie, fail } = await setUpFaults();
    fail("create", kind);
    const error = await assertRejects(() => visit(cookie, regenerate), SessionError);
    assertEquals([error.code, error.headers], ["ERR_SESSION_STORE", []]);
  });

  Deno.test(`a request goes on without a new cookie when a touch's read ${kind}`, async () => {
    const { visit, cookie, fail, clock, events } = await setUpFaults();
    clock.advance(60);
    fail("read", kind, 1);
    const response = await visit(cookie);
    assertEquals(response.headers.get("set-cookie"), null);
    assertEquals(events, ["store-without-guarantees", "touch-failed"]);
  });
}

Deno.test("a failure is not kept as an answer", async () => {
  const { visit, cookie, fail, faulty } = await setUpFaults(1000);
  fail("read", "rejects");
  await assertRejects(() => visit(cookie), SessionError);
  faulty.fault = undefined;
  await visit(cookie);
  fail("read", "rejects");
  await visit(cookie);
});

Deno.test("a store that hides its record makes a logout fail, and does not hang it", async () => {
  const revocations = Object.assign(new MemoryStore(), { create: () => undefined });
  const store = new CookieStore({ secret, revocations });
  await assertRejects(() => store.end(idOf("1"), "", { signal }), Error, "does not show it");
});

/** Everything that was sealed in a run, and whether its id was given up for good. */
class Account {
  readonly values: { id: string; value: string }[] = [];
  readonly ended = new Set<string>();
  readonly store: CookieStore;
  readonly now = () => Date.now();

  constructor(revocations?: MemoryStore) {
    const { values, ended, now } = this;
    this.store = new class extends CookieStore {
      override async seal(...args: Parameters<CookieStore["seal"]>) {
        const value = await super.seal(...args);
        if (value !== undefined) values.push({ id: args[0], value });
        return value;
      }
      override async end(...args: Parameters<CookieStore["end"]>) {
        const left = await super.end(...args);
        if (args[1] === "" && (left === "" || left === undefined)) ended.add(args[0]);
        return left;
      }
    }({ secret, revocations, now });
  }

  /** Which ids have a value that opens as a session. */
  async alive(): Promise<Set<string>> {
    const ids = new Set<string>();
    for (const { value } of this.values) {
      const opened = await this.store.open(value, { signal });
      if (opened?.text.startsWith("{")) ids.add(opened.id);
    }
    return ids;
  }
}

/** Runs races, and counts those after which a session that was ended could be used again. */
async function race(revocations: () => MemoryStore | undefined) {
  const accounts = new Map<unknown, Account>();
  const seen = { races: 0, ended: 0, replayed: 0 };
  const report = await simulateRaces({
    open() {
      const account = new Account(revocations());
      accounts.set(account.store, account);
      return account.store;
    },
    async close(store) {
      const { ended, alive } = accounts.get(store)!;
      accounts.delete(store);
      seen.races++;
      seen.ended += Number(ended.size > 0);
      const living = await alive.call({ ...accounts, ...({} as Account) } as Account);
      seen.replayed += Number([...ended].some((id) => living.has(id)));
    },
    runs: 200,
    exhaustive: false,
  });
  return { report, seen };
}
