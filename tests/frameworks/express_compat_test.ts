/** `expressSession(sessions, { compat: true })`: `req.session` as express-session documents it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import express5 from "express";
import express4 from "express4";
import { abortSession, expressSession } from "../../adapters/express.ts";
import { CookieStore } from "../../mod.ts";
import { Browser, serve, type Serving, slowRig } from "./_express_rig.ts";
import { ownMethods } from "./recipes/express-session/parts.js";

// deno-lint-ignore no-explicit-any -- what express-session's code sees has no types of ours
type Any = any;

type Handler = (req: Any, res: Any, next: Any) => unknown;

interface Rig extends ReturnType<typeof slowRig>, Serving {}

const VERSIONS = [["Express 4", express4], ["Express 5", express5]] as const;

/** Serves routes behind the middleware. */
async function rigOf(
  express: Any,
  routes: Record<string, Handler>,
  { options = {}, compat = {} }: { options?: Any; compat?: Any } = {},
): Promise<Rig> {
  const rig = slowRig(options);
  const app = express();
  app.use(expressSession(rig.sessions, { compat: true, ...compat }));
  for (const [path, handler] of Object.entries(routes)) app.all(path, handler);
  app.use(abortSession);
  app.use((error: Any, _req: Any, res: Any, next: Any) => {
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).send(`error page: ${error.code ?? error.message}`);
  });
  return { ...rig, ...await serve(app) };
}

function testBoth(name: string, run: (express: Any) => Promise<void>): void {
  Deno.test(name, async (t) => {
    for (const [version, express] of VERSIONS) await t.step(version, () => run(express));
  });
}

const write: Handler = (req, res) => {
  Object.assign(req.session, req.query);
  res.send("written");
};
const show: Handler = (req, res) => res.json(req.session ?? null);
const values = (text: string) => {
  const { cookie: _, ...others } = JSON.parse(text);
  return others;
};

testBoth("req.session has plain properties", async (express) => {
  await using rig = await rigOf(express, {
    "/": (req, res) => {
      const { session } = req;
      session.user = { name: "ada", tags: ["a"] };
      session.gone = 1;
      delete session.gone;
      session.none = undefined;
      session.method = () => 1;
      session.when = new Date(0);
      session.bad = NaN;
      const inLoop = [];
      for (const key in session) inLoop.push(key);
      res.json([
        "user" in session,
        "gone" in session,
        // deno-lint-ignore no-prototype-builtins -- as older code does
        session.hasOwnProperty("user"),
        Object.keys(session).sort(),
        inLoop.sort(),
        Object.keys({ ...session }).length,
        session.id === req.sessionID && /^[0-9a-f]{64}$/.test(session.id),
        session.req === req,
      ]);
    },
    "/nested": (req, res) => {
      req.session.user.tags.push("b");
      res.send("ok");
    },
    "/show": show,
  });
  const browser = new Browser(rig);
  const keys = ["bad", "cookie", "method", "none", "user", "when"];
  assertEquals(
    JSON.parse((await browser.get("/")).text),
    [true, false, true, keys, keys, keys.length, true, true],
  );
  await browser.get("/nested");
  assertEquals(values((await browser.get("/show")).text), {
    user: { name: "ada", tags: ["a", "b"] },
    when: "1970-01-01T00:00:00.000Z",
    bad: null,
  });
});

testBoth("a request that leaves req.session alone neither saves nor varies", async (express) => {
  await using rig = await rigOf(express, {
    "/": (_req, res) => res.send("static"),
    "/read": (req, res) => res.send(String(req.session.user)),
  });
  const page = await new Browser(rig).get("/");
  assertEquals([page.set, page.headers.get("vary"), rig.store.calls], [[], null, []]);
  const read = await new Browser(rig).get("/read");
  assertEquals([read.set, read.headers.get("vary"), rig.store.calls], [[], "Cookie", []]);
});

