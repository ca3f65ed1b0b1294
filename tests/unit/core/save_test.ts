import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BearerState,
  CookieState,
  type Event,
  FirstState,
  MemoryStore,
  Session,
  SessionError,
} from "@pagi/session";
import { cookieOf, idOf, requestWith, rig } from "../../_kit/helpers.ts";
import { Client, respond } from "../../_kit/client.ts";
import { FaultyStore } from "../../_kit/faulty_store.ts";
import { ALL, ENDING, HOLDING, testOn, UNVERSIONED, VERSIONED } from "../../_kit/stores.ts";

const VALUE = "pagi_session=".length;
const valueOf = (cookie: string) => cookie.slice(VALUE);

/** Asserts that a promise rejects with a SessionError of this code. */
async function assertCode(code: string, promise: Promise<unknown>): Promise<SessionError> {
  const error = await assertRejects(() => promise, SessionError);
  assertEquals(error.code, code);
  return error;
}

testOn(
  ALL,
  "save() saves before the response, and resolves to the value that is sent",
  async (rig) => {
    const browser = rig.browser();
    let presented: string | undefined;
    const { cookies } = await browser.visit(async (session) => {
      session.set("n", 1);
      presented = await session.save();
      if (!rig.isWithClient) assertEquals((await rig.load(presented))?.n, 1);
    });
    assertEquals(presented, valueOf(cookieOf(cookies[0]!)));
    assertEquals(await rig.load(presented), { n: 1 });
  },
);

testOn(ALL, "save() resolves to the value that stays valid if nothing is sent", async (rig) => {
  const browser = await rig.start((session) => session.set("n", 1));
  for (const work of [() => {}, (session: Session) => session.set("n", 2)]) {
    const { value } = await browser.visit((session) => (work(session), session.save()));
    assertEquals(value, browser.value);
    assertNotEquals(await rig.load(value), undefined);
  }
});

testOn(
  ALL,
  "save() resolves to the new ID after regenerate(), rotate(), restart() and a new subject",
  async (rig) => {
    const changes = ["regenerate", "rotate", "restart", "subject"] as const;
    for (const change of changes) {
      const browser = await rig.start((session) => session.set("n", 1));
      const old = browser.value;
      const { value, cookies, id } = await browser.visit(async (session) => {
        if (change === "subject") session.subject = "ada";
        else session[change]().set("m", 2);
        const presented = await session.save();
        if (!rig.isWithClient) assertEquals(session.id, presented);
        return presented;
      });
      assertNotEquals(value, old, change);
      assertEquals(value, valueOf(cookieOf(cookies[0]!)), change);
      assertEquals(browser.id, id);
      assertNotEquals(await rig.load(value), undefined, change);
    }
  },
);

testOn(ENDING, "a login can hand out the only valid ID", {
  state: new FirstState(new BearerState(), new CookieState()),
}, async (rig) => {
  const first = await rig.sessions.run(requestWith(), async (session) => {
    return new Response(await session.set("cart", [1]).save());
  });
  const old = await first.text();
  const authorization = `Bearer ${valueOf(cookieOf(first))}`;
  assertEquals(authorization, `Bearer ${old}`);
  // With a CookieStore, the value is bound to the State that carries it.
  const planted: Record<string, string> = rig.isWithClient
    ? { cookie: cookieOf(first) }
    : { authorization };
  const response = await rig.sessions.run(requestWith(planted), async (session) => {
    session.subject = "ada";
    return new Response(await session.save());
  });
  const token = await response.text();
  const load = (value: string) => {
    const headers: Record<string, string> = rig.isWithClient
      ? { cookie: `pagi_session=${value}` }
      : { authorization: `Bearer ${value}` };
    return rig.sessions.load(requestWith(headers));
  };
  assertEquals((await load(token))?.subject, "ada");
  assertEquals(await load(old), undefined);
});

testOn(ALL, "save() resolves to undefined if the client will send nothing", async (rig) => {
  const fresh = await rig.browser().visit((session) => session.save());
  assertEquals([fresh.value, fresh.cookies], [undefined, []]);
  for (const end of ["destroy", "restart"] as const) {
    const browser = await rig.start((session) => session.set("n", 1));
    const { value, cookies } = await browser.visit((session) => session[end]().save());
    assertEquals(value, undefined);
    assertMatch(cookies[0]!, /Max-Age=0/);
  }
});

