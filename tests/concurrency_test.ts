import {
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  MemoryStore,
  Session,
  type SessionApp,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
  type SessionScope,
} from "@pagi/session";
import { Client, respond } from "./_client.ts";

type Work = (session: Session, scope: SessionScope) => unknown;

/** Sessions on a MemoryStore, and a client whose session is `{ n: 0, a: 1, b: 1 }`. */
async function setUp() {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware({ secret: "test", store });
  const app = (work: Work) =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(new Session(scope), scope);
      await respond(send);
    });
  const client = new Client(app((session) => session.set({ n: 0, a: 1, b: 1 })));
  await client.request();
  const { cookie, id } = client as { cookie: string; id: string };
  /** One request of a tab that has the cookie as it was in the beginning. */
  const tab = (work: Work) => {
    const tab = new Client(app(work), cookie);
    return tab.request().then((answer) => ({ ...answer, id: tab.id! }));
  };
  const stored = async (of = id) => {
    const { _created, _last_access, _id, ...rest } = await store.get(of) ?? {};
    return rest;
  };
  return { store, sessions, tab, stored, id, cookie };
}

/** The code that a request is refused with. */
async function refused(request: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => request, SessionError)).code;
}

Deno.test("two requests that write different keys both keep them", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("a", 2).set("new", true));
    session.set("b", 2);
  });
  assertEquals(await stored(), { n: 0, a: 2, b: 2, new: true });
});

Deno.test("clear() of an empty session drops what others added meanwhile", async () => {
  const { tab, stored } = await setUp();
  await tab((session) => session.clear());
  await tab(async (session) => {
    await tab((other) => other.set("new", true));
    session.clear();
  });
  assertEquals(await stored(), {});
});

Deno.test("two requests that write one key: the last to commit wins", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("a", "first"));
    session.set("a", "last");
  });
  assertEquals((await stored()).a, "last");
});

Deno.test("a key that one request deletes stays deleted while another writes elsewhere", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("b", 2));
    session.delete("a");
  });
  await tab(async (session) => {
    await tab((other) => other.delete("b"));
    session.set("c", 1);
  });
  assertEquals(await stored(), { n: 0, c: 1 });
});

Deno.test("clear() drops what others added meanwhile, and keeps what was set after it", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("new", true));
    session.clear().set("only", 1);
  });
  assertEquals(await stored(), { only: 1 });
});

Deno.test("update() counts two when two tabs count", async () => {
  const { tab, stored } = await setUp();
  const count = (session: Session) => session.update("n", (n) => Number(n) + 1);
  await tab(async (session) => {
    await tab((other) => count(count(other)));
    count(session);
  });
  assertEquals((await stored()).n, 3);
});

Deno.test("update() twice in a request is replayed in order", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("n", 10));
    session.update("n", (n) => Number(n) + 1).update("n", (n) => Number(n) * 2);
  });
  assertEquals((await stored()).n, 22);
});

Deno.test("update() is not replayed when the key was written otherwise", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set({ n: 10, a: 10, b: 10 }));
    session.update("n", (n) => Number(n) + 1);
    session.set("n", 5);
    session.data.a = 7;
    session.update("a", (a) => Number(a) + 1);
    session.update("b", (b) => Number(b) + 1);
    session.data.b = 3;
  });
  assertEquals(await stored(), { n: 5, a: 8, b: 3 });
});

Deno.test("update() may change the value in place", async () => {
  const { tab, stored } = await setUp();
  const add = (item: string) => (session: Session) =>
    session.update("cart", (cart) => {
      const items = cart as string[] ?? [];
      items.push(item);
      return items;
    });
  await tab(async (session) => {
    await tab(add("tea"));
    add("milk")(session);
  });
  assertEquals((await stored()).cart, ["tea", "milk"]);
});

Deno.test("a reader goes on and sends nothing when the session was ended meanwhile", async () => {
  const { tab, store } = await setUp();
  const { cookies, events } = await tab(async () => void await tab((other) => other.destroy()));
  assertEquals([cookies, events.length, store.size], [[], 2, 0]);
});

Deno.test("a writer is interrupted when the session was ended meanwhile", async () => {
  const { tab, store } = await setUp();
  const write = tab(async (session) => {
    await tab((other) => other.destroy());
    session.set("a", 2);
  });
  assertEquals([await refused(write), store.size], ["ERR_SESSION_INTERRUPTED", 0]);
});

Deno.test("a writer is interrupted when the session got a new id meanwhile", async () => {
  const { tab, stored } = await setUp();
  let id = "";
  const write = tab(async (session) => {
    ({ id } = await tab((other) => other.set("user", "ada").regenerate()));
    session.set("a", 2);
  });
  assertEquals(await refused(write), "ERR_SESSION_INTERRUPTED");
  assertEquals(await stored(id), { n: 0, a: 1, b: 1, user: "ada" });
});

