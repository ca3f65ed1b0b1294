import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  MemoryStore,
  Session,
  type SessionApp,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
  type StoredRecord,
} from "@pagi/session";
import { keyOf } from "../../../base/id.ts";
import { indexKeyOf } from "../../../core/subjects/subject_index.ts";
import { Client, respond } from "../../_kit/client.ts";
import { cookieOf, fakeClock, requestWith, rig } from "../../_kit/helpers.ts";
import { around } from "../../_kit/stores.ts";
import { refused, setUp } from "../../_kit/tabs.ts";

Deno.test("sessions.update() changes a session outside a request", async () => {
  const { sessions, stored, id } = await setUp();
  const saved = await sessions.update(id, (data) => data.n = Number(data.n) + 1);
  assertEquals([saved.get("n"), (await stored()).n], [1, 1]);
  assertEquals(assertThrows(() => saved.set("n", 2), SessionError).code, "ERR_SESSION_READ_ONLY");
});

Deno.test("sessions.update() runs its function again when another request wrote first", async () => {
  const { sessions, stored, id } = await setUp();
  let runs = 0;
  await sessions.update(id, async (data) => {
    if (runs++ === 0) await sessions.update(id, (other) => other.n = 10);
    data.n = Number(data.n) + 1;
  });
  assertEquals([runs, (await stored()).n], [2, 11]);
});

Deno.test("sessions.update() works while a response streams", async () => {
  const { sessions, cookie, stored } = await setUp();
  const app: SessionApp = async (scope, _receive, send) => {
    const session = new Session(scope).set("a", 2);
    await respond(send);
    await sessions.update(session, (data) => data.n = 1);
  };
  await new Client(sessions.wrap(app), cookie).request();
  assertEquals(await stored(), { n: 1, a: 2, b: 1 });
});

Deno.test("sessions.update() does not freeze or keep the caller's objects", async () => {
  const { sessions, id } = await setUp();
  const cart = { apples: 1 };
  await sessions.update(id, (data) => data.cart = cart);
  cart.apples = 2;
  assertEquals((await sessions.update(id, () => {})).get("cart"), { apples: 1 });
});

Deno.test("sessions.update() is interrupted when there is no such session", async () => {
  const { sessions, tab, id } = await setUp();
  const code = (id: string) => refused(sessions.update(id, () => {}));
  await tab((session) => session.regenerate());
  assertEquals(
    [await code(id), await code("0".repeat(64)), await code("nonsense")],
    Array(3).fill("ERR_SESSION_INTERRUPTED"),
  );
});

Deno.test("sessions.update() throws when its function regenerates or destroys", async () => {
  const { sessions, id } = await setUp();
  for (const key of ["_regenerated", "_destroyed", "_subject"] as const) {
    await assertRejects(() => sessions.update(id, (data) => data[key] = "x"), TypeError, "request");
  }
  await assertRejects(() => sessions.update("", () => {}), TypeError, "id");
});

Deno.test("sessions.destroy() ends a session by any ID it had, and says whether there was one", async () => {
  const { sessions, tab, stored, id } = await setUp();
  const moved = await tab((session) => session.regenerate());
  assertEquals(await sessions.destroy("nonsense"), false);
  assertEquals(await sessions.destroy(id), true);
  assertEquals(await stored(moved.id), {});
  for (const one of [id, moved.id, "nonsense"]) assertEquals(await sessions.destroy(one), false);
});

Deno.test("sessions.destroy() needs the key only, and sessions.update() a valid verifier", async () => {
  const { sessions, stored, id } = await setUp();
  const other = "0".repeat(32) + keyOf(id);
  assertEquals(await refused(sessions.update(other, () => {})), "ERR_SESSION_INTERRUPTED");
  assertEquals(await stored(), { n: 0, a: 1, b: 1 });
  assertEquals(await sessions.destroy(other), true);
  assertEquals(await stored(), {});
});

Deno.test("sessions.destroy() resolves to false for a session that has expired, and removes it", async () => {
  const { clock, sessions, signIn, store } = rig();
  const cookie = await signIn();
  clock.advance(3661);
  assertEquals([store.size, await sessions.destroy(cookie.split("=")[1]!), store.size], [
    1,
    false,
    0,
  ]);
});

