/** If a save fails, the request fails, and nothing has been sent. */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  MemoryStore,
  Session,
  type SessionApp,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
} from "@pagi/session";
import { Client, respond } from "../_kit/client.ts";
import { type Fault, FAULTS, FaultyStore, type Operation } from "../_kit/faulty_store.ts";
import { keyOf, verifierOf } from "../_kit/helpers.ts";

const set = (values: Record<string, unknown>): SessionApp => async (scope, _receive, send) => {
  new Session(scope).set(values);
  await respond(send);
};
const read: SessionApp = (_scope, _receive, send) => respond(send);
const regenerate: SessionApp = async (scope, _receive, send) => {
  new Session(scope).set("user", "ada").regenerate();
  await respond(send);
};
const destroy: SessionApp = async (scope, _receive, send) => {
  new Session(scope).destroy();
  await respond(send);
};

/** Creates a client with a session `{ a: 1 }` on a store that works for now. */
async function setUp() {
  const clock = { seconds: 1_700_000_000 };
  const now = () => clock.seconds * 1000;
  const inner = new MemoryStore({ now });
  const store = new FaultyStore(inner);
  const events: SessionEvent[] = [];
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now,
    storeTimeout: 0.001,
    onEvent: (event) => events.push(event),
  });
  const client = new Client(sessions.wrap(set({ a: 1 })));
  await client.request();
  store.calls.length = 0;
  const { cookie, id } = client;
  /** Runs an app while the store has a fault. Resolves to the error and to the events sent. */
  const fail = async (app: SessionApp, operation: Operation, kind: Fault, after = 0) => {
    store.fault = { operation, kind, after };
    const sent: unknown[] = [];
    const failing = sessions.wrap((scope, receive, send) =>
      app(scope, receive, (event) => send(event).then(() => void sent.push(event.type)))
    );
    const error = await assertRejects(() => new Client(failing, cookie).request(), SessionError);
    store.fault = undefined;
    return { error, sent };
  };
  return { clock, inner, store, events, sessions, cookie: cookie!, id: id!, fail };
}

for (const kind of FAULTS.filter((kind) => kind !== "gives an invalid answer")) {
  Deno.test(`run() fails before its handler when read() ${kind}`, async () => {
    const { fail, inner, sessions, store, cookie } = await setUp();
    let isRun = false;
    const { error, sent } = await fail(() => void (isRun = true), "read", kind);
    assertEquals([error.code, error.headers, sent, isRun], ["ERR_SESSION_STORE", [], [], false]);
    assertEquals(inner.size, 1);

    store.fault = { operation: "read", kind };
    const handler = sessions.handler(() => new Response("never"));
    const response = await handler(new Request("http://localhost/", { headers: { cookie } }));
    assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
    assertEquals(response.headers.get("set-cookie"), null);
  });
}

Deno.test("run() starts a new session when read() returns an invalid record", async () => {
  const { store, sessions, cookie, events, id } = await setUp();
  store.fault = { operation: "read", kind: "gives an invalid answer" };
  const client = new Client(sessions.wrap(set({ b: 2 })), cookie);
  await client.request();
  assertEquals(client.id === id, false);
  assertEquals(events.map(({ type }) => type), ["record-corrupt"]);
  store.fault = undefined;
  assertEquals((await sessions.load(requestOf(client)))?.slice("a", "b"), { b: 2 });
});

for (
  const text of [
    "",
    "nonsense",
    "[]",
    "null",
    "1",
    "{}",
    // Without a header, and with one.
    '{"_created":1700000000}',
    "s1:",
    "s1:VERIFIER",
    "s1:VERIFIER{}",
    's1:VERIFIER{"_created":"x"}',
    's1:VERIFIER r1 {"_created":1700000000',
    's2:VERIFIER{"_created":1700000000}',
  ]
) {
  Deno.test(`run() starts a new session when the record's text is ${JSON.stringify(text)}`, async () => {
    const { inner, sessions, cookie, events, id } = await setUp();
    const { version, lastAccess } = inner.read(keyOf(id))!;
    const signal = new AbortController().signal;
    const write = { version, lastAccess, ttl: 3600, signal };
    inner.replace(keyOf(id), text.replace("VERIFIER", verifierOf(id)), write);
    const client = new Client(sessions.wrap(set({ b: 2 })), cookie);
    await client.request();
    assertEquals(client.id === id, false);
    assertEquals(events.map(({ type }) => type), ["record-corrupt"]);
  });
}

