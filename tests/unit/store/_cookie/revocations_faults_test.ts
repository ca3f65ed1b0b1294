import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MemoryStore, type Session, SessionError, SessionMiddleware } from "@pagi/session";
import { CookieStore } from "../../../../store/cookie.ts";
import { secret } from "../../../_kit/cookie_store.ts";
import { type Fault, FAULTS, FaultyStore, type Operation } from "../../../_kit/faulty_store.ts";
import { cookieOf, fakeClock, idOf, requestWith } from "../../../_kit/helpers.ts";
import { destroy, regenerate } from "../../../_kit/revocations.ts";

const { signal } = new AbortController();

/** A client with a session, on a server whose revocations fail as told. */
async function setUp(kind: Fault, revocationCache = 0) {
  const clock = fakeClock();
  const faulty = new FaultyStore(new MemoryStore({ now: clock.now }));
  const revocations = new Proxy(faulty, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const answer: unknown = member.apply(target, args);
        // Nothing but a fault has to be waited for.
        if (answer instanceof Promise && kind.includes("settles")) timers.ring();
        return answer;
      };
    },
  });
  const store = new CookieStore({ secret, revocations, revocationCache, now: clock.now });
  const events: string[] = [];
  const sessions = new SessionMiddleware({
    secret: "the secret for IDs: 32 bytes or more",
    store,
    now: clock.now,
    onEvent: ({ type }) => void events.push(type),
  });
  const visit = (cookie: string, act: (session: Session) => unknown = () => {}) =>
    sessions.run(requestWith({ cookie }), async (session) => {
      await act(session);
      return new Response();
    });
  const cookie = cookieOf(await visit("", (session) => session.set("user", "ada")));
  events.length = 0;
  const fail = (operation: Operation, after = 0) => {
    faulty.fault = { operation, kind, after };
  };
  return { clock, faulty, sessions, visit, cookie, fail, events };
}

/** Timers that ring when they are told to: `storeTimeout` passes for what never comes, at once. */
const timers = {
  set: globalThis.setTimeout,
  waiting: [] as (() => void)[],
  ring() {
    this.set.call(globalThis, () => this.waiting.splice(0).forEach((call) => call()), 0);
  },
};

/** A test with these timers. */
function test(name: string, work: () => Promise<void>) {
  Deno.test(name, async () => {
    const wait = (call: () => void) => {
      timers.waiting.push(call);
      return 0;
    };
    Object.assign(globalThis, { setTimeout: wait });
    try {
      await work();
    } finally {
      Object.assign(globalThis, { setTimeout: timers.set });
      timers.waiting.length = 0;
    }
  });
}

for (const kind of FAULTS) {
  test(`a request is refused, and never let in, when revocations' read ${kind}`, async () => {
    const { sessions, visit, cookie, fail } = await setUp(kind);
    fail("read");
    let isRun = false;
    const error = await assertRejects(() => visit(cookie, () => isRun = true), SessionError);
    assertEquals([error.code, error.headers, isRun], ["ERR_SESSION_STORE", [], false]);
    const response = await sessions.handler(() => new Response())(requestWith({ cookie }));
    assertEquals([response.status, response.headers.get("set-cookie")], [503, null]);
    await assertRejects(() => sessions.load(requestWith({ cookie })), SessionError);
    // Who has no session is none of its business.
    await visit("", (session) => session.set("user", "bob"));
  });

  test(`a write sends nothing when revocations' second read ${kind}`, async () => {
    const { visit, cookie, fail } = await setUp(kind);
    fail("read", 1);
    const error = await assertRejects(
      () => visit(cookie, (session) => session.set("n", 1)),
      SessionError,
    );
    assertEquals([error.code, error.headers], ["ERR_SESSION_STORE", []]);
  });

  test(`a logout is an error with the cookie cleared when revocations' create ${kind}`, async () => {
    const { visit, cookie, fail } = await setUp(kind);
    fail("create");
    const error = await assertRejects(() => visit(cookie, destroy), SessionError);
    assertEquals(error.code, "ERR_SESSION_STORE");
    assertMatch(error.headers[0]![1], /Max-Age=0/);
  });

  test(`no new id is sent when revocations' create ${kind}`, async () => {
    const { visit, cookie, fail } = await setUp(kind);
    fail("create");
    const error = await assertRejects(() => visit(cookie, regenerate), SessionError);
    assertEquals([error.code, error.headers], ["ERR_SESSION_STORE", []]);
  });

  test(`no further id is sent and no logout succeeds when revocations' replace ${kind}`, async () => {
    const { visit, cookie, fail } = await setUp(kind);
    const next = cookieOf(await visit(cookie, regenerate));
    fail("replace");
    for (const act of [regenerate, destroy]) {
      const error = await assertRejects(() => visit(next, act), SessionError);
      assertEquals(error.code, "ERR_SESSION_STORE");
      const sent = error.headers.filter(([, value]) => !value.includes("Max-Age=0"));
      assertEquals(sent.filter(([name]) => name === "set-cookie"), []);
      // It may have been applied, although the answer was an error.
      if (kind === "fails after it was applied" || kind === "settles late") return;
    }
  });

  test(`a request goes on without a new cookie when a touch's read ${kind}`, async () => {
    const { visit, cookie, fail, clock, events } = await setUp(kind);
    clock.advance(60);
    fail("read", 1);
    const response = await visit(cookie);
    assertEquals(response.headers.get("set-cookie"), null);
    assertEquals(events, ["touch-failed"]);
  });
}

Deno.test("a failed lookup is not cached", async () => {
  const { visit, cookie, fail, faulty } = await setUp("rejects", 1000);
  fail("read");
  await assertRejects(() => visit(cookie), SessionError);
  faulty.fault = undefined;
  await visit(cookie);
  fail("read");
  await visit(cookie);
});

Deno.test("destroy() fails and does not hang when the store hides its record", async () => {
  const revocations = Object.assign(new MemoryStore(), { create: () => undefined });
  const store = new CookieStore({ secret, revocations });
  await assertRejects(() => store.end(idOf("1"), { signal }), Error, "others wrote its record");
});
