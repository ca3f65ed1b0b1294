/**
 * A handler that ends its own session by a call of the server goes on as after `session.destroy()`.
 * Nobody else's cookie is cleared.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { HeaderState, MemoryStore, Session, SessionError, SessionMiddleware } from "@pagi/session";
import { keyOf } from "../../base/id.ts";
import { Browser, FORM, PAGE } from "../_kit/browser.ts";
import { Client, respond } from "../_kit/client.ts";
import { requestWith } from "../_kit/helpers.ts";
import { around, ENDING, type Rig, SECRET, testOn, VERSIONED } from "../_kit/stores.ts";

const signIn = (session: Session) => void (session.set("n", 1).subject = "ada");

/** The calls by which a handler can end its own session. */
const ENDS: Readonly<Record<string, (rig: Rig, session: Session, id: string) => unknown>> = {
  destroyAll: ({ sessions }) => sessions.destroyAll("ada"),
  "destroyAll, except another one": ({ sessions }) =>
    sessions.destroyAll("ada", { except: "0".repeat(64) }),
  "destroy of the Session": ({ sessions }, session) => sessions.destroy(session as never),
  "destroy of the ID": ({ sessions }, _session, id) => sessions.destroy(id),
};
const LISTED: typeof ENDS = {
  async destroyListed({ sessions }, _session, id) {
    const listed = await sessions.list("ada", { current: id });
    const { hash } = listed.find(({ current }) => current)!;
    assert(await sessions.destroyListed("ada", hash));
  },
};

for (
  const [stores, ends] of [[ENDING, ENDS], [VERSIONED, LISTED]] as const
) {
  for (const [name, end] of Object.entries(ends)) {
    testOn(
      stores,
      `the cookie is cleared after ${name}, and later writes are dropped`,
      async (rig) => {
        for (
          const act of [
            () => {},
            (session: Session) => void session.get("n", 0),
            (session: Session) => void session.set("flash", "You are signed out everywhere"),
            (session: Session) => void session.update("n", (n) => Number(n) + 1),
            (session: Session) => void session.regenerate(),
            (session: Session) => void session.destroy(),
            (session: Session) => void (session.data.flash = "Bye"),
          ]
        ) {
          const browser = await rig.start(signIn);
          const [id, old] = [browser.id!, browser.value];
          const { response, cookies } = await browser.visit(async (session) => {
            await end(rig, session, id);
            act(session);
          }, FORM);
          assertEquals(cookies.length, 1);
          assertMatch(cookies[0]!, /^pagi_session=; .*Max-Age=0/);
          assertEquals(response.headers.get("cache-control"), "no-store");
          assertEquals([browser.value, await rig.load(old)], [undefined, undefined]);
          assertEquals(rig.events, []);
        }
      },
    );

    testOn(stores, `restart() goes on with a new session after ${name}`, async (rig) => {
      for (const isFirst of [true, false]) {
        const browser = await rig.start(signIn);
        const [id, old] = [browser.id!, browser.value];
        const { cookies } = await browser.visit(async (session) => {
          if (!isFirst) await end(rig, session, id);
          const { subject } = session;
          session.restart().set("flash", `Signed out, ${subject}`);
          if (!isFirst) return;
          // The new session has no ID yet by which `destroy` could name it.
          await (name === "destroy of the Session"
            ? rig.sessions.destroy(id)
            : end(rig, session, id));
        }, FORM);
        assertEquals(cookies.length, 1);
        assertEquals(await rig.load(browser.value), { flash: "Signed out, ada" });
        assertEquals(await rig.load(old), undefined);
        const page = await browser.visit(
          (session) => [session.subject, session.get("flash")],
          PAGE,
        );
        assertEquals(page.value, [undefined, "Signed out, ada"]);
      }
    });
  }
}

testOn(
  ENDING,
  "restart() after destroyAll() without anything in it clears the cookie",
  async (rig) => {
    const browser = await rig.start(signIn);
    const { cookies } = await browser.visit(async (session) => {
      await rig.sessions.destroyAll("ada");
      session.restart();
    });
    assertMatch(cookies[0]!, /Max-Age=0/);
  },
);