for (const kind of FAULTS) {
  Deno.test(`run() sends nothing when create() ${kind}`, async () => {
    const { sessions, store } = await setUp();
    store.fault = { operation: "create", kind };
    const client = new Client(sessions.wrap(set({ a: 1 })));
    const error = await assertRejects(() => client.request(), SessionError);
    assertEquals([error.code, client.cookie], ["ERR_SESSION_STORE", undefined]);
    assertEquals(store.calls.filter((call) => call === "create").length, 1);
  });

  Deno.test(`run() sends nothing and does not try again when replace() ${kind}`, async () => {
    const { fail, store } = await setUp();
    const { error, sent } = await fail(set({ a: 2 }), "replace", kind);
    assertEquals([error.code, sent], ["ERR_SESSION_STORE", []]);
    assertEquals(store.calls, ["read", "replace"]);
  });

  Deno.test(`run() continues without a cookie when touch() ${kind}`, async () => {
    const { clock, store, sessions, cookie, events } = await setUp();
    clock.seconds += 60;
    store.fault = { operation: "touch", kind };
    const { cookies, events: sent } = await new Client(sessions.wrap(read), cookie).request();
    assertEquals([cookies, sent.length], [[], 2]);
    assertEquals(events.map(({ type }) => type), ["touch-failed"]);
  });

  Deno.test(`run() continues without a cookie when replace() ${kind} in place of a touch`, async () => {
    const { clock, store, sessions, cookie, events } = await setUp();
    clock.seconds += 60;
    store.fault = { operation: "replace", kind };
    const { cookies, events: sent } = await new Client(sessions.wrap(read), cookie).navigate();
    assertEquals([cookies, sent.length], [[], 2]);
    assertEquals(events.map(({ type }) => type), ["touch-failed"]);
    assertEquals(store.calls, ["read", "replace"]);
  });

  Deno.test(`destroy() fails and clears the cookie when delete() ${kind}`, async () => {
    const { fail, store, sessions, cookie } = await setUp();
    const { error, sent } = await fail(destroy, "delete", kind);
    assertEquals([error.code, sent], ["ERR_SESSION_STORE", []]);
    assertEquals(error.headers.map(([name]) => name), ["set-cookie", "cache-control"]);

    store.fault = { operation: "delete", kind };
    const client = new Client(sessions.wrap(set({ a: 1 })));
    await client.request();
    const handler = sessions.handler((_request, session) => {
      session.destroy();
      return new Response("signed out");
    });
    const response = await handler(requestOf(client));
    assertEquals(response.status, 503);
    assertEquals(response.headers.get("set-cookie")?.endsWith("Max-Age=0"), true);
    assertEquals(cookie === client.cookie, false);
  });

  Deno.test(`at most the old ID is valid when replace() ${kind} during a regeneration`, async () => {
    const { fail, inner, sessions, store, cookie } = await setUp();
    const { error, sent } = await fail(regenerate, "replace", kind);
    assertEquals([error.code, sent], ["ERR_SESSION_STORE", []]);
    assertEquals(store.calls, ["read", "replace"]);
    // If the call was applied, the new ID never left the process. No login took effect.
    const old = await sessions.load(requestOf(new Client(sessions.wrap(read), cookie)));
    assertEquals(old?.exists("user") ?? false, false);
    assertEquals(inner.size, 1);
  });
}

Deno.test("destroy() ends the session when a remote store has no room for the marker of the end", async () => {
  const { inner, store, sessions, cookie } = await setUp();
  const readNow = store.read.bind(store);
  store.read = (id, options) => Promise.resolve(readNow(id, options));
  store.fault = { operation: "replace", kind: "rejects" };
  const client = new Client(sessions.wrap(destroy), cookie);
  const { cookies } = await client.request();
  assertEquals(store.calls.slice(-3), ["read", "replace", "delete"]);
  assertEquals([inner.size, cookies.length, client.cookie], [0, 1, undefined]);
});