testOn(
  VERSIONED,
  "save() under a replaced ID has nothing to save, and a sign-in has",
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 1));
    const late = rig.browser(browser.value);
    await browser.visit((session) => session.regenerate());
    const { value, cookies } = await late.send((session) => session.save());
    assertEquals([value, cookies], [undefined, []]);
    const signedIn = await late.visit((session) => {
      session.subject = "ada";
      return session.save();
    });
    assertEquals(signedIn.value, late.value);
    assertEquals((await rig.load(browser.value))?.n, 1);
  },
);

testOn(ALL, "after save() the session is for reading", async (rig) => {
  await rig.browser().visit(async (session) => {
    const { data } = session.set("n", 1);
    const saved = session.save();
    for (
      const write of [
        () => session.set("n", 2),
        () => session.update("n", () => 2),
        () => session.delete("n"),
        () => session.clear(),
        () => session.regenerate(),
        () => session.rotate(),
        () => session.restart(),
        () => session.destroy(),
        () => session.subject = "ada",
      ]
    ) {
      const error = assertThrows(write, SessionError, "session.save()");
      assertEquals(error.code, "ERR_SESSION_COMMITTED");
    }
    assertThrows(() => (data as { n: number }).n = 2, TypeError);
    await saved;
    assertEquals(session.get("n"), 1);
    assertEquals(session.absence, undefined);
  });
});

testOn(ALL, "a second save() gives the same promise, and writes nothing", async (rig) => {
  let first: unknown;
  const { cookies } = await rig.browser().visit(async (session) => {
    session.set("n", 1);
    const saved = session.save();
    first = await saved;
    assertStrictEquals(session.save(), saved);
  });
  assertEquals(cookies.length, 1);
  assertEquals(rig.calls.filter((call) => call === "create").length, rig.isVersioned ? 1 : 0);
  assertNotEquals(first, undefined);
});

testOn(ALL, "save() that nobody awaits is awaited by the response", async (rig) => {
  const browser = rig.browser();
  const { cookies } = await browser.visit((session) => void session.set("n", 1).save());
  assertEquals(cookies.length, 1);
  assertEquals(await rig.load(browser.value), { n: 1 });
});

testOn(HOLDING, "save() before an exception keeps what it saved", async (rig) => {
  const browser = await rig.start((session) => session.set("n", 1));
  const boom = new Error("boom");
  const thrown = await assertRejects(() =>
    browser.visit(async (session) => {
      session.set("n", 2);
      await session.save();
      throw boom;
    })
  );
  assertStrictEquals(thrown, boom);
  assertEquals(await rig.load(browser.value), { n: 2 });
  assertEquals(rig.events.includes("headers-dropped"), false);
});

testOn(
  HOLDING,
  "save() that nobody awaits before an exception keeps what it saved",
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 1));
    await assertRejects(() =>
      browser.visit((session) => {
        session.set("n", 2).save();
        throw new Error("boom");
      })
    );
    assertEquals(await rig.load(browser.value), { n: 2 });
  },
);

testOn(ALL, "a cookie that no response can carry is an event", async (rig) => {
  await assertRejects(() =>
    rig.browser().visit(async (session) => {
      await session.set("n", 1).save();
      throw new Error("boom");
    })
  );
  assertEquals(rig.events.filter((type) => type === "headers-dropped").length, 1);
});

testOn(ALL, "a cookie of save() is on the response to a session error", async (rig) => {
  const handler = rig.sessions.handler(async (_request, session) => {
    await session.set("n", 1).save();
    throw new SessionError("ERR_SESSION_STORE", "Another session has failed");
  });
  const response = await handler(requestWith());
  assertEquals(response.status, 503);
  assertEquals(await rig.load(valueOf(cookieOf(response))), { n: 1 });
  assertEquals(response.headers.get("cache-control"), "no-store");
  assertMatch(response.headers.get("vary")!, /Cookie/);
});

testOn(ALL, "the response of a saved session is kept from shared caches", async (rig) => {
  const handler = rig.sessions.handler(async (_request, session) => {
    await session.set("n", 1).save();
    return new Response("", { headers: { "cache-control": "public" } });
  });
  const response = await handler(requestWith());
  assertEquals(response.headers.get("cache-control"), "private, no-store");
  assertEquals(rig.events.filter((type) => type === "public-response").length, 1);
});