testBoth(
  "a value that cannot be saved fails the response, and is not lost silently",
  async (express) => {
    await using rig = await rigOf(express, {
      "/bigint": (req, res) => {
        req.session.big = 1n;
        res.send("never sent");
      },
      "/reserved": (req, res) => {
        req.session._created = 1;
        res.send("never sent");
      },
    });
    const page = await new Browser(rig).get("/bigint");
    assertEquals([page.status, page.text, page.set], [500, "error page: ERR_SESSION_DATA", []]);
    const reserved = await new Browser(rig).get("/reserved");
    assertEquals([reserved.status, reserved.set], [500, []]);
    assertMatch(reserved.text, /the key _created is reserved/);
    assertEquals(rig.store.inner.size, 0);
  },
);

testBoth("concurrent requests lose no property that the other wrote", async (express) => {
  await using rig = await rigOf(express, { "/write": write, "/show": show });
  const browser = new Browser(rig);
  await browser.get("/write?start=1");
  const names = Array.from({ length: 12 }, (_, at) => `key${at}`);
  const pages = await Promise.all(names.map((name) => browser.get(`/write?${name}=1`)));
  assertEquals(pages.map(({ status }) => status), names.map(() => 200));
  const stored = values((await browser.get("/show")).text);
  assertEquals(Object.keys(stored).sort(), ["start", ...names].sort());
});

testBoth(
  "save() stores the session before its callback, and later changes are saved, too",
  async (express) => {
    await using rig: Rig = await rigOf(express, {
      "/": (req, res, next) => {
        req.session.first = 1;
        const same = req.session.save((error: unknown) => {
          if (error) return next(error);
          const stored = rig.store.inner.size;
          req.session.second = 2;
          res.send(`${stored} ${same === req.session}`);
        });
      },
      "/twice": (req, res) => {
        req.session.first++;
        req.session.save(() => {
          req.session.first++;
          req.session.save(() => res.send(req.session.id));
        });
      },
      "/no-callback": (req, res) => {
        req.session.third = 3;
        req.session.save();
        res.redirect("/show");
      },
      "/show": show,
    });
    const browser = new Browser(rig);
    const page = await browser.get("/");
    assertEquals([page.text, page.set.length], ["1 true", 1]);
    assertMatch(page.headers.get("cache-control")!, /no-store/);
    assertEquals(values((await browser.get("/show")).text), { first: 1, second: 2 });
    const twice = await browser.get("/twice");
    assertEquals([twice.text, twice.set], [browser.cookies.get("pagi_session"), []]);
    assertEquals((await browser.get("/no-callback")).status, 302);
    assertEquals(values((await browser.get("/show")).text), { first: 3, second: 2, third: 3 });
    assertEquals(rig.store.inner.size, 1);
  },
);

testBoth("save() merges with what another request wrote in the meantime", async (express) => {
  const gate = Promise.withResolvers<void>();
  const isSaved = Promise.withResolvers<void>();
  await using rig = await rigOf(express, {
    "/slow": (req, res) => {
      req.session.a = 1;
      req.session.save(async () => {
        isSaved.resolve();
        await gate.promise;
        req.session.b = 1;
        res.send("ok");
      });
    },
    "/write": write,
    "/show": show,
  });
  const browser = new Browser(rig);
  await browser.get("/write?start=1");
  const slow = browser.get("/slow");
  await isSaved.promise;
  await browser.get("/write?c=1&a=2");
  gate.resolve();
  assertEquals((await slow).status, 200);
  assertEquals(values((await browser.get("/show")).text), { start: "1", a: "2", b: 1, c: "1" });
});

testBoth(
  "regenerate() gives a new id and an empty session, and the old id is invalid",
  async (express) => {
    await using rig = await rigOf(express, {
      "/write": write,
      "/login": (req, res, next) => {
        const old = [req.session.id, req.session.cart];
        req.session.lost = 1;
        req.session.regenerate((error: unknown) => {
          if (error) return next(error);
          const now = [req.session.id, req.session.cart, req.sessionID];
          req.session.user = "ada";
          res.json([old, now, Object.keys(req.session)]);
        });
      },
      "/show": show,
    });
    const browser = new Browser(rig);
    await browser.get("/write?cart=tea&_own=1");
    const late = browser.copy();
    const before = browser.cookies.get("pagi_session")!;
    const page = await browser.get("/login");
    const after = browser.cookies.get("pagi_session")!;
    assert(before !== after);
    assertEquals(page.set.length, 1);
    const [old, now, keys] = JSON.parse(page.text);
    assertEquals([old, now, keys], [[before, "tea"], [after, null, after], ["cookie", "user"]]);
    assertEquals(values((await browser.get("/show")).text), { user: "ada" });
    // A request that was on its way neither reads the session nor takes the new cookie away.
    const read = await late.get("/show");
    assertEquals([values(read.text), read.set], [{}, []]);
    const written = await late.get("/write?cart=coffee");
    assertEquals([written.status, written.set], [409, []]);
    assertEquals(rig.store.inner.size, 1);
  },
);