Deno.test("destroy() fails when a remote store neither takes the marker of the end nor deletes", async () => {
  const { inner, store, sessions, cookie } = await setUp();
  const fail = () => Promise.reject(new Error("connection lost"));
  const readNow = store.read.bind(store);
  store.read = (id, options) => Promise.resolve(readNow(id, options));
  store.replace = store.delete = fail;
  const client = new Client(sessions.wrap(destroy), cookie);
  const { code, headers } = await assertRejects(() => client.request(), SessionError);
  assertEquals([code, headers.map(([name]) => name), inner.size], [
    "ERR_SESSION_STORE",
    ["set-cookie", "cache-control"],
    1,
  ]);
});

Deno.test("storeTimeout aborts the signal that the store received", async () => {
  const { fail, store } = await setUp();
  await fail(set({ a: 2 }), "replace", "never settles");
  assertEquals(store.signals.map((signal) => signal.aborted).at(-1), true);
});

Deno.test("SessionError has the store's error as its cause and no ID in its message", async () => {
  const { fail, id } = await setUp();
  const { error } = await fail(set({ a: 2 }), "replace", "rejects");
  assertInstanceOf(error.cause, Error);
  assertEquals((error.cause as Error).message, "boom");
  for (const part of [keyOf(id), verifierOf(id)]) assertEquals(error.message.includes(part), false);
});

Deno.test("an aborted request emits an event when its delete() fails", async () => {
  const { sessions, store, cookie, events } = await setUp();
  store.fault = { operation: "delete", kind: "throws" };
  const app = sessions.wrap((scope) => {
    new Session(scope).destroy();
    throw new Error("app");
  });
  await assertRejects(() => new Client(app, cookie).request(), Error, "app");
  assertEquals(events.map(({ type }) => type), ["destroy-failed"]);
});

// A crash: one call never settles, and its process does nothing more.
for (
  const [name, app, calls] of [
    ["save", set({ a: 2 }), ["read", "replace"]],
    ["regenerate", regenerate, ["read", "replace"]],
    ["destroy", destroy, ["read", "delete"]],
  ] as const
) {
  for (const [at, operation] of calls.entries()) {
    for (const kind of ["never settles", "fails after it was applied"] as const) {
      Deno.test(`at most one session remains when a process crashes in ${name} at ${operation}() (call ${at}, ${kind})`, async () => {
        const { fail, sessions, cookie, inner, clock } = await setUp();
        await fail(app, operation, kind);
        const after = await sessions.load(requestOf(new Client(sessions.wrap(read), cookie)));
        // The old state, the new one, or an ended session: never a part of one.
        const allowed: unknown[] = [{ a: 1 }, name === "save" ? { a: 2 } : undefined, undefined];
        assertEquals(
          allowed.some((state) => JSON.stringify(state) === JSON.stringify(after?.slice("a"))),
          true,
        );
        // Leftover records expire, with the time that is added for clocks and for long requests.
        clock.seconds += 3600 + 60 + 3600 + 122;
        inner.read("0".repeat(64));
        assertEquals(inner.size, 0);
      });
    }
  }
}

Deno.test("no session is lost when the clock goes back and forward again", async () => {
  const clock = { seconds: 1_700_000_000 };
  const store = new MemoryStore();
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now: () => clock.seconds * 1000,
  });
  const client = new Client(sessions.wrap(set({ a: 1 })));
  await client.request();
  clock.seconds -= 86_400;
  assertEquals((await new Client(sessions.wrap(read), client.cookie).navigate()).cookies.length, 1);
  assertEquals(store.read(keyOf(client.id!))?.lastAccess, clock.seconds + 86_400);
  clock.seconds += 86_400;
  assertEquals((await sessions.load(requestOf(client)))?.get("a"), 1);
});

Deno.test("sessions end and do not come back when the clock jumps forward by a day", async () => {
  const { clock, sessions, cookie, id } = await setUp();
  clock.seconds += 86_400;
  const client = new Client(sessions.wrap(set({ b: 1 })), cookie);
  await client.request();
  assertEquals(client.id === id, false);
  clock.seconds -= 86_400;
  assertEquals((await sessions.load(requestOf(client)))?.get("b"), 1);
});

