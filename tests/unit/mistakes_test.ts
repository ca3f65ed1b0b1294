/** A newcomer's mistakes: each throws an error that says what to do. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type App, MemoryStore, Session, SessionMiddleware } from "@pagi/session";
import { elysiaSession } from "@pagi/session/elysia";
import { expressSession } from "@pagi/session/express";
import { honoSession } from "@pagi/session/hono";
import { oakSession } from "@pagi/session/oak";
import { MysqlStore } from "@pagi/session/store/mysql";
import { PostgresStore } from "@pagi/session/store/postgres";
import { SqliteStore } from "@pagi/session/store/sqlite";
import { DatabaseSync } from "node:sqlite";
import { call, requestWith, sentHeader } from "../_kit/helpers.ts";
import { SECRET, slow } from "../_kit/stores.ts";

// deno-lint-ignore no-explicit-any -- A mistake in JavaScript: the compiler would report it.
type Untyped = any;

const sessions: Untyped = new SessionMiddleware({ secret: SECRET, store: slow(new MemoryStore()) });

for (const adapter of [elysiaSession, expressSession, honoSession, oakSession]) {
  Deno.test(`${adapter.name}() throws when it gets no middleware`, () => {
    const given: Untyped[] = [undefined, { secret: SECRET }, SessionMiddleware, () => {}];
    for (const one of given) {
      assertThrows(
        () => (adapter as Untyped)(one),
        TypeError,
        `Cannot make ${adapter.name}: it takes a SessionMiddleware, new SessionMiddleware(options)`,
      );
    }
  });
}

Deno.test("an entry point throws when it gets no request", async () => {
  const handler: Untyped = sessions.handler(() => new Response());
  const respond = () => new Response();
  // The last one is a request of Node's http, given to an entry point for fetch requests.
  for (const wrong of [undefined, null, "http://localhost/", 7, {}, { headers: {} }]) {
    const isNode = typeof wrong === "object" && wrong !== null && "headers" in wrong;
    const calls = [() => handler(wrong), () => sessions.run(wrong, respond)];
    if (!isNode) calls.push(() => sessions.open(wrong), () => sessions.load(wrong));
    for (const call of calls) {
      await assertRejects(
        async () => void await call(),
        TypeError,
        "Cannot open the session: expected a fetch Request. For a request of Node's http, use " +
          "sessions.open() or an adapter",
      );
    }
  }
});

Deno.test("run() and handler() throw when they get no function", () => {
  assertThrows(() => sessions.run(requestWith()), TypeError, "Cannot run: expected a Request and");
  assertThrows(() => sessions.handler(), TypeError, "expected a function of the request and its");
});

/** Does something wrong with a session; resolves to the message. */
async function message(act: (session: Untyped) => unknown): Promise<string> {
  const error = await assertRejects(() =>
    sessions.run(requestWith(), (session: Untyped) => (act(session), new Response()))
  );
  return (error as Error).message;
}

for (
  const [mistake, act, expected] of [
    ["a subject is a number", (s) => s.subject = 7, "must be a string that is not empty"],
    ["update() gets a value", (s) => s.update("n", 1), "To write a value, use set()"],
    ["set() gets no value", (s) => s.set("n"), "it takes a key and a value, or an object"],
    [
      "a value is a promise",
      (s) => s.set("n", Promise.resolve()),
      "is a Promise, which JSON cannot " +
      "hold. Await it first",
    ],
    [
      "a value is a function",
      (s) => s.set("n", () => {}),
      "n is a function, which JSON cannot carry",
    ],
  ] as [string, (session: Untyped) => unknown, string][]
) {
  Deno.test(`a session says what to do when ${mistake}`, async () => {
    const said = await message(act);
    assert(said.endsWith(expected) || said.includes(expected), said);
  });
}

Deno.test("expressSession() throws when the app assigns req.session", async () => {
  const req: Untyped = { method: "GET", url: "/", headers: {} };
  const res: Untyped = Object.assign(Object.create({ headersSent: false }), {
    getHeaders: () => ({}),
  });
  await new Promise<void>((resolve, reject) => {
    expressSession(sessions)(req, res, (error) => error === undefined ? resolve() : reject(error));
  });
  // CommonJS files are in sloppy mode, in which an assignment that fails is ignored.
  for (const value of ["null", "{ user: 'ada' }"]) {
    const assign = new Function("req", `req.session = ${value}`);
    assertThrows(() => assign(req), TypeError, "or req.session.destroy() to end the session");
  }
  assert(req.session instanceof Session);
});

Deno.test("wrap() rejects and saves nothing when the app replaces the session in its scope", async () => {
  const replacing = (value: unknown): App => async (scope, _receive, send) => {
    scope["pagi.session"] = value;
    await send({ type: "http.response.start", status: 200, headers: [] });
  };
  await assertRejects(
    () => call(sessions.wrap(replacing({ user: "ada" }))),
    TypeError,
    'the app has replaced scope["pagi.session"]. Change its keys instead',
  );
  // Hiding the session is not a mistake.
  const sent = await call(sessions.wrap(replacing(undefined)));
  assertEquals(sentHeader(sent, "set-cookie"), []);
});

Deno.test("a SQL store says what to do when its table does not exist", async () => {
  using database = new DatabaseSync(":memory:");
  const missing = new SqliteStore(database);
  const advice = "no such table: pagi_sessions. Await the store's setup() when the app starts";
  const id = "a".repeat(32);
  assertThrows(() => missing.read(id), Error, advice);
  const { signal } = new AbortController();
  assertThrows(() => missing.create(id, "", { lastAccess: 1, ttl: 1, signal }), Error, advice);
  // The same by the errors of PostgreSQL and MySQL.
  const fails = (error: object) => () =>
    Promise.reject(Object.assign(new Error("It is missing"), error));
  const stores = [
    new PostgresStore({ query: fails({ code: "42P01" }) } as Untyped),
    new MysqlStore({ execute: fails({ errno: 1146 }) } as Untyped),
  ];
  for (const store of stores) {
    await assertRejects(() => store.read(id), Error, "It is missing. Await the store's");
  }
  // Other errors stay as they are.
  const other = new PostgresStore({ query: fails({ code: "57P01" }) } as Untyped);
  const { message } = await assertRejects(() => other.read(id), Error);
  assertEquals(message, "It is missing");
});