testBoth("regenerate() in two requests at the same time signs both in", async (express) => {
  await using rig = await rigOf(express, {
    "/write": write,
    "/login": (req, res, next) => {
      req.session.regenerate((error: unknown) => {
        if (error) return next(error);
        req.session.user = "ada";
        req.session.save((error: unknown) => error ? next(error) : res.send("welcome"));
      });
    },
    "/show": show,
  });
  const browser = new Browser(rig);
  await browser.get("/write?cart=tea");
  const tabs = [browser.copy(), browser.copy()];
  const pages = await Promise.all(tabs.map((tab) => tab.get("/login")));
  assertEquals(pages.map(({ text }) => text), ["welcome", "welcome"]);
  for (const tab of tabs) assertEquals(values((await tab.get("/show")).text), { user: "ada" });
});

testBoth(
  "destroy() ends the session before its callback, for requests in progress, too",
  async (express) => {
    const gate = Promise.withResolvers<void>();
    const isLoaded = Promise.withResolvers<void>();
    await using rig: Rig = await rigOf(express, {
      "/write": write,
      "/slow": async (req, res) => {
        req.session.late = 1;
        isLoaded.resolve();
        await gate.promise;
        res.send("never sent");
      },
      "/logout": (req, res, next) => {
        req.session.destroy((error: unknown) => {
          if (error) return next(error);
          res.send(`${req.session} ${req.sessionID !== undefined} ${rig.store.inner.size}`);
        });
      },
      "/show": show,
    });
    const browser = new Browser(rig);
    await browser.get("/write?user=ada");
    const other = browser.copy();
    const slow = other.get("/slow");
    await isLoaded.promise;
    const page = await browser.get("/logout");
    assertMatch(page.text, /^undefined true/);
    assertMatch(page.set[0]!, /^pagi_session=; .*Max-Age=0$/);
    gate.resolve();
    const { status, set } = await slow;
    assertEquals([status, set], [409, []]);
    assertEquals(values((await other.get("/show")).text), {});
    // There was no session, and no cookie.
    assertEquals((await new Browser(rig).get("/logout")).set, []);
  },
);

testBoth("reload() replaces req.session by what is stored", async (express) => {
  await using rig: Rig = await rigOf(express, {
    "/write": write,
    "/reload": (req, res) => {
      const old = req.session;
      old.unsaved = 1;
      req.session.reload((error?: Error) => {
        res.json([error?.message, req.session !== old, req.session.unsaved ?? null]);
      });
    },
    "/show": show,
  });
  const browser = new Browser(rig);
  // A session that was never stored stays as it is.
  assertEquals(
    JSON.parse((await browser.get("/reload")).text),
    ["failed to load session", false, 1],
  );
  assertEquals(values((await browser.get("/show")).text), { unsaved: 1 });
  await browser.get("/write?a=1&unsaved=");
  assertEquals(JSON.parse((await browser.get("/reload")).text), [null, true, ""]);
  assertEquals(values((await browser.get("/show")).text), { a: "1", unsaved: "" });
});

testBoth(
  "req.session = null keeps the session, or ends it with unset: destroy",
  async (express) => {
    for (const unset of ["keep", "destroy"]) {
      await using rig = await rigOf(express, {
        "/write": write,
        "/null": (req, res) => {
          req.session.changed = 1;
          req.session = null;
          res.send(String(req.session));
        },
        "/delete": (req, res) => {
          req.session.changed = 1;
          delete req.session;
          res.send(String(req.session));
        },
        "/back": (req, res) => {
          const { session } = req;
          session.kept = 1;
          req.session = undefined;
          req.session = session;
          res.send("ok");
        },
        "/show": show,
      }, { compat: { unset } });
      for (const path of ["/null", "/delete"]) {
        const browser = new Browser(rig);
        await browser.get("/write?user=ada");
        await browser.get("/back");
        const page = await browser.get(path);
        assertEquals(page.text, "undefined");
        assertEquals(page.set.length, unset === "keep" ? 0 : 1);
        const expected = unset === "keep" ? { user: "ada", kept: 1 } : {};
        assertEquals(values((await browser.get("/show")).text), expected);
        const fresh = await new Browser(rig).get(path);
        assertEquals([fresh.status, fresh.set], [200, []]);
      }
    }
  },
);