testOn(
  VERSIONED,
  "save() in PAGI is on the app's own error page, and an outer page is an event",
  async (rig) => {
    for (const isOwnPage of [true, false]) {
      const client = new Client(rig.sessions.wrap(async (scope, _receive, send) => {
        const presented = await new Session(scope).set("n", 1).save();
        assertEquals(scope["pagi.session"]._id, presented);
        if (!isOwnPage) throw new Error("boom");
        await respond(send);
      }));
      if (isOwnPage) {
        const { cookies } = await client.request();
        assertEquals(cookies.length, 1);
        assertEquals(await rig.load(client.id), { n: 1 });
      } else {
        await assertRejects(() => client.request());
        assertEquals(rig.events.filter((type) => type === "headers-dropped").length, 1);
      }
    }
  },
);

testOn(
  VERSIONED,
  "save() and sessions.open(): commit adds the headers, also after abort",
  async (rig) => {
    for (const isAborted of [false, true]) {
      const open = await rig.sessions.open(requestWith());
      const presented = await open.session.set("n", 1).save();
      if (isAborted) await open.abort();
      const headers = new Headers();
      await open.commit(headers);
      await open.commit(headers);
      assertEquals(valueOf(cookieOf(headers.getSetCookie()[0]!)), presented);
      assertEquals(headers.getSetCookie().length, 1);
      assertEquals(headers.get("vary"), "Cookie");
    }
  },
);

testOn(VERSIONED, "commit() after abort() adds nothing if nothing was saved", async (rig) => {
  const open = await rig.sessions.open(requestWith());
  open.session.set("n", 1);
  await open.abort();
  const headers = new Headers();
  await open.commit(headers);
  assertEquals([...headers], []);
});

testOn(VERSIONED, "save() too late is an error, and not a second write", async (rig) => {
  const open = await rig.sessions.open(requestWith());
  open.session.set("n", 1);
  await open.commit(new Headers());
  const error = await assertCode("ERR_SESSION_COMMITTED", open.session.save());
  assertMatch(error.message, /Cannot save/);
  const aborted = await rig.sessions.open(requestWith());
  await aborted.abort();
  await assertCode("ERR_SESSION_COMMITTED", aborted.session.save());
});

testOn(VERSIONED, "save() of a session for reading is an error", async (rig) => {
  const browser = await rig.start((session) => session.set("n", 1));
  const loaded = await rig.sessions.load(requestWith({ cookie: `pagi_session=${browser.value}` }));
  await assertCode("ERR_SESSION_READ_ONLY", loaded!.save());
  await assertCode(
    "ERR_SESSION_READ_ONLY",
    (await rig.sessions.update(browser.id!, () => {})).save(),
  );
});

testOn(VERSIONED, "save() merges with other requests", async (rig) => {
  const browser = await rig.start((session) => session.set("n", 1));
  await browser.visit(async (session) => {
    await rig.browser(browser.value).visit((other) => other.update("n", (n) => Number(n) + 1));
    session.update("n", (n) => Number(n) + 1);
    await session.save();
  });
  assertEquals(await rig.load(browser.value), { n: 3 });
});

testOn(
  VERSIONED,
  "save() of a session that has ended is refused, and the response fails",
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 1));
    let caught: unknown;
    await assertCode(
      "ERR_SESSION_INTERRUPTED",
      browser.visit(async (session) => {
        await rig.sessions.destroy(browser.id!);
        caught = await session.set("n", 2).save().catch((error) => error);
      }),
    );
    assertEquals((caught as SessionError).code, "ERR_SESSION_INTERRUPTED");
    assertEquals(rig.events.filter((type) => type === "request-failed").length, 1);
  },
);

testOn(
  VERSIONED,
  "a handler that ends its own session after save() clears the cookie",
  async (rig) => {
    const browser = await rig.start((session) => session.subject = "ada");
    const { cookies } = await browser.visit(async (session) => {
      await session.regenerate().save();
      await rig.sessions.destroyAll("ada");
    });
    assertEquals(cookies.length, 1);
    assertMatch(cookies[0]!, /Max-Age=0/);
  },
);

testOn(UNVERSIONED, "save() writes once", async (rig) => {
  const browser = await rig.start((session) => session.set("n", 1));
  const { cookies, value } = await browser.visit((session) => session.set("n", 2).save());
  assertEquals(await rig.load(value), { n: 2 });
  assertEquals(cookies.length, rig.isWithClient ? 1 : 0);
});

