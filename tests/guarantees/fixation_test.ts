/** Session fixation: an attacker who plants an ID with a victim gains nothing. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryStore, type Session, SessionMiddleware, type SessionOptions } from "@pagi/session";
import { CookieStore } from "../../store/cookie.ts";
import { HashedStore } from "../../store/hashed.ts";
import { SealedStore } from "../../store/sealed.ts";
import { fakeClock, idOf, requestWith } from "../_kit/helpers.ts";
import { type Way, WAYS } from "../_kit/entry_points.ts";
import { PlainMap } from "../_kit/stores.ts";

const secret = "a secret of thirty-two bytes or so";

const STORES = {
  MemoryStore: (now: () => number) => new MemoryStore({ now }),
  "SealedStore on HashedStore": (now: () => number) =>
    new SealedStore(new HashedStore(new MemoryStore({ now })), { secret }),
  "CookieStore with revocations": (now: () => number) =>
    new CookieStore({ secret, revocations: new MemoryStore({ now }), now }),
  "a plain store": () => new PlainMap(),
};

/** Sets up a server, and clients that can send any ID. */
function setUp({ state, present, told }: Way, store: keyof typeof STORES = "MemoryStore") {
  const clock = fakeClock();
  const options: SessionOptions = {
    secret,
    state,
    store: STORES[store](clock.now),
    now: clock.now,
  };
  const sessions = new SessionMiddleware<{ user?: string }>(options);
  /** A visit by somebody who presents this; what the answer tells, and what the handler saw. */
  const visit = async (
    presented: string | undefined,
    act: (session: Session<{ user?: string }>) => unknown = () => {},
  ) => {
    const request = requestWith(presented === undefined ? {} : present(presented));
    let seen: { id: string | undefined; user: string | undefined };
    const response = await sessions.run(request, async (session) => {
      seen = { id: session.id, user: session.get("user", undefined) };
      await act(session);
      return new Response();
    });
    return { ...seen!, told: told(response) };
  };
  return { clock, sessions, visit };
}

const login = (session: Session<{ user?: string }>) => {
  session.subject = "victim";
  session.set("user", "victim");
};
const LOGINS: Record<string, (session: Session<{ user?: string }>) => unknown> = {
  "a new subject": login,
  "regenerate()": (session) => session.set("user", "victim").regenerate(),
};

for (const way of WAYS) {
  Deno.test(`${way.name}: run() never adopts an ID that the server did not issue`, async () => {
    const { visit } = setUp(way);
    for (const planted of [idOf("a"), idOf("0"), "0123456789abcdef".repeat(4)]) {
      const victim = await visit(planted, (session) => session.set("user", "victim"));
      assertNotEquals(victim.id, planted);
      assertEquals(victim.told, victim.id);
      const attacker = await visit(planted);
      assertEquals([attacker.user, attacker.id === planted], [undefined, false]);
    }
  });

  Deno.test(`${way.name}: run() does not adopt an ID when it was not stored, has ended or has expired`, async () => {
    const { clock, visit } = setUp(way);
    const unstored = (await visit(undefined)).id!;
    const ended = (await visit(undefined, (session) => session.set("user", "attacker"))).told!;
    await visit(ended, (session) => session.destroy());
    const expired = (await visit(undefined, (session) => session.set("user", "attacker"))).told!;
    clock.advance(3661);
    for (const planted of [unstored, ended, expired]) {
      const victim = await visit(planted, login);
      assertNotEquals(victim.told, planted);
      assertEquals([victim.told, victim.user], [victim.id, undefined]);
      assertEquals((await visit(planted)).user, undefined);
    }
  });

  for (const [how, act] of Object.entries(LOGINS)) {
    for (const store of Object.keys(STORES) as (keyof typeof STORES)[]) {
      Deno.test(`${way.name} on ${store}: the attacker's own ID is worthless when the victim logs in by ${how}`, async () => {
        const { clock, visit } = setUp(way, store);
        const planted = (await visit(undefined, (session) => session.set("user", "attacker")))
          .told!;
        const victim = await visit(planted, act);
        assert(victim.told !== undefined && victim.told !== planted);
        let live = victim.told;
        const look = async () => {
          const { user, told } = await visit(live);
          // An encrypted cookie is another one after each use that was noted.
          live = told ?? live;
          return user;
        };
        assertEquals(await look(), "victim");
        // Neither immediately nor when the ID has been forgotten.
        for (const seconds of [0, 59, 120, 600, 1800, 1800, 1800]) {
          clock.advance(seconds);
          assertEquals(await look(), "victim");
          const attacker = await visit(planted, (session) => session.keys());
          assertNotEquals(attacker.user, "victim");
          assert(attacker.told === undefined || attacker.told !== live);
        }
        assertEquals(await look(), "victim");
      });
    }
  }

  Deno.test(`${way.name}: the ID changes when the subject changes or regenerate() is called`, async () => {
    const { visit } = setUp(way);
    let id = (await visit(undefined, (session) => session.set("user", "x"))).told!;
    const acts: ((session: Session<{ user?: string }>) => unknown)[] = [
      (session) => session.subject = "ada",
      (session) => session.subject = "grace",
      (session) => session.subject = undefined,
      (session) => session.regenerate(),
      (session) => session.data._subject = "raw",
      (session) => session.data._regenerated = 1,
    ];
    const ids = new Set([id]);
    for (const act of acts) {
      const { told } = await visit(id, act);
      assert(told !== undefined && !ids.has(told), String(act));
      ids.add(told);
      assertEquals((await visit(id)).user, undefined);
      assertEquals((await visit(told)).user, "x");
      id = told;
    }
    // The same subject is not a change.
    assertEquals((await visit(id, (session) => session.subject = "raw")).told, undefined);
  });
}