testBoth("an assignment that would be ignored throws", async (express) => {
  await using rig = await rigOf(express, {
    "/session": (req) => req.session = { user: "ada" },
    "/id": (req) => req.sessionID = "1",
  });
  const browser = new Browser(rig);
  assertMatch((await browser.get("/session")).text, /Cannot assign req.session/);
  assertMatch((await browser.get("/id")).text, /Cannot assign req.sessionID/);
});

testBoth(
  "req.session.cookie shows and sets the attributes, also for later requests",
  async (express) => {
    await using rig = await rigOf(express, {
      "/show": (req, res) => res.json(req.session.cookie),
      "/write": write,
      "/set": (req, res) => {
        const { cookie } = req.session;
        cookie.maxAge = 600_000;
        Object.assign(cookie, { path: "/set", sameSite: true, priority: "high", httpOnly: false });
        res.json([
          Math.round(cookie.maxAge / 1000),
          cookie.originalMaxAge,
          cookie.expires !== null,
        ]);
      },
      "/set/again": (req, res) => {
        req.session.more = 1;
        res.send(String(req.session.cookie.originalMaxAge));
      },
      "/set/session": (req, res) => {
        req.session.cookie.expires = null;
        res.send(String(req.session.cookie.maxAge));
      },
      "/bad": (req, res) => {
        req.session.user = "ada";
        req.session.cookie.path = "/; Secure";
        res.send("never sent");
      },
    });
    const shown = JSON.parse((await new Browser(rig).get("/show")).text);
    assertEquals([shown.path, shown.httpOnly, shown.secure, shown.sameSite, shown.originalMaxAge], [
      "/",
      true,
      false,
      "lax",
      3_600_000,
    ]);
    const browser = new Browser(rig);
    await browser.get("/write?user=ada");
    const page = await browser.get("/set");
    assertEquals(JSON.parse(page.text), [600, 600_000, true]);
    assertMatch(
      page.set[0]!,
      /^pagi_session=\w{64}; Path=\/set; SameSite=Strict; Priority=High; Max-Age=600; Expires=.* GMT$/,
    );
    assertEquals((await browser.get("/set/again")).text, "600000");
    const session = await browser.get("/set/session");
    assertEquals(session.text, "null");
    assertMatch(
      session.set[0]!,
      /^pagi_session=\w{64}; Path=\/set; SameSite=Strict; Priority=High$/,
    );
    const bad = await new Browser(rig).get("/bad");
    assertEquals([bad.status, bad.set], [500, []]);
    assertEquals(rig.store.inner.size, 1);
  },
);

testBoth("a store that fails is told to the callback, and the response fails", async (express) => {
  const seen: unknown[] = [];
  const note = (next: (error?: unknown) => void) => (error?: { code?: string }) => {
    seen.push(error?.code);
    next(error);
  };
  await using rig = await rigOf(express, {
    "/write": write,
    "/save": (req, _res, next) => {
      req.session.a = 2;
      req.session.save(note(next));
    },
    "/regenerate": (req, _res, next) => void req.session.regenerate(note(next)),
    "/destroy": (req, _res, next) => void req.session.destroy(note(next)),
    "/ignored": (req, res) => {
      req.session.a = 3;
      req.session.save(() => res.send("never sent"));
    },
    "/unheard": (req, res) => {
      req.session.a = 4;
      req.session.save();
      res.send("never sent");
    },
    "/destroy-unheard": (req, res) => {
      req.session.destroy();
      res.send("never sent");
    },
    "/show": show,
  });
  const browser = new Browser(rig);
  await browser.get("/write?a=1");
  const failing = ["create", "replace", "delete"] as const;
  const paths = ["save", "regenerate", "destroy", "ignored", "unheard", "destroy-unheard"];
  for (const path of paths) {
    rig.store.failing = failing;
    const page = await browser.copy().get(`/${path}`);
    assertEquals([page.status, page.text], [503, "error page: ERR_SESSION_STORE"], path);
    assert(!page.set.some((one) => /pagi_session=\w/.test(one)), path);
    rig.store.failing = [];
    assertEquals(values((await browser.get("/show")).text), { a: "1" }, path);
  }
  assertEquals(seen, ["ERR_SESSION_STORE", "ERR_SESSION_STORE", "ERR_SESSION_STORE"]);
  assert(rig.events.some(({ type }) => type === "request-failed"));
  rig.store.failing = ["read"];
  assertEquals((await browser.get("/show")).status, 503);
});

