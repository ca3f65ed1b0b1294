/** `sessions.destroyAll()` on a `CookieStore` with revocations, whose sessions lie at their clients. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  MemoryStore,
  type Session,
  SessionError,
  SessionMiddleware,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import { CookieStore, type CookieStoreOptions } from "../../store/cookie.ts";
import { Browser } from "../_kit/browser.ts";
import { FAULTS, FaultyStore } from "../_kit/faulty_store.ts";
import { fakeClock } from "../_kit/helpers.ts";
import { ResendingStore } from "../_kit/resending_store.ts";
import { around, type Call, REVOKING, SECRET, testOn } from "../_kit/stores.ts";

const EXPIRE = 600;
const signIn = (subject: string) => (session: Session) => void (session.subject = subject);
const subjectOf = (session: Session) => session.subject;

/** Sets up servers that share a secret and revocations, and counts the calls of the revocations. */
function setUp(wrap: (store: MemoryStore) => VersionedStore = (store) => store) {
  const clock = fakeClock();
  const inner = new MemoryStore({ now: clock.now });
  const calls: Call[] = [];
  const revocations = around(wrap(inner), (name, call) => (calls.push(name), call()));
  /** Adds a server. */
  const server = (
    options: Partial<CookieStoreOptions> = {},
    session: Partial<SessionOptions> = {},
  ) => {
    const now = options.now ?? clock.now;
    const store = new CookieStore({ secret: SECRET, revocations, now, ...options });
    return new SessionMiddleware({ secret: "ids", store, now, expire: EXPIRE, ...session });
  };
  const sessions = server();
  const browser = (value?: string, on = sessions) => new Browser(on, clock.now, value);
  /** Opens a browser, and signs in with it. */
  const start = async (subject = "ada", on = sessions) => {
    const opened = browser(undefined, on);
    await opened.visit(signIn(subject));
    return opened;
  };
  /** The user that a cookie's value signs in. */
  const userOf = async (value: string | undefined, on = sessions) => {
    const headers = { cookie: `pagi_session=${value}` };
    return (await on.load(new Request("http://localhost/", { headers })))?.subject;
  };
  const counted = async (work: () => Promise<unknown>) => {
    calls.length = 0;
    await work();
    return calls.join(" ");
  };
  return { clock, inner, revocations, server, sessions, browser, start, userOf, counted };
}

testOn(REVOKING, "destroyAll() ends every session of the subject and no other", async (rig) => {
  const { sessions, start, load, clock } = rig;
  const opened = () => start((session) => session.set("n", 1).subject = "ada");
  const browsers = [await opened(), await opened(), await opened()];
  const bob = await start((session) => session.set("n", 1).subject = "bob");
  const nobody = await start((session) => session.set("n", 1));
  clock.advance(3000);
  await browsers[0]!.visit((session) => session.regenerate());
  await browsers[1]!.visit((session) => session.set("n", 2));
  const copies = browsers.map(({ value }) => value);
  assertEquals(await sessions.destroyAll("ada"), undefined);
  for (const browser of browsers) {
    const { value, cookies } = await browser.visit((session) => [
      session.absence,
      session.subject,
      session.keys(),
    ]);
    assertEquals([value, cookies], [["unknown", undefined, []], []]);
  }
  for (const copy of copies) assertEquals(await load(copy), undefined);
  assertEquals([await load(bob.value), await load(nobody.value)], [{ n: 1 }, { n: 1 }]);
  const again = await opened();
  assertEquals(await load(again.value), { n: 1 });
  // Once more, now that the subject has a record.
  await sessions.destroyAll("ada");
  assertEquals(await load(again.value), undefined);
  assertEquals(await load((await opened()).value), { n: 1 });
});