Deno.test("of two regenerations one wins, and one id is live", async () => {
  const { tab, store } = await setUp();
  let id = "";
  const losing = tab(async (session) => {
    ({ id } = await tab((other) => other.regenerate()));
    session.regenerate();
  });
  assertEquals(await refused(losing), "ERR_SESSION_INTERRUPTED");
  // The tombstone, and the winner's.
  assertEquals([store.size, (await store.get(id))?.a], [2, 1]);
});

Deno.test("a regeneration takes along what others wrote meanwhile", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab(async (session) => {
    await tab((other) => other.set("b", 2));
    session.set("user", "ada").regenerate();
  });
  assertEquals(await stored(id), { n: 0, a: 1, b: 2, user: "ada" });
});

Deno.test("a destroy ends the session though it got a new id meanwhile", async () => {
  const { tab, stored } = await setUp();
  let id = "";
  await tab(async (session) => {
    ({ id } = await tab((other) => other.set("user", "ada").regenerate()));
    session.destroy();
  });
  assertEquals(await stored(id), {});
});

Deno.test("a destroy ends the session though it was written to meanwhile", async () => {
  const { tab, store } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("b", 2));
    session.destroy();
  });
  assertEquals(store.size, 0);
});

Deno.test("a late request under the old id sees nothing, cannot write and sends nothing", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab((session) => session.set("user", "ada").regenerate());
  const { cookies } = await tab((session, scope) => {
    assertEquals([session.keys(), session.id, scope["pagi.session_id"]], [
      [],
      undefined,
      undefined,
    ]);
    for (
      const write of [
        () => scope["pagi.session"].a = 1,
        () => delete scope["pagi.session"].a,
        () => session.set("a", 1),
      ]
    ) {
      assertEquals(assertThrows(write, SessionError).code, "ERR_SESSION_INTERRUPTED");
    }
  });
  assertEquals([cookies, (await stored(id)).user], [[], "ada"]);
});

Deno.test("a late logout under the old id ends the session under its new one", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab((session) => session.set("user", "ada").regenerate());
  await tab((session) => session.destroy());
  assertEquals(await stored(id), {});
});

Deno.test("a late logout through the raw data ends the session under its new id", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab((session) => session.regenerate());
  const { cookies } = await tab((_session, scope) => scope["pagi.session"]._destroyed = 1);
  assertEquals([await stored(id), cookies.length], [{}, 1]);
});

Deno.test("a late answer does not put back the id that a login has replaced", async () => {
  const { tab, cookie, sessions } = await setUp();
  let sendLate = () => {};
  const slow = sessions.wrap(async (scope, _receive, send) => {
    new Session(scope).set("b", 2);
    await respond(send);
  });
  const client = new Client(
    (scope, receive, send) =>
      slow(scope, receive, async (event) => {
        if (event.type === "http.response.start") {
          await new Promise<void>((resolve) => sendLate = resolve);
        }
        await send(event);
      }),
    cookie,
  );
  const answer = client.request();
  await tab((session) => session.set("user", "ada").regenerate());
  sendLate();
  assertEquals((await answer).cookies, []);
});

Deno.test("two hundred updates at once all take, though the store is slow", async () => {
  const { store, sessions, stored, id } = await setUp();
  for (const name of ["read", "replace"] as const) {
    const method = store[name].bind(store) as (...args: unknown[]) => unknown;
    const slow = async (...args: unknown[]) => {
      await undefined;
      return method(...args);
    };
    Object.assign(store, { [name]: slow });
  }
  const count = () => sessions.update(id, (data) => data.n = Number(data.n) + 1);
  await Promise.all(Array.from({ length: 200 }, count));
  assertEquals((await stored()).n, 200);
});

Deno.test("a late logout that comes after the response is loud", async () => {
  const { tab, sessions, cookie } = await setUp();
  await tab((session) => session.regenerate());
  let checked = 0;
  const app = sessions.wrap(async (scope, _receive, send) => {
    await respond(send);
    const error = assertThrows(() => new Session(scope).destroy(), SessionError);
    assertEquals([error.code, ++checked], ["ERR_SESSION_COMMITTED", 1]);
  });
  await new Client(app, cookie).request();
  assertEquals(checked, 1);
});

/** A client with a session, on a clock that the test moves. */
async function setUpClock() {
  const clock = { seconds: 1_700_000_000 };
  const sessions = new SessionMiddleware({ secret: "test", now: () => clock.seconds * 1000 });
  const app = (work: Work) =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(new Session(scope), scope);
      await respond(send);
    });
  const client = new Client(app((session) => session.set("a", 1)));
  await client.request();
  return { clock, sessions, app, cookie: client.cookie! };
}