Deno.test("a record from the future is used when the store still has it", async () => {
  const { clock, sessions, cookie, inner, id } = await setUp();
  const key = keyOf(id);
  const { version, text } = inner.read(key)!;
  const signal = new AbortController().signal;
  inner.touch(key, { version, text, lastAccess: clock.seconds + 9999, ttl: 3600, signal });
  for (let visit = 0; visit < 3; visit++) {
    clock.seconds += 3000;
    await new Client(sessions.wrap(read), cookie).request();
  }
  assertEquals((await sessions.load(requestWith(cookie)))?.get("a"), 1);
});

for (
  const [name, spoil] of [
    ["no lastAccess", { lastAccess: undefined }],
    ["a lastAccess that is no number", { lastAccess: "1700000000" }],
    ["no version", { version: undefined }],
    ["no text", { text: undefined }],
  ] as const
) {
  Deno.test(`a record emits an event and is not used when it has ${name}`, async () => {
    const { inner, sessions, cookie, events } = await setUp();
    const whole = inner.read.bind(inner);
    inner.read = (id) => ({ ...whole(id)!, ...spoil }) as never;
    assertEquals(await sessions.load(requestWith(cookie)), undefined);
    assertEquals(events.map(({ type }) => type), ["record-corrupt"]);
  });
}

Deno.test("replace() receives the version unchanged when it is a number", async () => {
  const versions: unknown[] = [];
  const { inner, sessions, cookie, id } = await setUp();
  const [read, replace] = [inner.read.bind(inner), inner.replace.bind(inner)];
  inner.read = (id) => ({ ...read(id)!, version: 7 }) as never;
  inner.replace = (id, text, options) => {
    versions.push(options.version);
    return replace(id, text, { ...options, version: read(id)!.version }) && 8 as never;
  };
  await new Client(sessions.wrap(set({ a: 2 })), cookie).request();
  assertEquals([versions, (await inner.get(id))?.a], [[7], 2]);
});

Deno.test("a thenable is awaited once when it starts its work on each await", async () => {
  let started = 0;
  const { store, sessions } = await setUp();
  store.create = () => {
    return { then: (done: (version: string) => void) => done(`v${++started}`) } as never;
  };
  await new Client(sessions.wrap(set({ a: 1 }))).request();
  assertEquals(started, 1);
});

Deno.test("a session keeps its ID when regenerate() fails", async () => {
  const { store, sessions, cookie, id } = await setUp();
  store.fault = { operation: "replace", kind: "throws" };
  const seen: unknown[] = [];
  const app = sessions.wrap(async (scope, _receive, send) => {
    const session = new Session(scope).regenerate();
    await assertRejects(() => respond(send), SessionError);
    seen.push(session.id, scope["pagi.session"]._id, scope["pagi.session_id"]);
    throw new Error("app");
  });
  await assertRejects(() => new Client(app, cookie).request(), Error, "app");
  assertEquals(seen, [id, id, id]);
});

Deno.test("wrap() waits for the start of the response and rejects with its error when the app does not await it", async () => {
  const { store, sessions, cookie } = await setUp();
  const app = sessions.wrap((scope, _receive, send) => {
    scope["pagi.session"].a = 2;
    send({ type: "http.response.start", status: 200, headers: [] });
    send({ type: "http.response.body", body: "ok" });
  });
  assertEquals((await new Client(app, cookie).request()).events.length, 2);
  store.fault = { operation: "replace", kind: "rejects" };
  const other = sessions.wrap((scope, _receive, send) => {
    scope["pagi.session"].a = 3;
    send({ type: "http.response.start", status: 200, headers: [] });
    send({ type: "http.response.body", body: "ok" });
  });
  await assertRejects(() => new Client(other, cookie).request(), SessionError);
});

function requestWith(cookie: string): Request {
  return new Request("http://localhost/", { headers: { cookie } });
}

/** Returns the request that the client's browser would send to a fetch handler. */
function requestOf(client: Client): Request {
  return new Request("http://localhost/", { headers: { cookie: client.cookie ?? "" } });
}