testBoth("a handler that throws saves nothing, except what save() has saved", async (express) => {
  await using rig = await rigOf(express, {
    "/write": write,
    "/throw": (req) => {
      req.session.user = "ada";
      throw new Error("boom");
    },
    "/save-and-throw": (req, _res, next) => {
      req.session.failures = (req.session.failures ?? 0) + 1;
      req.session.save(() => {
        req.session.user = "ada";
        next(new Error("boom"));
      });
    },
    "/show": show,
  });
  const browser = new Browser(rig);
  assertEquals((await browser.get("/throw")).set, []);
  assertEquals(rig.store.inner.size, 0);
  const page = await browser.get("/save-and-throw");
  assertEquals([page.status, page.set.length], [500, 1]);
  assertEquals(values((await browser.get("/show")).text), { failures: 1 });
});

testBoth(
  "a second save that fails leaves the cookie of the first on the error page",
  async (express) => {
    await using rig: Rig = await rigOf(express, {
      "/": (req, res) => {
        req.session.first = 1;
        req.session.save(() => {
          rig.store.failing = ["replace"];
          req.session.second = 2;
          res.send("never sent");
        });
      },
      "/show": show,
    });
    const browser = new Browser(rig);
    const page = await browser.get("/");
    assertEquals([page.status, page.set.length], [503, 1]);
    rig.store.failing = [];
    assertEquals(values((await browser.get("/show")).text), { first: 1 });
  },
);

testBoth("a session that ended after it was saved is not brought back", async (express) => {
  await using rig: Rig = await rigOf(express, {
    "/": (req, res) => {
      req.session.first = 1;
      req.session.save(async () => {
        await rig.sessions.destroy(req.sessionID);
        req.session.second = 2;
        res.send("never sent");
      });
    },
  });
  const page = await new Browser(rig).get("/");
  assertEquals([page.status, page.text], [409, "error page: ERR_SESSION_INTERRUPTED"]);
});

testBoth("save() works after the response, without the cookie", async (express) => {
  const saved = Promise.withResolvers<unknown>();
  await using rig = await rigOf(express, {
    "/write": write,
    "/late": (req, res) => {
      res.send("sent");
      res.on("finish", () => {
        req.session.late = 1;
        req.session.save(saved.resolve);
      });
    },
    "/show": show,
  });
  const browser = new Browser(rig);
  await browser.get("/write?a=1");
  await browser.get("/late");
  assertEquals(await saved.promise, undefined);
  assertEquals(values((await browser.get("/show")).text), { a: "1", late: 1 });
});

testBoth("a handshake reads, reloads and saves the session", async (express) => {
  const rig = slowRig();
  const middleware = expressSession(rig.sessions, { compat: true });
  const app = express();
  app.use(middleware);
  app.all("/write", write);
  app.all("/show", show);
  await using serving = await serve(app);
  const browser = new Browser(serving);
  await browser.get("/write?a=1");
  const cookie = `pagi_session=${browser.cookies.get("pagi_session")}`;
  const req: Any = { headers: { cookie }, method: "GET", url: "/socket", upgrade: true };
  await new Promise((resolve) => middleware(req, {}, resolve));
  assertEquals(req.session.a, "1");
  await browser.get("/write?a=2");
  assertEquals(await new Promise((resolve) => req.session.reload(resolve)), undefined);
  assertEquals(req.session.a, "2");
  req.session.count = 1;
  assertEquals(await new Promise((resolve) => req.session.save(resolve)), undefined);
  assertEquals(values((await browser.get("/show")).text), { a: "2", count: 1 });
  const failed: Any = await new Promise((resolve) => req.session.regenerate(resolve));
  assertEquals(failed.code, "ERR_SESSION_COMMITTED");
  await new Promise((resolve) => req.session.destroy(resolve));
  assertEquals([req.session, values((await browser.get("/show")).text)], [undefined, {}]);

  const stranger: Any = { headers: {}, method: "GET", url: "/socket", upgrade: true };
  await new Promise((resolve) => middleware(stranger, {}, resolve));
  stranger.session.count = 1;
  const refused: Any = await new Promise((resolve) => stranger.session.save(resolve));
  assertEquals(refused.code, "ERR_SESSION_COMMITTED");
});

