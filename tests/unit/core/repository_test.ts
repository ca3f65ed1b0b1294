/** Writes that meet other writes, and calls whose answer was lost or that arrive twice. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type MemoryStore,
  type Session,
  SessionError,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import { keyOf, verifierOf } from "../../../base/id.ts";
import { decodeHeader, findJson } from "../../../base/record_header.ts";
import { cookieOf, NAVIGATION, requestWith, rig } from "../../_kit/helpers.ts";

type Work = (session: Session) => unknown;
type Operation = "read" | "create" | "replace" | "touch" | "delete";

const increment: Work = (session) => session.update("n", (n) => Number(n ?? 0) + 1);
const idIn = (cookie: string) => cookie.split("=")[1]!;

/** A store in another process: it answers with promises, and calls go wrong on the way. */
class RemoteStore {
  readonly inner: MemoryStore;
  /** Operations whose next call arrives twice. The caller gets the second answer. */
  readonly twice = new Set<Operation>();
  /** Operations that take effect and whose answer is lost. */
  readonly lost = new Set<Operation>();
  readonly calls: Operation[] = [];
  /** Runs once, between the first arrival of a call and the second. */
  between: (() => Promise<unknown>) | undefined;

  constructor(inner: MemoryStore) {
    this.inner = inner;
  }

  asStore(): VersionedStore {
    const call = (operation: Operation) => async (...args: unknown[]) => {
      this.calls.push(operation);
      const apply = () => (this.inner[operation] as (...args: unknown[]) => unknown)(...args);
      const answer = apply();
      await Promise.resolve();
      if (this.lost.has(operation)) throw new Error("connection reset");
      if (!this.twice.delete(operation)) return answer;
      await this.between?.();
      return apply();
    };
    const operations: Operation[] = ["read", "create", "replace", "touch", "delete"];
    return Object.fromEntries(
      operations.map((name) => [name, call(name)]),
    ) as unknown as VersionedStore;
  }
}

/** A client with a session whose `n` is 1. */
async function client(options: Partial<SessionOptions> = {}, isRemote = false) {
  const base = rig(options);
  const remote = new RemoteStore(base.store);
  const { sessions, events } = isRemote
    ? rig({ store: remote.asStore(), now: base.clock.now, ...options })
    : base;
  /** Runs a request with this cookie. Resolves to the cookie that it sends. */
  const visit = async (cookie: string, work: Work = () => {}, headers = {}) => {
    const response = await sessions.run(requestWith({ cookie, ...headers }), async (session) => {
      await work(session);
      return new Response();
    });
    return response.headers.has("set-cookie") ? cookieOf(response) : undefined;
  };
  const load = async (cookie: string) => {
    const session = await sessions.load(requestWith({ cookie }));
    return session?.slice(...session.keys());
  };
  const cookie = (await visit("", increment))!;
  const key = keyOf(idIn(cookie));
  const text = () => base.store.read(key)?.text;
  const header = () => decodeHeader(text()!, findJson(text()))!;
  remote.calls.length = 0;
  return { ...base, sessions, events, remote, visit, load, cookie, key, text, header };
}

const FIRST: [what: string, act: Work, isMerged: boolean][] = [
  ["another write", (session) => session.set("first", 1), true],
  ["rotate()", (session) => session.rotate(), true],
  ["regenerate()", (session) => session.regenerate(), false],
  ["a sign-in", (session) => session.subject = "ada", false],
  ["restart()", (session) => session.restart().set("first", 1), false],
  ["destroy()", (session) => session.destroy(), false],
];

