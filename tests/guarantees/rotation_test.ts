import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { MemoryStore, Session, SessionError, SessionMiddleware } from "@pagi/session";
import { Client, respond } from "../_kit/client.ts";
import { FaultyStore } from "../_kit/faulty_store.ts";
import { cookieOf, requestWith, rig } from "../_kit/helpers.ts";
import { refused, setUp, type Work } from "../_kit/tabs.ts";

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
  const now = () => clock.seconds * 1000;
  const store = new MemoryStore({ now });
  const sessions = new SessionMiddleware({ secret: "test", store, now });
  const app = (work: Work) =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(new Session(scope), scope);
      await respond(send);
    });
  const client = new Client(app((session) => session.set("a", 1)));
  await client.request();
  return { store, clock, sessions, app, cookie: client.cookie! };
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
  clock.seconds += 60;
  const late = new Client(app((session) => session.set("b", 1)), cookie);
  assertEquals(await refused(late.request()), "ERR_SESSION_INTERRUPTED");
  clock.seconds += 1;
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

Deno.test("a regeneration is a use of the session, whoever wrote meanwhile", async () => {
  const { clock, app, store, cookie } = await setUpClock();
  clock.seconds += 50;
  const rotating = new Client(
    app(async (session) => {
      await new Client(app((other) => other.set("b", 2)), cookie).request();
      session.regenerate();
    }),
    cookie,
  );
  await rotating.request();
  assertEquals(store.read(rotating.id!)?.lastAccess, clock.seconds);
});

Deno.test("an old id tells of its session beside ids of none, and not beside a live one", async () => {
  const { answer, sessions, signIn } = rig();
  const old = await signIn();
  const live = cookieOf(
    await sessions.run(requestWith({ cookie: old }), (session) => {
      session.regenerate();
      return new Response();
    }),
  );
  const dead = `pagi_session=${"0".repeat(64)}`;
  for (const cookie of [`${old}; ${dead}`, `${dead}; ${old}`]) {
    const late = answer(new Response(), { cookie });
    assertEquals(await refused(late), "ERR_SESSION_INTERRUPTED");
  }
  for (const cookie of [`${old}; ${live}`, `${live}; ${old}`]) {
    assertEquals((await sessions.load(requestWith({ cookie })))?.get("n"), 1);
  }
});

Deno.test("a late logout that fails is told of once, and its response depends on the cookie", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { sessions, signIn, events } = rig({ store });
  const cookie = await signIn();
  const act = (cookie: string, act: "regenerate" | "destroy") =>
    sessions.run(requestWith({ cookie }), (session) => {
      session[act]();
      return new Response();
    });
  await act(cookie, "regenerate");
  store.fault = { operation: "delete", kind: "throws" };
  assertEquals(await refused(act(cookie, "destroy")), "ERR_SESSION_STORE");
  assertEquals(events, []);
  store.fault = undefined;
  assertEquals((await act(cookie, "destroy")).headers.get("vary"), "Cookie");
});

Deno.test("a regeneration whose new session is ended before anybody knows it is interrupted", async () => {
  const { store, sessions, tab, id } = await setUp();
  const { create, replace } = MemoryStore.prototype;
  let fresh = "";
  store.create = (...args) => {
    fresh = args[0];
    return create.apply(store, args);
  };
  let isFirst = true;
  store.replace = (key, text, options) => {
    if (!isFirst) return replace.call(store, key, text, options);
    isFirst = false;
    // Another write comes first, and so does who ends the new session, as destroyAll() can.
    const { version, ...other } = store.read(key)!;
    replace.call(store, key, other.text, { ...options, version });
    store.delete(fresh, { ...options, version: store.read(fresh)!.version });
    return undefined;
  };
  assertEquals(await refused(tab((session) => session.regenerate())), "ERR_SESSION_INTERRUPTED");
  assertEquals((await sessions.update(id, () => {})).get("n"), 0);
});