/** Work that loads the session and keeps it, as a WebSocket does. */
async function held(options: Parameters<typeof rig>[0] = {}) {
  const base = rig(options);
  let cookie = await base.signIn();
  const act = async (work: (session: Session) => unknown) => {
    const response = await base.sessions.run(requestWith({ cookie }), async (session) => {
      await work(session);
      return new Response();
    });
    if (response.headers.has("set-cookie")) cookie = cookieOf(response);
  };
  const load = async () => (await base.sessions.load(requestWith({ cookie })))!;
  const idNow = async () => (await load()).id!;
  const update = (target: string | Session) => base.sessions.update(target, (data) => data.job = 1);
  return { ...base, act, idNow, load, update };
}

const signIn = (subject: string | undefined) => (session: Session) =>
  void (session.subject = subject);

Deno.test("sessions.update() follows a Session across rotate(), and an ID within the grace", async () => {
  const { act, clock, idNow, load, update } = await held();
  const [session, id] = [await load(), await idNow()];
  await act((session) => session.rotate());
  // The client has not sent the new ID yet, and an update by the server does not count.
  for (const target of [session, id, session, id]) {
    clock.advance(500);
    assertEquals((await update(target)).id, await idNow());
  }
  await act((session) => session.set("n", 2));
  clock.advance(151);
  assertEquals((await update(session)).id, await idNow());
  assertEquals(await refused(update(id)), "ERR_SESSION_INTERRUPTED");
});

Deno.test("sessions.update() follows a Session across regenerate() only with the same subject", async () => {
  const anonymous = await held();
  const early = await anonymous.load();
  await anonymous.act((session) => session.regenerate());
  assertEquals(await refused(anonymous.update(early)), "ERR_SESSION_INTERRUPTED");

  const { act, idNow, load, update } = await held();
  await act(signIn("ada"));
  const [session, id] = [await load(), await idNow()];
  await act((session) => session.regenerate());
  assertEquals((await update(session)).id, await idNow());
  assertEquals(await refused(update(id)), "ERR_SESSION_INTERRUPTED");
});

Deno.test("sessions.update() does not follow a Session when its subject has changed in between", async () => {
  const { act, load, update } = await held();
  const before = await load();
  await act(signIn("ada"));
  const asAda = await load();
  await act(signIn(undefined));
  await act(signIn("ada"));
  // The subject is the same again, but the user may have signed out in another tab.
  for (const session of [before, asAda]) {
    assertEquals(await refused(update(session)), "ERR_SESSION_INTERRUPTED");
  }
  await update(await load());
});

Deno.test("sessions.update() of an ID is interrupted when the ID is replaced in the meantime", async () => {
  for (const act of ["regenerate", "rotate"] as const) {
    const { act: visit, idNow, sessions, load } = await held();
    const id = await idNow();
    let runs = 0;
    const updated = sessions.update(id, async (data) => {
      if (++runs === 1) await visit((session) => session[act]().set("n", 2));
      data.job = runs;
    });
    if (act === "rotate") assertEquals((await updated).slice("n", "job"), { n: 2, job: 2 });
    else assertEquals(await refused(updated), "ERR_SESSION_INTERRUPTED");
    assertEquals((await load()).get("job", 0), act === "rotate" ? 2 : 0);
  }
});

Deno.test("sessions.update() can be called again with the session that it resolved to", async () => {
  const { act, load, update } = await held();
  const first = await update(await load());
  await act((session) => session.rotate());
  assertEquals((await update(await update(first))).get("job"), 1);
});

Deno.test("sessions.update() can be called with the session of a request that has ended", async () => {
  const { act, update } = await held();
  for (const work of ["set", "rotate", "regenerate", "restart", "subject"]) {
    let kept: Session | undefined;
    await act((session) => {
      kept = session;
      if (work === "rotate" || work === "regenerate" || work === "restart") session[work]();
      if (work === "subject") session.subject = "ada";
      session.set("n", 3);
    });
    assertEquals((await update(kept!)).slice("n", "job"), { n: 3, job: 1 }, work);
  }
});