testOn(
  ENDING,
  "the same user can sign in again in the request that signed them out",
  async (rig) => {
    const [browser, other] = [await rig.start(signIn), await rig.start(signIn)];
    await browser.visit(async (session) => {
      await rig.sessions.destroyAll("ada");
      session.restart().set("n", 2).subject = "ada";
    });
    assertEquals([await rig.load(browser.value), await rig.load(other.value)], [
      { n: 2 },
      undefined,
    ]);
  },
);

testOn(
  ENDING,
  "assigning the subject after destroyAll() signs in with a new session",
  async (rig) => {
    for (const subject of ["ada", "bob"]) {
      const [browser, other] = [await rig.start(signIn), await rig.start(signIn)];
      const id = browser.id!;
      const { cookies } = await browser.visit(async (session) => {
        session.set("n", 2);
        await rig.sessions.destroyAll("ada");
        session.subject = subject;
        session.set("m", 3).subject = subject;
      });
      assertEquals(cookies.length, 1);
      assertEquals([await rig.load(browser.value), await rig.load(other.value)], [
        { m: 3 },
        undefined,
      ]);
      assert(keyOf(browser.id!) !== keyOf(id));
      assertEquals((await browser.visit((session) => session.subject)).value, subject);
      await rig.sessions.destroyAll(subject);
      assertEquals(await rig.load(browser.value), undefined);
    }
  },
);

testOn(
  ENDING,
  "a subject that was assigned before destroyAll() signs in with a new session",
  async (rig) => {
    // An app whose subjects are addresses ends the sessions of the old one.
    const change = async (session: Session) => {
      session.set("n", 2).subject = "bob";
      await rig.sessions.destroyAll("ada");
      session.set("m", 3);
    };
    const changeValues = async ({ data }: Session) => {
      data.n = 2;
      await rig.sessions.destroyAll("ada");
      Object.assign(data, { _subject: "bob", m: 3 });
    };
    for (const work of [change, changeValues]) {
      const [browser, other] = [await rig.start(signIn), await rig.start(signIn)];
      const id = browser.id!;
      rig.clock.advance(1000);
      const { cookies } = await browser.visit(work);
      assertEquals(cookies.length, 1);
      assert(keyOf(browser.id!) !== keyOf(id));
      assertEquals([await rig.load(browser.value), await rig.load(other.value)], [
        { n: 2, m: 3 },
        undefined,
      ]);
      const now = Math.floor(rig.clock.now() / 1000);
      const { value } = await browser.visit(({ subject, data }) => [subject, data._created]);
      assertEquals(value, ["bob", now]);
      await rig.sessions.destroyAll("bob");
      assertEquals(await rig.load(browser.value), undefined);
    }
  },
);

testOn(
  ENDING,
  "destroyAll() that keeps the handler's own session changes nothing for it",
  async (rig) => {
    const browser = await rig.start(signIn);
    const { cookies } = await browser.visit(async (session) => {
      await rig.sessions.destroyAll("ada", { except: session as never });
      session.set("n", 2);
    });
    assertEquals(cookies.filter((one) => one.includes("Max-Age=0")), []);
    assertEquals(await rig.load(browser.value), { n: 2 });
  },
);

