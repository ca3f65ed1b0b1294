/** Libraries that were written for express-session, unchanged, on a store that is slow and fails. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import ensureLogin from "connect-ensure-login";
import connectFlash from "connect-flash";
import cookieParser from "cookie-parser";
import { doubleCsrf } from "csrf-csrf";
import { csrfSync } from "csrf-sync";
import csurf from "csurf";
import express5 from "express";
import express4 from "express4";
import expressFlash from "express-flash";
import theirSession from "express-session";
import lusca from "lusca";
import passport7 from "passport";
import passport6 from "passport6";
import passportLocal from "passport-local";
import { abortSession, expressSession } from "../../adapters/express.ts";
import { Browser, serve, slowRig } from "./_express_rig.ts";

// deno-lint-ignore no-explicit-any -- the libraries have no types here
type Any = any;

const VERSIONS: [name: string, express: Any, passport: Any][] = [
  ["Express 4, Passport 0.6", express4, passport6],
  ["Express 5, Passport 0.7", express5, passport7],
];

function testBoth(name: string, run: (express: Any, passport: Any) => Promise<void>): void {
  Deno.test(name, async (t) => {
    for (const [version, express, passport] of VERSIONS) {
      await t.step(version, () => run(express, passport));
    }
  });
}

type Engine = "pagi" | "express-session";

/** Runs a test on express-session, too: what is expected is what that does. */
function testSame(
  name: string,
  run: (express: Any, passport: Any, engine: Engine) => Promise<void>,
): void {
  Deno.test(name, async (t) => {
    for (const [version, express, passport] of VERSIONS) {
      for (const engine of ["pagi", "express-session"] as const) {
        await t.step(`${version}, ${engine}`, () => run(express, passport, engine));
      }
    }
  });
}

/** An app with the middleware. `add` adds what a test wants between it and the error page. */
async function rigOf(
  express: Any,
  add: (app: Any) => void,
  { engine = "pagi", ...compat }: Any = {},
) {
  const rig = slowRig();
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.use(
    engine === "pagi" ? expressSession(rig.sessions, { compat: true, ...compat }) : theirSession({
      name: "pagi_session",
      secret: "a test's secret of 32 bytes or more",
      resave: false,
      saveUninitialized: false,
    }),
  );
  add(app);
  app.use(abortSession);
  app.use((error: Any, _req: Any, res: Any, next: Any) => {
    if (res.headersSent) return next(error);
    // lusca sets the status of the response.
    const status = error.status ?? error.statusCode ?? Math.max(res.statusCode, 400);
    res.status(status).send(
      `error page: ${error.code ?? error.message}`,
    );
  });
  return { ...rig, ...await serve(app) };
}

const USERS: Record<string, { id: number; name: string }> = {
  ada: { id: 7, name: "ada" },
  bob: { id: 8, name: "bob" },
};

/** Passport as its documentation shows it. */
function withPassport(
  app: Any,
  passport: Any,
  { serialize = (user: Any) => user.id, keepSessionInfo = false } = {},
): void {
  const auth = new passport.Passport();
  auth.use(
    new passportLocal.Strategy((name: string, password: string, done: Any) => {
      const user = USERS[name];
      setTimeout(
        () =>
          user !== undefined && password === "secret"
            ? done(null, user)
            : done(null, false, { message: "Wrong name or password" }),
        1,
      );
    }),
  );
  auth.serializeUser((user: Any, done: Any) => setTimeout(() => done(null, serialize(user)), 1));
  auth.deserializeUser((id: Any, done: Any) =>
    setTimeout(() => {
      done(null, Object.values(USERS).find((one) => one.id === (id.id ?? id)) ?? false);
    }, 1)
  );
  app.use(connectFlash());
  app.use(auth.initialize());
  app.use(auth.session());
  app.post(
    "/login",
    auth.authenticate("local", {
      successReturnToOrRedirect: "/",
      failureRedirect: "/login",
      failureFlash: true,
      successFlash: "Welcome back",
      keepSessionInfo,
    }),
  );
  app.get("/login", (req: Any, res: Any) => res.send(`Sign in: ${req.flash("error")}`));
  app.post("/logout", (req: Any, res: Any, next: Any) => {
    req.logout((error: unknown) => error ? next(error) : res.redirect("/"));
  });
  app.get("/", (req: Any, res: Any) => {
    if (!req.isAuthenticated()) return res.send("Sign in");
    res.send(`Hello, ${req.user.name}: ${req.flash("success")}`);
  });
  app.get("/account", ensureLogin.ensureLoggedIn("/login"), (req: Any, res: Any) => {
    res.send(`Account of ${req.user.name}`);
  });
  app.post("/cart", (req: Any, res: Any) => {
    req.session[`item ${req.body.item}`] = 1;
    res.send("added");
  });
  app.get("/cart", (req: Any, res: Any) => {
    res.json(Object.keys(req.session).filter((one) => one.startsWith("item")).sort());
  });
}