testOn(REVOKING, "destroyAll() keeps the session of `except`, whatever its ID is", async (rig) => {
  const { sessions, start, load } = rig;
  const opened = () => start((session) => session.set("n", 1).subject = "ada");
  const [kept, other] = [await opened(), await opened()];
  const first = kept.id!;
  const value = kept.value!;
  // By an earlier ID, by a cookie's value, by the Session, and twice.
  await kept.visit((session) => session.regenerate());
  for (const except of [first, kept.id!, kept.value!]) {
    await sessions.destroyAll("ada", { except });
    assertEquals([await load(kept.value), await load(other.value)], [{ n: 1 }, undefined]);
  }
  await kept.visit((session) => sessions.destroyAll("ada", { except: session }));
  await kept.visit((session) => session.regenerate());
  await kept.visit((session) => session.set("n", 2));
  assertEquals([await load(kept.value), await load(value)], [{ n: 2 }, undefined]);
  const next = await opened();
  // Those that `except` kept before are ended by a call that does not.
  await sessions.destroyAll("ada", { except: next.id! });
  assertEquals([await load(kept.value), await load(next.value)], [undefined, { n: 1 }]);
  // Keeping it later does not bring it back.
  await sessions.destroyAll("ada", { except: kept.id! });
  assertEquals([await load(kept.value), await load(next.value)], [undefined, undefined]);
  await sessions.destroyAll("ada", { except: "0".repeat(64) });
  await sessions.destroyAll("ada", { except: "no session's" });
  assertEquals(await load(next.value), undefined);
});

Deno.test("a session that was kept stays kept when its user signs out and in again", async () => {
  const { sessions, start, userOf } = setUp();
  const kept = await start();
  await sessions.destroyAll("ada", { except: kept.id! });
  for (const subject of [undefined, "ada", "bob", "ada"]) {
    await kept.visit((session) => session.subject = subject);
    await sessions.destroyAll("ada", { except: kept.id! });
    assertEquals(await userOf(kept.value), subject);
  }
  await sessions.destroyAll("ada");
  assertEquals(await userOf(kept.value), undefined);
});

Deno.test("destroyAll() ends a session that another server has extended in the meantime", async () => {
  const { server, sessions, start, userOf, clock } = setUp();
  const cached = server({ revocationCache: 400 });
  const browser = await start("ada", cached);
  for (const seconds of [200, 59]) {
    clock.advance(seconds);
    await browser.visit((session) => session.set("n", seconds));
    if (seconds === 200) await sessions.destroyAll("ada");
  }
  // This server had not heard of it yet. The new value lives longer than those from before.
  assertEquals(await userOf(browser.value), undefined);
  for (let second = 0; second < 2 * EXPIRE; second += 10) {
    clock.advance(10);
    assertEquals(await userOf(browser.value), undefined, `${second}`);
    if (second > 400) assertEquals(await userOf(browser.value, cached), undefined, `${second}`);
  }
});

Deno.test("a logout holds for a value that another server has extended in the meantime", async () => {
  // As above, for the end of one session.
  const { server, sessions, browser, userOf, clock } = setUp();
  const cached = server({ revocationCache: 400 });
  const visitor = browser(undefined, cached);
  await visitor.visit(signIn("ada"));
  for (const seconds of [200, 59]) {
    clock.advance(seconds);
    await visitor.visit((session) => session.set("n", seconds));
    if (seconds === 200) await sessions.destroy(visitor.id!);
  }
  for (let second = 0; second < 2 * EXPIRE; second += 10) {
    clock.advance(10);
    assertEquals(await userOf(visitor.value), undefined, `${second}`);
  }
});

Deno.test("no server extends a session by an answer that is older than a minute", async () => {
  for (const end of ["destroy", "destroyAll"] as const) {
    const { server, sessions, start, userOf, clock } = setUp();
    const cached = server({ revocationCache: 400 });
    const browser = await start("ada", cached);
    await browser.visit((session) => session.set("n", 1));
    await (end === "destroy" ? sessions.destroy(browser.id!) : sessions.destroyAll("ada"));
    clock.advance(60);
    assertEquals(await userOf(browser.value, cached), "ada");
    const write = () => browser.send((session) => session.set("n", 2));
    assertEquals((await assertRejects(write, SessionError)).code, "ERR_SESSION_INTERRUPTED");
  }
});

