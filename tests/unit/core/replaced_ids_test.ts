/** Requests whose ID was replaced, and clients that send more than one ID. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  BearerState,
  CallbackState,
  type Session,
  SessionError,
  type SessionOptions,
} from "@pagi/session";
import { keyOf } from "../../../base/id.ts";
import { headerValue } from "../../../state/_headers.ts";
import { cookieOf, NAVIGATION, requestWith, rig } from "../../_kit/helpers.ts";

type Work = (session: Session) => unknown;
const write: Work = (session) => session.set("late", 1);

/** A client whose ID was replaced. */
async function client(act: "regenerate" | "rotate", options: Partial<SessionOptions> = {}) {
  const base = rig(options);
  const visit = async (cookie: string, work: Work, headers: Record<string, string> = {}) => {
    const response = await base.sessions.run(
      requestWith({ cookie, ...headers }),
      async (session) => {
        await work(session);
        return new Response();
      },
    );
    return response.headers.has("set-cookie") ? cookieOf(response) : undefined;
  };
  const refused = async (...call: Parameters<typeof visit>) =>
    (await assertRejects(() => visit(...call), SessionError)).code;
  const load = async (cookie: string) => {
    const session = await base.sessions.load(requestWith({ cookie }));
    return session?.slice(...session.keys());
  };
  const old = await base.signIn();
  const current = (await visit(old, (session) => session[act]()))!;
  return { ...base, visit, refused, load, old, current };
}

Deno.test("a page with a replaced ID starts a new session ten seconds and two minutes after", async () => {
  const { clock, refused, visit, load, old, current } = await client("regenerate");
  clock.advance(130);
  assertEquals(await refused(old, write, NAVIGATION), "ERR_SESSION_INTERRUPTED");
  clock.advance(1);
  const fresh = (await visit(old, write, NAVIGATION))!;
  assertEquals([await load(fresh), await load(current)], [{ late: 1 }, { n: 1 }]);
  assertEquals(keyOf(fresh) === keyOf(old), false);
});

Deno.test("a page with a replaced ID that only reads removes the cookie, so that a form on it can write", async () => {
  const { answer, clock, sessions, visit, load, old, current } = await client("regenerate");
  const read: Work = (session) => assertEquals(session.keys(), []);
  clock.advance(130);
  assertEquals(await visit(old, read, NAVIGATION), undefined);
  clock.advance(1);
  // Neither another request nor a response that shared caches may store.
  const shared = { headers: { "cache-control": "public" } };
  const open = await sessions.run(requestWith({ cookie: old, ...NAVIGATION }), () => {
    return new Response(null, shared);
  });
  assertEquals([open.headers.get("set-cookie"), await visit(old, read)], [null, undefined]);
  assertEquals(await visit(old, read, NAVIGATION), "pagi_session=");
  const form = cookieOf(await answer(new Response()));
  assertEquals([await load(form), await load(current)], [{ n: 1 }, { n: 1 }]);
});

Deno.test("a page without a replaced ID removes no cookie", async () => {
  const { clock, visit, current } = await client("regenerate");
  clock.advance(131);
  for (const cookie of ["", "other=1", "pagi_session=junk", `pagi_session=${"0".repeat(64)}`]) {
    assertEquals(await visit(cookie, () => {}, NAVIGATION), undefined);
  }
  assertEquals(await visit(current, () => {}, NAVIGATION), current);
});

Deno.test("another request with a replaced ID starts no session for an hour and two minutes", async () => {
  const { clock, refused, visit, load, old } = await client("regenerate", { expire: 86_400 });
  for (const advance of [0, 131, 3589]) {
    clock.advance(advance);
    assertEquals(await refused(old, write), "ERR_SESSION_INTERRUPTED");
    // One that only reads finds an empty session, and gets no cookie.
    assertEquals(await visit(old, (session) => assertEquals(session.keys(), [])), undefined);
  }
  clock.advance(1);
  assertEquals(await load((await visit(old, write))!), { late: 1 });
});