Deno.test("a destroy that comes minutes after a rotation still ends the session", async () => {
  const { clock, sessions, app, cookie } = await setUpClock();
  const rotating = new Client(app((session) => session.set("user", "ada").regenerate()), cookie);
  const slow = new Client(
    app(async (session) => {
      await rotating.request();
      clock.seconds += 600;
      session.destroy();
    }),
    cookie,
  );
  await slow.request();
  const request = new Request("http://localhost/", { headers: { cookie: rotating.cookie! } });
  assertEquals(await sessions.load(request), undefined);
});

Deno.test("a request under the old id is late however long the rotation took", async () => {
  const { clock, app, cookie } = await setUpClock();
  const login = app((session) => void (clock.seconds += 600, session.regenerate()));
  await new Client(login, cookie).request();
  const late = new Client(app((session) => assertEquals(session.id, undefined)), cookie);
  assertEquals((await late.request()).cookies, []);
});

Deno.test("a request under the old id is late for a minute", async () => {
  const { clock, app, cookie } = await setUpClock();
  await new Client(app((session) => session.regenerate()), cookie).request();
  clock.seconds += 61;
  const late = new Client(app((session) => session.set("b", 1)), cookie);
  assertEquals((await late.request()).cookies.length, 1);
  assertFalse(late.cookie === cookie);
});

Deno.test("a change of subject stops a merge", async () => {
  const { tab, stored } = await setUp();
  let id = "";
  const write = tab(async (session) => {
    ({ id } = await tab((other) => other.subject = "user-7"));
    session.set("a", 2);
  });
  assertEquals(await refused(write), "ERR_SESSION_INTERRUPTED");
  assertEquals((await stored(id)).a, 1);
});

Deno.test("sessions.update() changes a session outside a request", async () => {
  const { sessions, stored, id } = await setUp();
  const saved = await sessions.update(id, (data) => data.n = Number(data.n) + 1);
  assertEquals([saved.get("n"), (await stored()).n], [1, 1]);
  assertEquals(assertThrows(() => saved.set("n", 2), SessionError).code, "ERR_SESSION_READ_ONLY");
});

Deno.test("sessions.update() runs again when another write came first", async () => {
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

Deno.test("sessions.update() leaves the objects that were put in to the caller", async () => {
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

Deno.test("sessions.update() refuses what only a request can do", async () => {
  const { sessions, id } = await setUp();
  for (const key of ["_regenerated", "_destroyed", "_subject"] as const) {
    await assertRejects(() => sessions.update(id, (data) => data[key] = "x"), TypeError, "request");
  }
  await assertRejects(() => sessions.update("", () => {}), TypeError, "id");
});

Deno.test("sessions.destroy() ends a session, wherever it has moved, and twice", async () => {
  const { sessions, tab, stored, id } = await setUp();
  const moved = await tab((session) => session.regenerate());
  await sessions.destroy(id);
  assertEquals(await stored(moved.id), {});
  await sessions.destroy(id);
  await sessions.destroy("nonsense");
});

Deno.test("a writer that others always come before is refused in the end", async () => {
  const { sessions, store, tab, stored, id } = await setUp();
  const replace = store.replace.bind(store);
  let isNested = false;
  store.replace = (key, text, options) => {
    if (!isNested) {
      isNested = true;
      const { version } = store.read(key)!;
      replace(key, text, { ...options, version });
      isNested = false;
    }
    return replace(key, text, options);
  };
  assertEquals(await refused(tab((session) => session.set("a", 2))), "ERR_SESSION_CONFLICT");
  store.replace = replace;
  await sessions.update(id, (data) => data.a = 3);
  assertEquals((await stored()).a, 3);
});

Deno.test("a reader costs one read and at most one touch, a writer one read and one replace", async () => {
  const { store, tab } = await setUp();
  const calls: string[] = [];
  for (const name of ["read", "create", "replace", "touch", "delete"] as const) {
    const method = store[name].bind(store) as (...args: unknown[]) => unknown;
    Object.assign(store, { [name]: (...args: unknown[]) => (calls.push(name), method(...args)) });
  }
  await tab(() => {});
  await tab((session) => session.set("a", 2));
  assertEquals(calls, ["read", "read", "replace"]);
});

Deno.test("a plain store is announced once, when the middleware is made", () => {
  const events: SessionEvent[] = [];
  const onEvent = (event: SessionEvent) => void events.push(event);
  const store = { get: () => undefined, set: () => undefined, delete: () => undefined };
  new SessionMiddleware({ secret: "test", store, onEvent });
  new SessionMiddleware({ secret: "test", onEvent });
  assertStrictEquals(events.map(({ type }) => type).join(), "store-without-guarantees");
});