const ADA = { username: "ada", password: "secret" };

testSame("Passport signs in and out, with flash messages", async (express, passport, engine) => {
  await using rig = await rigOf(express, (app) => withPassport(app, passport), { engine });
  const browser = new Browser(rig);
  await browser.get("/");
  const wrong = await browser.post("/login", { username: "ada", password: "wrong" });
  assertEquals(wrong.headers.get("location"), "/login");
  assertEquals((await browser.get("/login")).text, "Sign in: Wrong name or password");
  assertEquals((await browser.get("/login")).text, "Sign in: ");

  await browser.post("/cart", { item: "tea" });
  const visitor = browser.copy();
  const before = browser.cookies.get("pagi_session");
  const page = await browser.post("/login", ADA);
  assertEquals([page.status, page.headers.get("location"), page.set.length], [302, "/", 1]);
  assert(browser.cookies.get("pagi_session") !== before);
  // Passport drops what was in the session before, its own flash message too.
  assertEquals((await browser.get("/")).text, "Hello, ada: ");
  assertEquals((await browser.get("/cart")).text, "[]");
  assertEquals((await visitor.get("/")).text, "Sign in");

  const signedIn = browser.copy();
  assertEquals((await browser.post("/logout")).status, 302);
  assertEquals((await browser.get("/")).text, "Sign in");
  assertEquals((await signedIn.get("/")).text, "Sign in");
});

testSame(
  "Passport keeps the session's data with keepSessionInfo",
  async (express, passport, engine) => {
    await using rig = await rigOf(
      express,
      (app) => withPassport(app, passport, { keepSessionInfo: true }),
      { engine },
    );
    const browser = new Browser(rig);
    await browser.post("/cart", { item: "tea" });
    await browser.post("/login", ADA);
    assertEquals((await browser.get("/cart")).text, '["item tea"]');
    assertEquals((await browser.get("/")).text, "Hello, ada: Welcome back");
    assertEquals((await browser.get("/")).text, "Hello, ada: ");
  },
);

testSame(
  "connect-ensure-login returns to the page that was asked for",
  async (express, passport, engine) => {
    await using rig = await rigOf(
      express,
      (app) => withPassport(app, passport, { keepSessionInfo: true }),
      { engine },
    );
    const browser = new Browser(rig);
    assertEquals((await browser.get("/account")).headers.get("location"), "/login");
    assertEquals((await browser.post("/login", ADA)).headers.get("location"), "/account");
    assertEquals((await browser.get("/account")).text, "Account of ada");
  },
);

testBoth("concurrent requests of a Passport user lose nothing", async (express, passport) => {
  await using rig = await rigOf(express, (app) => withPassport(app, passport));
  const browser = new Browser(rig);
  await browser.post("/login", ADA);
  const items = Array.from({ length: 10 }, (_, at) => `${at}`);
  const pages = await Promise.all(items.map((item) => browser.post("/cart", { item })));
  assertEquals(pages.map(({ text }) => text), items.map(() => "added"));
  assertEquals(JSON.parse((await browser.get("/cart")).text), items.map((item) => `item ${item}`));
});

testBoth("a second login by a double click succeeds", async (express, passport) => {
  await using rig = await rigOf(express, (app) => withPassport(app, passport));
  const browser = new Browser(rig);
  await browser.post("/cart", { item: "tea" });
  const tabs = [browser.copy(), browser.copy(), browser.copy()];
  const pages = await Promise.all(tabs.map((tab) => tab.post("/login", ADA)));
  assertEquals(pages.map(({ status }) => status), [302, 302, 302]);
  for (const tab of tabs) assertMatch((await tab.get("/")).text, /^Hello, ada/);
});

testBoth("a request in progress cannot undo a Passport logout", async (express, passport) => {
  const entered = Promise.withResolvers<void>();
  const loggedOut = Promise.withResolvers<void>();
  await using rig = await rigOf(express, (app) => {
    withPassport(app, passport);
    app.post("/slow", (req: Any, res: Any) => {
      req.session.late = 1;
      req.session.passport.user = 7;
      entered.resolve();
      loggedOut.promise.then(() => res.send("done"));
    });
  });
  const browser = new Browser(rig);
  await browser.post("/login", ADA);
  const late = browser.copy();
  const slow = late.post("/slow");
  await entered.promise;
  await browser.post("/logout");
  loggedOut.resolve();
  const { status, set } = await slow;
  assertEquals([status, set], [409, []]);
  for (const one of [browser, late]) assertEquals((await one.get("/")).text, "Sign in");
});