testBoth("two middlewares have a session each", async (express) => {
  const [shop, admin] = [slowRig(), slowRig({ key: "admin" })];
  const app = express();
  app.use(expressSession(shop.sessions, { compat: true }));
  app.use(expressSession(admin.sessions, { compat: true }));
  app.get("/", (req: Any, res: Any) => {
    req.session.cart = "tea";
    req.admin.user = "root";
    req.admin.save(() => res.json([req.session.user ?? null, req.admin.cart ?? null]));
  });
  app.get("/show", (req: Any, res: Any) => res.json([req.session.cart, req.admin.user]));
  await using serving = await serve(app);
  const browser = new Browser(serving);
  const page = await browser.get("/");
  assertEquals([JSON.parse(page.text), page.set.length], [[null, null], 2]);
  assertEquals(JSON.parse((await browser.get("/show")).text), ["tea", "root"]);
});

testBoth(
  "an encrypted cookie holds the session, with two saves in one request",
  async (express) => {
    const secret = "a test's secret of 32 bytes or more";
    await using rig = await rigOf(express, {
      "/": (req, res, next) => {
        req.session.regenerate(() => {
          req.session.first = 1;
          req.session.save((error: unknown) => {
            if (error) return next(error);
            req.session.second = 2;
            res.send("ok");
          });
        });
      },
      "/logout": (req, res) => req.session.destroy(() => res.send("bye")),
      "/show": show,
    }, { options: { store: new CookieStore({ secret }) } });
    const browser = new Browser(rig);
    const page = await browser.get("/");
    assertEquals([page.status, page.set.length], [200, 1], page.text);
    assertEquals(values((await browser.get("/show")).text), { first: 1, second: 2 });
    assertEquals((await browser.get("/")).set.length, 1);
    assertEquals(values((await browser.get("/show")).text), { first: 1, second: 2 });
    await browser.get("/logout");
    assertEquals(browser.cookies.size, 0);
  },
);

testBoth("changes while a response streams are saved at its end", async (express) => {
  await using rig = await rigOf(express, {
    "/stream": (req, res) => {
      req.session.first = (req.session.first ?? 0) + 1;
      res.write("a");
      setImmediate(() => {
        req.session.last = (req.session.last ?? 0) + 1;
        res.end("b");
      });
    },
    "/show": show,
  });
  const browser = new Browser(rig);
  for (const count of [1, 2]) {
    const saved = rig.store.calls.filter((one) => one === "replace").length;
    assertEquals((await browser.get("/stream")).text, "ab");
    const expected = saved + count;
    while (rig.store.calls.filter((one) => one === "replace").length < expected) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    // A request that is answered after it: the store takes as long for each call.
    await browser.get("/show");
    assertEquals(values((await browser.get("/show")).text), { first: count, last: count });
  }
  assertEquals(rig.events, []);
});

testBoth("an app uses this package's methods beside req.session", async (express) => {
  const rig = slowRig();
  const app = express();
  app.use(expressSession(rig.sessions, {
    compat: true,
    subject: (session: Any) => session.userId,
  }));
  app.get("/in", (req: Any, res: Any) => {
    req.session.userId = "ada";
    res.send("in");
  });
  ownMethods(app, rig.sessions);
  await using server = await serve(app);
  const browser = new Browser(server);
  await browser.get("/in");
  const { devices, expiresAt } = JSON.parse((await browser.get("/devices")).text);
  assertEquals(devices.map(({ current }: Any) => current), [true]);
  assertEquals(typeof expiresAt, "number");
});