for (const isRemote of [false, true]) {
  const where = isRemote ? "another process" : "this process";
  for (const [what, act, isMerged] of FIRST) {
    Deno.test(`a write is ${isMerged ? "merged" : "refused"} when ${what} comes first, with a store in ${where}`, async () => {
      const { visit, load, cookie } = await client({}, isRemote);
      let next: string | undefined;
      const late = visit(cookie, async (session) => {
        next = await visit(cookie, act) ?? cookie;
        session.set("late", 1);
      });
      if (isMerged) {
        assertEquals(await late, undefined);
        assertEquals((await load(next!))?.late, 1);
        return;
      }
      const error = await assertRejects(() => late, SessionError);
      assertEquals([error.code, error.headers], ["ERR_SESSION_INTERRUPTED", []]);
      assertEquals((await load(next!))?.late, undefined);
    });
  }

  Deno.test(`clear() of an empty session removes a key that comes first, with a store in ${where}`, async () => {
    const { visit, load, cookie } = await client({}, isRemote);
    await visit(cookie, (session) => session.delete("n"));
    await visit(cookie, async (session) => {
      await visit(cookie, increment);
      session.clear();
    });
    assertEquals(await load(cookie), {});
  });

  Deno.test(`two requests that rotate make one new ID, with a store in ${where}`, async () => {
    const { visit, load, cookie, header } = await client({}, isRemote);
    let next: string | undefined;
    const late = await visit(cookie, async (session) => {
      next = await visit(cookie, (session) => session.rotate());
      session.rotate().set("late", 1);
    });
    // The other response brings the new ID, and the old one is valid until then.
    assertEquals([late, header().verifier], [undefined, verifierOf(idIn(next!))]);
    for (const one of [cookie, next!]) assertEquals((await load(one))?.late, 1);
  });

  Deno.test(`a regeneration wins over a rotation that comes first, with a store in ${where}`, async () => {
    const { visit, load, cookie } = await client({}, isRemote);
    let rotated: string | undefined;
    const next = await visit(cookie, async (session) => {
      rotated = await visit(cookie, (session) => session.rotate());
      session.regenerate().set("late", 1);
    });
    assertEquals((await load(next!))?.late, 1);
    for (const one of [cookie, rotated!]) assertEquals(await load(one), undefined);
  });

  Deno.test(`a request in grace does not get the ID when its grace has ended, with a store in ${where}`, async () => {
    const { visit, load, cookie, clock } = await client({}, isRemote);
    const next = (await visit(cookie, (session) => session.rotate()))!;
    const late = await visit(cookie, async (session) => {
      await visit(next, (session) => session.set("first", 1));
      clock.advance(151);
      session.set("late", 1);
    });
    assertEquals([late, await load(next)], [undefined, { n: 1, first: 1, late: 1 }]);
  });

  Deno.test(`a page that renews the cookie does not bring a rotated ID back, with a store in ${where}`, async () => {
    const { visit, cookie, clock } = await client({}, isRemote);
    clock.advance(60);
    assertEquals(await visit(cookie, increment, NAVIGATION), cookie);
    clock.advance(60);
    const late = await visit(cookie, async (session) => {
      await visit(cookie, (session) => session.rotate());
      session.set("late", 1);
    }, NAVIGATION);
    assertEquals(late, undefined);
  });
}

Deno.test("a write is refused when the subject was another one in the meantime, although the ID stayed", async () => {
  const { visit, load, store, cookie } = await client();
  const id = idIn(cookie);
  const give = async (_subject: string | undefined) =>
    await store.set(id, { ...await store.get(id), _subject });
  const late = visit(cookie, async (session) => {
    await give("ada");
    await give(undefined);
    session.set("late", 1);
  });
  assertEquals((await assertRejects(() => late, SessionError)).code, "ERR_SESSION_INTERRUPTED");
  assertEquals(await load(cookie), { n: 1 });
});

Deno.test("a request in grace does not get an ID when a regeneration comes first", async () => {
  for (const isRemote of [false, true]) {
    const { visit, cookie } = await client({}, isRemote);
    const next = (await visit(cookie, (session) => session.rotate()))!;
    const regenerate: Work = (session) => session.regenerate();
    assertEquals(await visit(cookie, () => visit(next, regenerate)), undefined);
  }
});

Deno.test("a write whose call arrives twice counts once", async () => {
  for (const twice of [false, true]) {
    const { visit, load, cookie, remote, header } = await client({}, true);
    if (twice) remote.twice.add("replace");
    await visit(cookie, increment);
    assertEquals([(await load(cookie))?.n, header().tokens.length], [2, 1]);
  }
});

Deno.test("a new ID reaches the client when the call that wrote it arrives twice", async () => {
  for (const act of ["regenerate", "rotate"] as const) {
    const { visit, load, cookie, remote } = await client({}, true);
    remote.twice.add("replace");
    const next = await visit(cookie, (session) => increment(session[act]()));
    assertEquals(await load(next!), { n: 2 });
    remote.twice.clear();
    assertEquals(await load(cookie), act === "rotate" ? { n: 2 } : undefined);
  }
});