Deno.test("a sign-in after destroyAll() holds, although its server has cached the answer from before", async () => {
  const { server, sessions, start, userOf, clock } = setUp();
  const cached = server({ revocationCache: 1000 });
  const before = await start("ada", cached);
  await before.visit(subjectOf);
  await sessions.destroyAll("ada");
  const after = await start("ada", cached);
  // The sign-in has told the server.
  assertEquals([await userOf(after.value), await userOf(after.value, cached)], ["ada", "ada"]);
  assertEquals([await userOf(before.value), await userOf(before.value, cached)], [
    undefined,
    undefined,
  ]);
  clock.advance(500);
  assertEquals(await userOf(after.value), "ada");
});

/** The requests that give a session a new ID. */
const RENEWALS: readonly ((session: Session) => unknown)[] = [
  (session) => session.regenerate(),
  (session) => session.rotate(),
  (session) => session.subject = undefined,
  (session) => session.subject = "bob",
];

Deno.test("no request that is running brings a session back that destroyAll() has ended", async () => {
  for (const act of [...RENEWALS, (session: Session) => session.set("n", 1)]) {
    const { server, start, userOf } = setUp();
    const elsewhere = server();
    const browser = await start();
    const work = async (session: Session) => {
      await elsewhere.destroyAll("ada");
      act(session);
    };
    const { code } = await assertRejects(() => browser.send(work), SessionError);
    assertEquals([code, await userOf(browser.value)], ["ERR_SESSION_INTERRUPTED", undefined]);
  }
});

Deno.test("no new ID is given to a session that destroyAll() has ended, by a cached answer", async () => {
  for (const act of RENEWALS) {
    const { server, sessions, start } = setUp();
    const cached = server({ revocationCache: 1000 });
    const browser = await start("ada", cached);
    await browser.visit(subjectOf);
    await sessions.destroyAll("ada");
    const { code } = await assertRejects(() => browser.send(act), SessionError);
    assertEquals(code, "ERR_SESSION_INTERRUPTED");
  }
});

Deno.test("a request that only reads sends nothing when destroyAll() ends its session", async () => {
  const { server, start, clock } = setUp();
  const elsewhere = server();
  const browser = await start();
  // A touch is due.
  clock.advance(300);
  const { cookies } = await browser.visit(async (session) => {
    await elsewhere.destroyAll("ada");
    return session.subject;
  });
  assertEquals(cookies, []);
});

Deno.test("a sign-in that overlaps with destroyAll() is over at its next request", async () => {
  for (const isFirst of [true, false]) {
    // Before or after the sign-in has read the subject's record.
    let act: (() => unknown) | undefined;
    const { server, userOf, browser, inner } = setUp((inner) =>
      around(inner, async (name, call) => {
        if (name !== "read" || act === undefined) return await call();
        const run = act;
        act = undefined;
        if (isFirst) await run();
        const answer = await call();
        if (!isFirst) await run();
        return answer;
      })
    );
    const other = new SessionMiddleware({
      secret: "ids",
      store: new CookieStore({ secret: SECRET, revocations: inner }),
    });
    const visitor = browser(undefined, server());
    act = () => other.destroyAll("ada");
    await visitor.visit(signIn("ada"));
    assertEquals(await userOf(visitor.value), isFirst ? "ada" : undefined);
  }
});