testBoth("a Passport user's sessions can be listed and ended", async (express, passport) => {
  for (const serialize of [undefined, (user: Any) => ({ id: user.id, name: user.name })]) {
    await using rig = await rigOf(
      express,
      (app) => withPassport(app, passport, { serialize }),
      serialize && {
        subject: (session: Any) => session.passport?.user && String(session.passport.user.id),
      },
    );
    const devices = [new Browser(rig), new Browser(rig)];
    for (const device of devices) {
      const page = await device.post("/login", ADA);
      assertEquals(page.set.length, 1);
    }
    const bob = new Browser(rig);
    await bob.post("/login", { username: "bob", password: "secret" });
    assertEquals((await rig.sessions.list("7")).length, 2);
    await devices[1]!.post("/logout");
    assertEquals((await rig.sessions.list("7")).length, 1);
    assertEquals(await rig.sessions.destroyAll("7"), 1);
    for (const device of devices) assertEquals((await device.get("/")).text, "Sign in");
    assertMatch((await bob.get("/")).text, /^Hello, bob/);
  }
});

testBoth(
  "a login or logout that the store refuses is an error, and changes nothing",
  async (express, passport) => {
    await using rig = await rigOf(express, (app) => withPassport(app, passport));
    const browser = new Browser(rig);
    await browser.post("/cart", { item: "tea" });
    for (const path of ["/login", "/logout"]) {
      rig.store.failing = ["create", "replace", "delete"];
      const page = await browser.copy().post(path, ADA);
      assertEquals([page.status, page.text, page.set], [503, "error page: ERR_SESSION_STORE", []]);
      rig.store.failing = [];
      const text = path === "/login" ? "Sign in" : "Hello, ada: ";
      assertEquals((await browser.get("/")).text, text);
      await browser.post("/login", ADA);
      await browser.get("/");
    }
  },
);

testSame(
  "express-flash shows a message once, after a redirect",
  async (express, _passport, engine) => {
    await using rig = await rigOf(express, (app) => {
      app.use(expressFlash());
      app.post("/", (req: Any, res: Any) => {
        req.flash("info", "Saved");
        res.redirect("/");
      });
      app.get("/", (req: Any, res: Any) => res.json(req.flash()));
    }, { engine });
    const browser = new Browser(rig);
    await browser.post("/");
    assertEquals((await browser.get("/")).text, '{"info":["Saved"]}');
    assertEquals((await browser.get("/")).text, "{}");
  },
);

/** Libraries against CSRF: how each is added, and where a form's token goes. */
const CSRF: Record<string, (app: Any) => void> = {
  csurf(app) {
    app.use(csurf({}));
    app.get("/", (req: Any, res: Any) => res.send(req.csrfToken()));
  },
  "csrf-sync"(app) {
    const { csrfSynchronisedProtection, generateToken } = csrfSync({
      getTokenFromRequest: (req: Any) => req.body._csrf,
    });
    app.use(csrfSynchronisedProtection);
    app.get("/", (req: Any, res: Any) => res.send(generateToken(req)));
  },
  "csrf-csrf"(app) {
    const { doubleCsrfProtection, generateCsrfToken } = doubleCsrf({
      getSecret: () => "a test's secret of 32 bytes or more",
      getSessionIdentifier: (req: Any) => req.session.id,
      getCsrfTokenFromRequest: (req: Any) => req.body._csrf,
      cookieName: "csrf",
      cookieOptions: { secure: false },
    });
    app.use(cookieParser());
    app.use(doubleCsrfProtection);
    app.get("/", (req: Any, res: Any) => {
      // Its token belongs to the session's ID, so that the session has to exist.
      req.session.isStarted = true;
      res.send(generateCsrfToken(req, res));
    });
  },
  lusca(app) {
    app.use(lusca.csrf());
    app.get("/", (_req: Any, res: Any) => res.send(res.locals._csrf));
  },
};

for (const [name, add] of Object.entries(CSRF)) {
  testSame(
    `${name} accepts its token, and refuses a forgery`,
    async (express, _passport, engine) => {
      await using rig = await rigOf(express, (app) => {
        add(app);
        app.post("/", (_req: Any, res: Any) => res.send("done"));
      }, { engine });
      const browser = new Browser(rig);
      const { text: _csrf } = await browser.get("/");
      assertEquals((await browser.post("/", { _csrf })).text, "done");
      assertEquals((await browser.post("/", { _csrf: _csrf.replace(/^./, "~") })).status, 403);
      const other = new Browser(rig);
      await other.get("/");
      assertEquals((await other.post("/", { _csrf })).status, 403);
    },
  );
}

Deno.test("the types of express-session and our own fit req.session", async (t) => {
  for (const file of ["types.mts", "own_types.mts"]) {
    await t.step(file, async () => {
      const args = ["check", "--config", "deno.json", `recipes/express-session/${file}`];
      const options = { args, cwd: import.meta.dirname!, env: { NO_COLOR: "1" } };
      const { success, stderr } = await new Deno.Command(Deno.execPath(), options).output();
      assert(success, new TextDecoder().decode(stderr));
    });
  }
});