Deno.test("a logout with a replaced ID ends the session, and on a page, too", async () => {
  for (const headers of [{}, NAVIGATION]) {
    for (const age of [0, 131]) {
      const { clock, visit, load, old, current } = await client("regenerate");
      clock.advance(age);
      await visit(old, (session) => session.destroy(), headers);
      assertEquals(await load(current), undefined);
    }
  }
});

Deno.test("a client whose own code sends the ID starts a new session when its ID was replaced", async () => {
  const states = [
    new BearerState({ emit: "x-id" }),
    Object.assign(
      new CallbackState({
        extract: (scope) => headerValue(scope, "authorization")?.slice("Bearer ".length),
        inject: (headers, id) => void headers.push(["x-id", id]),
      }),
      { isExplicit: true },
    ),
  ];
  for (const state of states) {
    const { sessions } = rig({ state });
    const visit = async (id: string | null, work: Work) => {
      const headers: Record<string, string> = id === null ? {} : { authorization: `Bearer ${id}` };
      const response = await sessions.run(requestWith(headers), async (session) => {
        await work(session);
        return new Response();
      });
      return response.headers.get("x-id");
    };
    const old = await visit(null, (session) => session.set("n", 1));
    const current = await visit(old, (session) => session.regenerate());
    const seen: unknown[] = [];
    const fresh = await visit(
      old,
      (session) => seen.push(session.absence, session.set("late", 1).keys()),
    );
    assertEquals(seen, ["unknown", ["late"]]);
    await visit(current, (session) => seen.push(session.absence, session.keys()));
    assertEquals(seen.slice(2), [undefined, ["n"]]);
    // A logout ends the session all the same.
    await visit(old, (session) => session.destroy());
    await visit(current, (session) => seen.push(session.absence));
    await visit(fresh, (session) => seen.push(session.absence));
    assertEquals(seen.slice(4), ["unknown", undefined]);
  }
});

Deno.test("of the IDs of one session the current one counts, whatever their order", async () => {
  for (const act of ["rotate", "regenerate"] as const) {
    const { clock, visit, load, events, old, current } = await client(act);
    for (const both of [`${old}; ${current}`, `${current}; ${old}`]) {
      assertEquals([await load(both), await visit(both, () => {})], [{ n: 1 }, undefined]);
    }
    // The client has sent the new ID, so the grace of the other one ends.
    await visit(`${old}; ${current}`, write);
    clock.advance(151);
    assertEquals([await load(old), await load(current)], [undefined, { n: 1, late: 1 }]);
    assertEquals(events, []);
  }
});

Deno.test("a replaced ID counts for less than another active session, and for more than none", async () => {
  const { refused, visit, load, signIn, events, old } = await client("regenerate");
  const other = await signIn();
  assertEquals([await load(`${old}; ${other}`), await load(`${other}; ${old}`)], [{ n: 1 }, {
    n: 1,
  }]);
  await visit(`${old}; ${other}`, write);
  assertEquals(await load(other), { n: 1, late: 1 });
  const unknown = `pagi_session=${"0".repeat(64)}`;
  for (const both of [`${old}; ${unknown}`, `${unknown}; ${old}`]) {
    assertEquals(await refused(both, write), "ERR_SESSION_INTERRUPTED");
  }
  assertEquals(events, ["request-failed", "request-failed"]);
});

Deno.test("a logout ends the session when one of two replaced IDs is one that the record holds", async () => {
  for (const isFirst of [true, false]) {
    const { visit, load, old, current } = await client("regenerate");
    const planted = `pagi_session=${"0".repeat(32)}${keyOf(old)}`;
    const both = isFirst ? `${planted}; ${old}` : `${old}; ${planted}`;
    await visit(both, (session) => session.destroy());
    assertEquals(await load(current), undefined);
  }
});