Deno.test("the record of destroyAll() goes when no value from before can be valid", async () => {
  const { sessions, start, userOf, clock, inner } = setUp();
  const [kept, ended] = [await start(), await start()];
  await sessions.destroyAll("ada", { except: kept.id! });
  assertEquals(inner.size, 1);
  for (let second = 0; second < 3 * EXPIRE; second += 60) {
    clock.advance(60);
    await kept.visit((session) => session.set("n", second));
    assertEquals([await userOf(kept.value), await userOf(ended.value)], ["ada", undefined]);
  }
  // A session may have had a lifetime of its own, of 400 days at most.
  assertEquals(inner.size, 1);
  const lifetime = { idle: 10 * 86_400 };
  await kept.visit((session) => session.lifetime = lifetime);
  for (let days = 0; days < 405; days += 5) {
    clock.advance(5 * 86_400);
    await kept.visit((session) => session.set("n", days));
  }
  inner.read("nobody");
  assertEquals(inner.size, 0);
  // Without a record, nothing of the earlier calls is forgotten that matters.
  const next = await start();
  await sessions.destroyAll("ada", { except: kept.id! });
  assertEquals(await Promise.all([kept, next, ended].map(({ value }) => userOf(value))), [
    "ada",
    undefined,
    undefined,
  ]);
});

Deno.test("destroyAll() holds on servers whose clocks are two minutes ahead and behind", async () => {
  for (const [one, two] of [[120, -120], [-120, 120], [0, 120], [120, 0]] as const) {
    const { server, userOf, clock, browser } = setUp();
    const shifted = (by: number) => server({ now: () => clock.now() + by * 1000 });
    const [here, there] = [shifted(one), shifted(two)];
    const [old, kept] = [browser(undefined, there), browser(undefined, there)];
    for (const visitor of [old, kept]) await visitor.visit(signIn("ada"));
    await here.destroyAll("ada", { except: kept.id! });
    const late = browser(undefined, here);
    await late.visit(signIn("ada"));
    for (let second = 0; second < 2 * EXPIRE; second += 50) {
      for (const on of [here, there]) {
        assertEquals(await userOf(old.value, on), undefined);
        assertEquals([await userOf(kept.value, on), await userOf(late.value, on)], ["ada", "ada"]);
      }
      clock.advance(50);
      await kept.visit((session) => session.set("n", second));
      await late.visit((session) => session.set("n", second));
    }
  }
});

Deno.test("destroyAll() takes effect once when its write arrives twice", async () => {
  for (const operation of ["create", "replace"] as const) {
    let resending: ResendingStore;
    const { sessions, start, userOf } = setUp((inner) => resending = new ResendingStore(inner));
    if (operation === "replace") await sessions.destroyAll("ada");
    const [kept, ended] = [await start(), await start()];
    let late: Awaited<ReturnType<typeof start>>;
    resending!.loseAnswer(operation, async () => late = await start());
    await sessions.destroyAll("ada", { except: kept.id! });
    // A user who signs in after the first arrival stays signed in.
    assertEquals(await Promise.all([kept, ended, late!].map(({ value }) => userOf(value))), [
      "ada",
      undefined,
      "ada",
    ]);
    const again = resending!.keepCopy("replace");
    await sessions.destroyAll("ada", { except: kept.id! });
    const next = await start();
    await (await again)();
    assertEquals([await userOf(kept.value), await userOf(next.value)], ["ada", "ada"]);
  }
});

for (const kind of FAULTS) {
  // Waiting for storeTimeout is covered by the tests of CallGuard.
  if (kind.includes("settles")) continue;
  for (const operation of ["read", "create", "replace"] as const) {
    Deno.test(`destroyAll() rejects and can be repeated when revocations' ${operation} ${kind}`, async () => {
      let faulty: FaultyStore;
      const { sessions, start, userOf } = setUp((inner) => faulty = new FaultyStore(inner));
      if (operation === "replace") await sessions.destroyAll("ada");
      const [kept, ended] = [await start(), await start()];
      faulty!.fault = { operation, kind };
      const end = () => sessions.destroyAll("ada", { except: kept.id! });
      const error = await assertRejects(end, SessionError);
      assertEquals(error.code, "ERR_SESSION_STORE");
      assert(!error.message.includes("ada"), error.message);
      if (operation === "read") {
        // A request is refused rather than let in.
        const { code } = await assertRejects(() => ended.send(subjectOf), SessionError);
        assertEquals(code, "ERR_SESSION_STORE");
        const sign = () => start("bob");
        assertEquals((await assertRejects(sign, SessionError)).code, "ERR_SESSION_STORE");
      }
      faulty!.fault = undefined;
      await end();
      assertEquals([await userOf(kept.value), await userOf(ended.value)], ["ada", undefined]);
    });
  }
}