Deno.test("a rotation counts once when so many others have written that its token is gone", async () => {
  const { visit, load, cookie, remote, header } = await client({}, true);
  remote.twice.add("replace");
  let token: string | undefined;
  remote.between = async () => {
    token = header().tokens.at(-1)!.token;
    for (let count = 0; count < 40; count++) await visit(cookie, increment);
  };
  const next = await visit(cookie, (session) => increment(session.rotate()));
  assertEquals(header().tokens.some((one) => one.token === token), false);
  assertEquals([header().verifier, await load(next!)], [verifierOf(idIn(next!)), { n: 42 }]);
});

Deno.test("a new ID reaches the client when the answer of the call that wrote it is lost", async () => {
  for (const act of ["regenerate", "rotate"] as const) {
    const { visit, load, cookie, remote } = await client({}, true);
    remote.lost.add("replace");
    const next = await visit(cookie, (session) => increment(session[act]()));
    remote.lost.clear();
    assertEquals(await load(next!), { n: 2 });
  }
  // Without a new ID, the client can repeat the request.
  const { visit, cookie, remote } = await client({}, true);
  remote.lost.add("replace");
  const error = await assertRejects(() => visit(cookie, increment), SessionError);
  assertEquals([error.code, remote.calls], ["ERR_SESSION_STORE", ["read", "replace"]]);
});

Deno.test("a session is created when the call arrives twice, and not when its key is taken", async () => {
  const { visit, load, remote } = await client({}, true);
  remote.twice.add("create");
  assertEquals(await load((await visit("", increment))!), { n: 1 });
  const taken = await client({ generateId: () => "a".repeat(64) }, true);
  await assertRejects(
    () => taken.visit("", (session) => session.set("n", 2)),
    TypeError,
    "generateId returned the ID of another session",
  );
  assertEquals(await taken.load(taken.cookie), { n: 1 });
});

Deno.test("a new ID fails when generateId() repeats the first half of one that the session has had", async () => {
  let made = 0;
  const halves = ["a", "b", "a"];
  const generateId = () => (halves[made] ?? "c").repeat(32) + String(made++).padStart(32, "0");
  for (const isRemote of [false, true]) {
    made = 0;
    const { visit, load, cookie } = await client({ generateId }, isRemote);
    const next = (await visit(cookie, (session) => session.regenerate()))!;
    const refused = visit(next, (session) => session.regenerate().set("n", 2));
    await assertRejects(() => refused, TypeError, "generateId");
    assertEquals([await load(cookie), await load(next)], [undefined, { n: 1 }]);
  }
});

Deno.test("sessions.destroy() and destroy() succeed when their call arrives twice", async () => {
  const { sessions, visit, cookie, remote } = await client({}, true);
  remote.twice.add("replace");
  assertEquals(await sessions.destroy(idIn(cookie)), true);
  assertEquals(await sessions.destroy(idIn(cookie)), false);
  const other = (await visit("", increment))!;
  remote.twice.add("replace");
  await visit(other, (session) => session.destroy());
  assertEquals(remote.twice.size, 0);
  assertEquals(await sessions.destroy(idIn(other)), false);
});

Deno.test("of two calls of sessions.destroy() at the same time, one ends the session", async () => {
  for (const isRemote of [false, true]) {
    const { sessions, cookie } = await client({}, isRemote);
    const ended = await Promise.all([1, 2, 3].map(() => sessions.destroy(idIn(cookie))));
    assertEquals(ended.filter(Boolean).length, 1);
  }
});

Deno.test("the end of a session leaves a marker in a store in another process only", async () => {
  const near = await client();
  await near.visit(near.cookie, (session) => session.destroy());
  assertEquals([near.text(), near.store.size], [undefined, 0]);
  const far = await client({}, true);
  await far.visit(far.cookie, (session) => session.destroy());
  assert(/^ended:[0-9a-f]{12}$/.test(far.text()!));
  // A visitor with the old cookie is a new one, which nothing reports.
  assertEquals([await far.load(far.cookie), far.events], [undefined, []]);
});

