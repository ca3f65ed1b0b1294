import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CookieState,
  type Extracted,
  HeaderState,
  Session,
  SessionError,
  SessionMiddleware,
} from "@pagi/session";
import { LegacyCookie, MigratingState, type MigratingStateOptions } from "@pagi/session/migrate";
import { migrationRig, OLD } from "../../_kit/migration.ts";
import { call, idOf, respond, scopeWith, sentHeader } from "../../_kit/helpers.ts";

const CLEARED = "old=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";

/** A State over these old sessions, which notes what it was asked. */
function stateOver(adopted: Record<string, string>, held: readonly string[] = []) {
  const asked: string[] = [];
  const state = new MigratingState({
    state: new CookieState(),
    legacy: new LegacyCookie({ cookieName: "old" }),
    sessions: {
      adopt(value) {
        asked.push(`adopt ${value}`);
        return adopted[value];
      },
      holds(presented) {
        asked.push(`holds ${presented}`);
        return held.includes(presented);
      },
    },
  });
  const extract = (cookie: string): Extracted | Promise<Extracted> =>
    state.extract(scopeWith({ cookie }));
  return { state, asked, extract };
}

Deno.test("MigratingState.extract() returns without a promise when there is no old cookie", () => {
  const { extract, asked } = stateOver({});
  assertEquals(extract("pagi_session=a"), "a");
  assertEquals(extract("x=1"), undefined);
  assertEquals(asked, []);
});

Deno.test("MigratingState.extract() sets mustInject when it finds an old session", async () => {
  const { extract, asked } = stateOver({ abc: "new" });
  assertEquals(await extract("old=abc"), { id: "new", mustInject: true });
  assertEquals(asked, ["adopt abc"]);
});

Deno.test("MigratingState.extract() finds our own session when there are both", async () => {
  const { extract, asked } = stateOver({ abc: "new" }, ["a"]);
  assertEquals(await extract("pagi_session=a; old=abc"), "a");
  assertEquals(asked, ["holds a"]);
});

Deno.test("MigratingState.extract() finds the old session when our own has ended", async () => {
  const { extract } = stateOver({ abc: "new" });
  assertEquals(await extract("pagi_session=a; old=abc"), { id: "new", mustInject: true });
  assertEquals(await extract("pagi_session=a; old=dead"), "a");
});

Deno.test("MigratingState.extract() looks up at most four of our own IDs", async () => {
  const { extract, asked } = stateOver({ abc: "new" }, ["5"]);
  const own = [1, 2, 3, 4, 5].map((at) => `pagi_session=${at}`).join("; ");
  await extract(`${own}; old=abc`);
  assertEquals(asked, ["holds 1", "holds 2", "holds 3", "holds 4", "adopt abc"]);
});

Deno.test("MigratingState.extract() returns all old sessions when there are several", async () => {
  const { extract } = stateOver({ a: "1", b: "2" });
  assertEquals(await extract("old=a; old=b"), ["1", "2"]);
});

Deno.test("MigratingState.extract() uses no old session when a client sends more of our IDs than it looks up", async () => {
  const values = ["mallory", "1", "2", "3", "ann"];
  const asked: string[] = [];
  const state = new MigratingState({
    state: new CookieState(),
    legacy: { extract: () => values },
    sessions: { adopt: (value) => void asked.push(value), holds: () => false },
  });
  assertEquals(await state.extract(scopeWith({ cookie: "pagi_session=a" })), "a");
  assertEquals(await state.extract(scopeWith({})), undefined);
  assertEquals(asked, []);
  const { extract } = stateOver({ mallory: "1", ann: "2" });
  assertEquals(await extract(values.map((value) => `old=${value}`).join("; ")), undefined);
});

Deno.test("MigratingState.vary has the headers of both States", () => {
  const state = new MigratingState({
    state: new HeaderState({ headerName: "X-Id" }),
    legacy: new LegacyCookie({ cookieName: "old" }),
    sessions: { adopt: () => undefined, holds: () => false },
  });
  assertEquals(state.vary, ["X-Id", "Cookie"]);
});

Deno.test("MigratingState.extract() keeps mustInject when our State sets it", async () => {
  const own = { id: "a", mustInject: true } as const;
  const asked: string[] = [];
  const state = new MigratingState({
    state: { extract: () => own, inject() {} },
    legacy: { extract: () => ({ id: "abc", mustInject: true }) },
    sessions: {
      holds: (presented) => asked.push(`holds ${presented}`) === 0,
      adopt: (value) => void asked.push(`adopt ${value}`),
    },
  });
  assertEquals(await state.extract(scopeWith()), own);
  assertEquals(asked, ["holds a", "adopt abc"]);
});

Deno.test("MigratingState() throws and names the option when it is wrong", () => {
  const right: MigratingStateOptions = {
    state: new CookieState(),
    legacy: new LegacyCookie({ cookieName: "old" }),
    sessions: { adopt: () => undefined, holds: () => false },
  };
  for (const name of ["state", "legacy", "sessions"] as const) {
    const wrong = { ...right, [name]: {} } as unknown as MigratingStateOptions;
    assertThrows(() => new MigratingState(wrong), TypeError, `${name} must have`);
  }
  const unknown = { ...right, store: {} };
  const refusal = "Cannot make MigratingState: there is no option";
  assertThrows(() => new MigratingState(unknown), TypeError, refusal);
});