for (const kind of ["throws", "rejects", "fails after it was applied"] as const) {
  for (
    const how of ["awaits it", "catches its error", "forgets to await it", "throws another error"]
  ) {
    Deno.test(`save() on a store that ${kind} fails the response if the handler ${how}`, async () => {
      const store = new FaultyStore(new MemoryStore());
      const { sessions, events } = rig({ store: store as never });
      store.fault = { operation: "create", kind };
      const boom = new Error("boom");
      const handler = sessions.handler(async (_request, session) => {
        const saved = session.set("n", 1).save();
        if (how === "awaits it") await saved;
        if (how === "catches its error") await saved.catch(() => {});
        if (how === "throws another error") throw boom;
        return new Response("fine");
      });
      if (how === "throws another error") {
        assertStrictEquals(await assertRejects(() => handler(requestWith())), boom);
      } else {
        const response = await handler(requestWith());
        assertEquals([response.status, response.headers.getSetCookie()], [503, []]);
      }
      assertEquals(store.calls.filter((call) => call === "create").length, 1);
      assertEquals(events.filter((type) => type === "request-failed").length, 1);
    });
  }
}

Deno.test("save() that failed does not write when it is called again", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { sessions } = rig({ store: store as never });
  store.fault = { operation: "create", kind: "rejects" };
  const open = await sessions.open(requestWith());
  const saved = open.session.set("n", 1).save();
  await assertCode("ERR_SESSION_STORE", saved);
  store.fault = undefined;
  assertStrictEquals(open.session.save(), saved);
  // The response fails once. Then an error response passes.
  const headers = new Headers();
  await assertRejects(async () => await open.commit(headers), SessionError);
  await open.commit(headers);
  assertEquals(headers.getSetCookie(), []);
  assertEquals(store.inner.size, 0);
});

Deno.test("save() in PAGI that failed lets an error page pass", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { sessions } = rig({ store: store as never });
  store.fault = { operation: "create", kind: "rejects" };
  const statuses: unknown[] = [];
  const app = sessions.wrap(async (scope, _receive, send) => {
    await assertCode("ERR_SESSION_STORE", new Session(scope).set("n", 1).save());
    await assertCode("ERR_SESSION_STORE", send({ type: "http.response.start", status: 200 }));
    await send({ type: "http.response.start", status: 503, headers: [] });
  });
  const send = (event: Event) => Promise.resolve(void statuses.push(event.status));
  const receive = () => Promise.reject();
  await app({ type: "http", headers: [] }, receive, send);
  assertEquals(statuses, [503]);
});

Deno.test("save() of values that cannot be stored fails and names them", async () => {
  const { sessions } = rig();
  const open = await sessions.open(requestWith());
  const error = await assertCode("ERR_SESSION_DATA", open.session.set("f", () => {}).save());
  assertMatch(error.message, /f/);
});

Deno.test("save() refuses a callback before anything is saved", async () => {
  const { sessions, store } = rig();
  const open = await sessions.open(requestWith());
  const save = open.session.set("n", 1).save as (callback: () => void) => unknown;
  assertThrows(() => save.call(open.session, () => {}), TypeError, "callback");
  assertEquals(store.size, 0);
  await open.commit(new Headers());
  assertEquals(store.size, 1);
});

Deno.test("save() of a test's own data stores nothing, and the session is for reading then", async () => {
  const session = Session.fromData<{ n?: number }>({ n: 1 });
  assertEquals(await session.save(), undefined);
  const error = assertThrows(() => session.set("n", 2), SessionError);
  assertEquals(error.code, "ERR_SESSION_COMMITTED");
  await assertCode("ERR_SESSION_COMMITTED", session.save());
});

Deno.test("save() waits for generateId() without losing what is written in the meantime", async () => {
  const { sessions, store } = rig({ generateId: () => Promise.resolve(idOf("b")) });
  const open = await sessions.open(requestWith());
  const saved = open.session.set("n", 1).regenerate().save();
  let isWritten = true;
  try {
    open.session.set("m", 2);
  } catch {
    isWritten = false;
  }
  const presented = await saved;
  assertEquals(presented, idOf("b"));
  const cookie = `pagi_session=${presented}`;
  assertEquals((await sessions.load(requestWith({ cookie })))!.exists("m"), isWritten);
  assertEquals(store.size, 1);
});