Deno.test("sessions.update() is interrupted when it is given an index's key", async () => {
  const { sessions, signIn, store } = rig();
  await signIn();
  const key = await indexKeyOf("ada");
  const { signal } = new AbortController();
  const text = 'subject:{"epoch":"e","entries":[]}';
  for (const id of [key, keyOf(key)]) {
    store.create(id, text, { lastAccess: 1, ttl: 3600, signal });
  }
  assertEquals(await refused(sessions.update(key, () => {})), "ERR_SESSION_INTERRUPTED");
  assertEquals(await sessions.destroy(key), false);
  assertEquals([store.read(key)?.text, store.read(keyOf(key))?.text], [text, text]);
});

Deno.test("onEvent() announces a plain store once when the middleware is created", () => {
  const events: SessionEvent[] = [];
  const onEvent = (event: SessionEvent) => void events.push(event);
  const store = { get: () => undefined, set: () => undefined, delete: () => undefined };
  new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more", store, onEvent });
  new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more", onEvent });
  assertStrictEquals(events.map(({ type }) => type).join(), "store-without-guarantees");
});

Deno.test("sessions.update() does not extend the session", async () => {
  const { clock, sessions, store, signIn } = rig({ expire: 100 });
  const cookie = await signIn();
  const id = cookie.split("=")[1]!;
  const { lastAccess } = store.read(keyOf(id))!;
  clock.advance(90);
  await sessions.update(id, (data) => data.n = 2);
  assertEquals(store.read(keyOf(id))?.lastAccess, lastAccess);
  // `touchInterval` is 5 seconds here, and the last request may have been that much later.
  clock.advance(15);
  assertEquals((await sessions.load(requestWith({ cookie })))?.get("n"), 2);
  clock.advance(1);
  assertEquals(await sessions.load(requestWith({ cookie })), undefined);
});

Deno.test("regenerate() fails when generateId() returns the ID of another session", async () => {
  const { answer, store } = rig({ generateId: () => "1".repeat(64) });
  await answer(new Response());
  const { message } = await assertRejects(() => answer(new Response()), TypeError);
  assertEquals(
    message,
    "Cannot save the session: generateId returned the ID of another session. It must return 64 new " +
      "random hex digits each time",
  );
  assertEquals((await store.get("1".repeat(64)))?.n, 1);
});

Deno.test("sessions.update() never moves the last access back when a store's touch keeps the version", async () => {
  const clock = fakeClock();
  const inner = new MemoryStore({ now: clock.now });
  // The versions that the middleware knows; the contract leaves them as they are on a touch.
  const versions = new Map<string, string>();
  const store = around(inner, async (name, call, [key, ...args]) => {
    const given = args.at(-1) as { version?: string };
    const known = String(key);
    if (given.version !== undefined && given.version === versions.get(known)) {
      given.version = inner.read(known)?.version;
    }
    const answer = await call();
    if (name === "create" || name === "replace") versions.set(known, answer as string);
    return name === "read" && answer !== undefined
      ? { ...answer as StoredRecord, version: versions.get(known)! }
      : answer;
  });
  const options = {
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now: clock.now,
    expire: 600,
  };
  const sessions = new SessionMiddleware({ ...options, rolling: false });
  const visit = (cookie: string, work: (session: Session) => unknown) =>
    sessions.run(requestWith({ cookie }), (session) => (work(session), new Response()));
  const cookie = cookieOf(await visit("", (session) => session.set("n", 1)));
  let runs = 0;
  await sessions.update(cookie.split("=")[1]!, async (data) => {
    runs++;
    for (let minute = 0; minute < 15; minute++) {
      clock.advance(60);
      await visit(cookie, (session) => minute === 3 && runs === 1 && session.set("other", 1));
    }
    data.job = runs;
  });
  clock.advance(60);
  const session = await sessions.load(requestWith({ cookie }));
  assertEquals([session?.get("n"), session?.get("job")], [1, 2]);
});