testOn(
  ENDING,
  "another request of the session that writes gets a 409 and no cookie",
  async (rig) => {
    for (const act of [() => {}, (session: Session) => void session.set("flash", "lost")]) {
      const browser = await rig.start(signIn);
      const [opened, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const running = browser.send(async (session) => {
        opened.resolve();
        await ended.promise;
        act(session);
      });
      await opened.promise;
      const { cookies } = await browser.send(async () => void await rig.sessions.destroyAll("ada"));
      assertMatch(cookies[0]!, /Max-Age=0/);
      ended.resolve();
      if (act.length === 0) assertEquals((await running).cookies, []);
      else {
        const error = await assertRejects(() => running, SessionError);
        assertEquals([error.code, error.headers], ["ERR_SESSION_INTERRUPTED", []]);
      }
    }
  },
);

testOn(
  ENDING,
  "a request that begins in the handler's own time is another request",
  async (rig) => {
    // Both run at the same time, and the second waits for what the first does.
    const browser = await rig.start(signIn);
    const gate = Promise.withResolvers<void>();
    const [first, second] = await Promise.allSettled([
      browser.send(async () => {
        await rig.sessions.destroyAll("ada");
        gate.resolve();
      }),
      browser.send(async (session) => {
        await gate.promise;
        session.set("n", 2);
      }),
    ]);
    assertEquals([first!.status, second!.status], ["fulfilled", "rejected"]);
  },
);

testOn(
  ENDING,
  "another user's running request is not cleared when their session is ended",
  async (rig) => {
    const [admin, user] = [
      await rig.start((session) => session.subject = "admin"),
      await rig.start(signIn),
    ];
    for (const writes of [true, false]) {
      const visitor = writes ? user : await rig.start(signIn);
      const [opened, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const running = visitor.send(async (session) => {
        opened.resolve();
        await ended.promise;
        if (writes) session.set("n", 2);
      });
      await opened.promise;
      const { cookies } = await admin.visit(async (session) => {
        await rig.sessions.destroyAll("ada");
        session.set("ended", true);
      });
      assertEquals(cookies.filter((one) => one.includes("Max-Age=0")), []);
      ended.resolve();
      if (writes) {
        const error = await assertRejects(() => running, SessionError);
        assertEquals([error.code, error.headers], ["ERR_SESSION_INTERRUPTED", []]);
      } else assertEquals((await running).cookies, []);
      assertEquals((await admin.visit((session) => session.get("ended"))).value, true);
    }
  },
);

testOn(ENDING, "handler() answers with the app's redirect, not with a 409", async (rig) => {
  const browser = await rig.start(signIn);
  const handler = rig.sessions.handler(async (_request, session) => {
    await rig.sessions.destroyAll("ada");
    session.set("flash", "Bye");
    return new Response(null, { status: 303, headers: { location: "/login" } });
  });
  const response = await handler(requestWith({ cookie: `pagi_session=${browser.value}` }));
  assertEquals([response.status, response.headers.get("location")], [303, "/login"]);
  assertMatch(response.headers.get("set-cookie")!, /Max-Age=0/);
});

testOn(
  ENDING,
  "a handler that throws after destroyAll() saves and brings back nothing",
  async (rig) => {
    const browser = await rig.start(signIn);
    const work = async (session: Session) => {
      await rig.sessions.destroyAll("ada");
      session.set("n", 2);
      throw new Error("the app's");
    };
    await assertRejects(() => browser.send(work), Error, "the app's");
    assertEquals([await rig.load(browser.value), rig.events], [undefined, []]);
  },
);

testOn(ENDING, "a response that has started is not changed by destroyAll()", async (rig) => {
  const browser = await rig.start(signIn);
  const client = new Client(
    rig.sessions.wrap(async (scope, _receive, send) => {
      scope["pagi.session"].n = 2;
      await respond(send);
      await rig.sessions.destroyAll("ada");
    }),
    `pagi_session=${browser.value}`,
  );
  const { cookies } = await client.request();
  assertEquals(cookies.filter((one) => one.includes("Max-Age=0")), []);
  assertEquals(await rig.load(browser.value), undefined);
});

testOn(
  ENDING,
  "a PAGI app goes on as after a logout when it has ended its own session",
  async (rig) => {
    for (const restarts of [false, true]) {
      const browser = await rig.start(signIn);
      const client = new Client(
        rig.sessions.wrap(async (scope, _receive, send) => {
          await rig.sessions.destroyAll("ada");
          if (restarts) new Session(scope).restart().set("flash", "Bye");
          else scope["pagi.session"].flash = "Bye";
          await respond(send);
        }),
        `pagi_session=${browser.value}`,
      );
      const { cookies } = await client.request();
      assertEquals(cookies.length, 1);
      assertEquals(await rig.load(client.id), restarts ? { flash: "Bye" } : undefined);
      assertEquals(client.cookie === undefined, !restarts);
    }
  },
);

testOn(ENDING, "open() recognizes the handler that it runs", async (rig) => {
  for (const isRun of [true, false]) {
    const browser = await rig.start(signIn);
    const open = await rig.sessions.open(requestWith({ cookie: `pagi_session=${browser.value}` }));
    const handle = async () => {
      await rig.sessions.destroyAll("ada");
      open.session.set("flash", "Bye");
      return 5;
    };
    assertEquals(await (isRun ? open.run(handle) : handle()), 5);
    const headers = new Headers();
    const commit = async () => await open.commit(headers);
    if (isRun) await commit();
    else await assertRejects(commit, SessionError);
    assertEquals(headers.getSetCookie().length, isRun ? 1 : 0);
  }
});

testOn(ENDING, "only the middleware whose session ended clears its cookie", async (rig) => {
  const state = new HeaderState({ headerName: "x-other", emit: "x-other" });
  const outer = new SessionMiddleware({ secret: SECRET, state });
  let other = "";
  await outer.run(requestWith(), (session) => {
    session.subject = "ada";
    return new Response();
  }).then((response) => other = response.headers.get("x-other")!);
  const browser = await rig.start(signIn);
  const request = requestWith({ cookie: `pagi_session=${browser.value}`, "x-other": other });
  const response = await outer.run(request, (session) => {
    return rig.sessions.run(request, async () => {
      await rig.sessions.destroyAll("ada");
      session.set("n", 2);
      return new Response();
    });
  });
  assertMatch(response.headers.getSetCookie()[0]!, /Max-Age=0/);
  const loaded = await outer.load(requestWith({ "x-other": other }));
  assertEquals(loaded?.get("n"), 2);
});

testOn(ENDING, "a request inside the handler ends the session of both", async (rig) => {
  const browser = await rig.start(signIn);
  const request = () => requestWith({ cookie: `pagi_session=${browser.value}` });
  const response = await rig.sessions.run(request(), async (session) => {
    const inner = await rig.sessions.run(request(), async () => {
      await rig.sessions.destroyAll("ada");
      return new Response();
    });
    assertMatch(inner.headers.get("set-cookie")!, /Max-Age=0/);
    session.set("n", 2);
    return new Response();
  });
  assertMatch(response.headers.get("set-cookie")!, /Max-Age=0/);
});

testOn(
  ENDING,
  "destroyAll() of another subject does not touch the handler's session",
  async (rig) => {
    const [browser, bob] = [
      await rig.start(signIn),
      await rig.start((session) => {
        session.set("n", 1).subject = "bob";
      }),
    ];
    await browser.visit(async (session) => {
      await rig.sessions.destroyAll("bob");
      session.set("n", 2);
    });
    assertEquals([await rig.load(browser.value), await rig.load(bob.value)], [{ n: 2 }, undefined]);
  },
);

Deno.test("the cookie is cleared when destroyAll() fails after it has ended the handler's session", async () => {
  for (const isLast of [false, true]) {
    const inner = new MemoryStore();
    let failing = "";
    const store = around(inner, async (name, call, [key]) => {
      if (key === failing && name !== "read") throw new Error("connection refused");
      return await call();
    });
    const sessions = new SessionMiddleware({ secret: SECRET, store });
    const start = async () => {
      const browser = new Browser(sessions, Date.now);
      await browser.visit(signIn);
      return browser;
    };
    const [first, second] = [await start(), await start()];
    const [own, other] = isLast ? [second, first] : [first, second];
    failing = keyOf(other.id!);
    const { cookies } = await own.visit(async (session) => {
      const error = await assertRejects(() => sessions.destroyAll("ada"), SessionError);
      session.set("flash", error.code);
    });
    assertMatch(cookies[0]!, /Max-Age=0/);
  }
});

Deno.test("the session stays as it is when destroyAll() fails before it has ended anything", async () => {
  const inner = new MemoryStore();
  let isDown = false;
  const store = around(inner, async (name, call, [, text]) => {
    const isWrite = name !== "read" && !String(text).startsWith("s1:");
    if (isDown && isWrite) throw new Error("connection refused");
    return await call();
  });
  const sessions = new SessionMiddleware({ secret: SECRET, store });
  const browser = new Browser(sessions, Date.now);
  await browser.visit(signIn);
  await browser.visit(async (session) => {
    isDown = true;
    const error = await assertRejects(() => sessions.destroyAll("ada"), SessionError);
    session.set("flash", error.code);
    isDown = false;
  });
  const { value } = await browser.visit((session) => session.get("flash"));
  assertEquals(value, "ERR_SESSION_STORE");
});