Deno.test("a client gets our cookie and loses the old one when it only reads", async () => {
  for (const rolling of [true, false]) {
    const { visit } = migrationRig({ rolling });
    const { data, cookies, ours, response } = await visit(OLD, (session) => session.keys());
    assertEquals(data, { user: "ada" });
    assertEquals(cookies.length, 2);
    assertEquals(cookies[0], CLEARED);
    assertEquals(response.headers.get("cache-control"), "no-store");
    const next = await visit(ours!);
    assertEquals([next.data, next.cookies], [{ user: "ada" }, []]);
  }
});

Deno.test("a client is still signed in by its old cookie when the response was lost", async () => {
  const { visit, records } = migrationRig();
  const lost = await visit(OLD, (session) => session.set("n", 1));
  assertEquals(records.size, 0);
  const again = await visit(OLD);
  assertEquals(again.data, { user: "ada", n: 1 });
  assertEquals(again.ours, lost.ours);
});

Deno.test("a late response to an old cookie does not undo a login", async () => {
  const { visit } = migrationRig({ rolling: false });
  let login: Awaited<ReturnType<typeof visit>> | undefined;
  // It has read the session when the other one gives it a new id.
  const late = await visit(OLD, async (session) => {
    session.keys();
    login = await visit(OLD, (session) => session.regenerate());
  });
  assertEquals(late.cookies, []);
  assertEquals((await visit(login!.ours!)).data, { user: "ada" });
});

Deno.test("a client gets its ID when another request wrote in the meantime", async () => {
  const { visit } = migrationRig({ rolling: false });
  const first = await visit(OLD, async (session) => {
    await visit(OLD, (session) => session.set("a", 1));
    session.set("b", 2);
  });
  assert(first.ours !== undefined);
  assertEquals((await visit(first.ours)).data, { user: "ada", a: 1, b: 2 });
});

Deno.test("destroy() clears both cookies and is final for both", async () => {
  const { visit, records } = migrationRig();
  const { ours } = await visit(OLD);
  // What the old app, were it still there, would make of its cookie.
  assertEquals(records.size, 0);
  const logout = await visit(ours!, (session) => session.destroy());
  assertEquals(logout.cookies, [
    CLEARED,
    "pagi_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0",
  ]);
  // A record that comes back, from a replica or a backup, is no session either.
  records.set("abc", { user: "ada" });
  for (const cookie of [OLD, ours!]) assertEquals((await visit(cookie)).data, {});
});

Deno.test("a client gets no session and no cookie when it has two old sessions", async () => {
  const { visit, records } = migrationRig();
  records.set("def", { user: "eve" });
  const { data, cookies } = await visit("old=abc; old=def");
  assertEquals([data, cookies], [{}, []]);
});

Deno.test("load() and a WebSocket find an old session, and so does the next request", async () => {
  const { sessions, visit } = migrationRig();
  const scope = { ...scopeWith({ cookie: OLD }), type: "websocket" };
  assertEquals((await sessions.load(scope))?.get("user"), "ada");
  assertEquals((await visit(OLD)).data, { user: "ada" });
});

Deno.test("a PAGI app finds an old session", async () => {
  const { sessions } = migrationRig();
  const app = sessions.wrap(async (scope, receive, send) => {
    assertEquals(new Session(scope).get("user"), "ada");
    await respond(scope, receive, send);
  });
  const sent = await call(app, scopeWith({ cookie: OLD }));
  assertEquals(sentHeader(sent, "set-cookie").length, 2);
});

Deno.test("a request fails and changes no cookie when the store fails", async () => {
  const fail = () => {
    throw new Error("connection refused");
  };
  const { visit } = migrationRig({ legacy: { get: fail } });
  const error = await assertRejects(() => visit(OLD), SessionError);
  assertEquals([error.code, error.headers], ["ERR_SESSION_STORE", []]);
});

Deno.test("an ID is sent once when a State sets mustInject", async () => {
  const told: string[] = [];
  const cookie = new CookieState();
  const { sessions, store, visit } = migrationRig();
  const { ours } = await visit("", (session) => session.set("a", 1));
  const id = ours!.split("=")[1]!;
  const other = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    rolling: false,
    now: Date.now,
    expire: 10 * 365 * 86_400,
    state: {
      extract: () => ({ id, mustInject: true }),
      inject: (headers, id, options) => {
        told.push(id);
        cookie.inject(headers, id, options);
      },
    },
  });
  await other.run(new Request("http://localhost/"), () => new Response());
  assertEquals(told, [id]);
  assert(await sessions.load(scopeWith({ cookie: ours! })) !== undefined);
});

Deno.test("an ID without a session is not sent when a State sets mustInject", async () => {
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    state: { extract: () => ({ id: idOf("a"), mustInject: true }), inject: () => fail() },
  });
  await sessions.run(new Request("http://localhost/"), () => new Response());
});

function fail(): never {
  throw new Error("must not be called");
}