Deno.test("only a store in another process needs tokens, and they are few", async () => {
  const near = await client();
  await near.visit(near.cookie, increment);
  assertEquals(near.header().tokens, []);
  const { visit, cookie, clock, header } = await client({}, true);
  for (let count = 0; count < 40; count++) await visit(cookie, increment);
  assertEquals(header().tokens.length, 33);
  clock.advance(151);
  // By the clock of a server that is ahead, all would be old. The second write drops them.
  await visit(cookie, increment);
  assertEquals(header().tokens.length, 33);
  await visit(cookie, increment);
  assertEquals(header().tokens.length, 2);
});

Deno.test("a request costs as few store calls as documented", async () => {
  const { visit, cookie, remote, sessions } = await client({}, true);
  const costs = async (work: () => unknown) => {
    remote.calls.length = 0;
    await work();
    return remote.calls.join();
  };
  assertEquals(await costs(() => visit(cookie)), "read");
  assertEquals(await costs(() => visit(cookie, increment)), "read,replace");
  const regenerated = { cookie };
  const regenerate = async () => {
    regenerated.cookie = (await visit(cookie, (session) => session.regenerate()))!;
  };
  assertEquals(await costs(regenerate), "read,replace");
  const rotated = { cookie: "" };
  const rotate = async () => {
    rotated.cookie = (await visit(regenerated.cookie, (session) => session.rotate()))!;
  };
  assertEquals(await costs(rotate), "read,replace");
  assertEquals(await costs(() => visit(regenerated.cookie)), "read,touch");
  assertEquals(await costs(() => visit(rotated.cookie)), "read");
  assertEquals(
    await costs(() => visit(rotated.cookie, (session) => session.destroy())),
    "read,replace",
  );
  assertEquals(await costs(() => sessions.destroy(idIn(cookie))), "read");
});

Deno.test("a request never moves the last-access time back", async () => {
  for (const isRemote of [false, true]) {
    const { visit, cookie, clock, store, key } = await client({}, isRemote);
    const { lastAccess } = store.read(key)!;
    for (const back of [1, 100, 1000]) {
      clock.advance(-back);
      await visit(cookie, increment);
      assertEquals(store.read(key)!.lastAccess, lastAccess);
    }
  }
});

Deno.test("a touch after a rotation notes the first request with the new ID, with one call", async () => {
  const { visit, cookie, clock, header, remote } = await client({}, true);
  const next = (await visit(cookie, (session) => session.rotate()))!;
  clock.advance(59);
  await visit(next);
  assertEquals(header().presentedAt, undefined);
  clock.advance(1);
  remote.calls.length = 0;
  await visit(next);
  assertEquals([header().presentedAt, remote.calls], [clock.seconds(), ["read", "replace"]]);
  clock.advance(60);
  remote.calls.length = 0;
  await visit(next);
  assertEquals([header().presentedAt, remote.calls], [clock.seconds() - 60, ["read", "touch"]]);
});

Deno.test("a touch that conflicts is left out, and the next one notes what it would have", async () => {
  const { visit, cookie, clock, header, events } = await client({}, true);
  const next = (await visit(cookie, (session) => session.rotate()))!;
  clock.advance(60);
  // The other request comes with the old ID, so it does not note anything.
  assertEquals(await visit(next, () => visit(cookie, increment)), undefined);
  assertEquals([header().presentedAt, events], [undefined, []]);
  clock.advance(60);
  await visit(next);
  assertEquals(header().presentedAt, clock.seconds());
});

Deno.test("a key alone allows a client to read, write and end nothing", async () => {
  const { visit, load, cookie, key } = await client();
  const planted = `pagi_session=${"0".repeat(32)}${key}`;
  const attack = async () => {
    const seen: unknown[] = [];
    for (
      const act of [
        (session: Session) => seen.push(session.keys().length),
        (session: Session) => session.destroy(),
      ]
    ) {
      await visit(planted, act);
    }
    await visit(planted, (session) => session.set("mallory", 1)).catch(() => {});
    return seen;
  };
  assertEquals(await attack(), [0]);
  const next = (await visit(cookie, (session) => session.regenerate()))!;
  assertEquals([await attack(), await load(next)], [[0], { n: 1 }]);
  // An ID that the session had once can end it, and do nothing else.
  await visit(cookie, (session) => session.destroy());
  assertEquals(await load(next), undefined);
});