Deno.test("a record of a subject that is damaged lets nobody in", async () => {
  const { sessions, start, inner } = setUp();
  const browser = await start();
  await sessions.destroyAll("ada");
  const next = await start();
  const key = await recordKeyOf("ada");
  const { signal } = new AbortController();
  for (const text of ["", "generation:", "generation:x", "valid:1", "generation:0123456789ab x"]) {
    const { version } = inner.read(key)!;
    inner.replace(key, text, { version, lastAccess: 1, ttl: 60, signal });
    for (const one of [browser, next]) {
      assertEquals((await assertRejects(() => one.send(subjectOf), SessionError)).status, 503);
    }
  }
});

/** The key of a subject's record, as its page says. */
async function recordKeyOf(subject: string): Promise<string> {
  const text = new TextEncoder().encode(`@pagi/session ended subject ${subject}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("destroyAll() ends sessions from before revocations was configured", async () => {
  const { clock, sessions, userOf, browser } = setUp();
  const store = new CookieStore({ secret: SECRET, now: clock.now });
  const before = new SessionMiddleware({ secret: "ids", store, now: clock.now, expire: EXPIRE });
  const [kept, ended] = [browser(undefined, before), browser(undefined, before)];
  for (const visitor of [kept, ended]) await visitor.visit(signIn("ada"));
  assertEquals([await userOf(kept.value), await userOf(ended.value)], ["ada", "ada"]);
  await sessions.destroyAll("ada", { except: kept.id! });
  assertEquals([await userOf(kept.value), await userOf(ended.value)], ["ada", undefined]);
});

Deno.test("the calls of revocations are as the documentation says", async () => {
  const { sessions, start, browser, counted } = setUp();
  const nobody = browser();
  assertEquals(await counted(() => nobody.visit((session) => session.set("n", 1))), "");
  assertEquals(await counted(() => nobody.visit((session) => session.get("n"))), "read");
  assertEquals(await counted(() => nobody.visit((session) => session.set("n", 2))), "read read");
  const ada = browser();
  assertEquals(await counted(() => ada.visit(signIn("ada"))), "read");
  assertEquals(await counted(() => ada.visit(subjectOf)), "read read");
  assertEquals(
    await counted(() => ada.visit((session) => session.set("n", 1))),
    "read read read read",
  );
  assertEquals(await counted(() => sessions.destroyAll("ada")), "read create");
  assertEquals(await counted(() => sessions.destroyAll("ada")), "read replace");
  const next = await start();
  assertEquals(
    await counted(() => next.visit((session) => session.regenerate())),
    "read read read read read create",
  );
  assertEquals(
    await counted(() => next.visit((session) => session.destroy())),
    "read read read replace",
  );
});

Deno.test("PAGI's get() and set() of a CookieStore know the sessions that were ended together", async () => {
  const { revocations, clock } = setUp();
  const store = new CookieStore({ secret: SECRET, revocations, now: clock.now });
  const id = "5".repeat(64);
  const { signal } = new AbortController();
  const data = { _created: clock.seconds(), _last_access: clock.seconds(), _subject: "ada", n: 1 };
  const before = await store.set(id, data);
  assertEquals((await store.get(before))?.n, 1);
  assertEquals(await store.endAll("ada", { signal }), true);
  assertEquals(await store.get(before), undefined);
  const after = await store.set(id, data);
  assertEquals((await store.get(after))?.n, 1);
  await store.endAll("ada", { except: id, signal });
  assertEquals((await store.get(after))?.n, 1);
  await assertRejects(() => store.endAll("ada", { except: "an id", signal }), TypeError);
  assertEquals(await new CookieStore({ secret: SECRET }).endAll("ada", { signal }), undefined);
});
