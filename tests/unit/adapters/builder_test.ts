import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type App,
  builder,
  type Middleware,
  type Scope,
  Session,
  type SessionApp,
  SessionMiddleware,
} from "@pagi/session";
import { call, cookieOf, respond, scopeWith, sentHeader } from "../../_kit/helpers.ts";

/** Middleware that adds its name to `scope.trace`. */
class Trace implements Middleware {
  readonly #name: string;

  constructor(options: { name: string }) {
    this.#name = options.name;
  }

  wrap(app: App): App {
    return (scope, receive, send) => app(traced(scope, this.#name), receive, send);
  }
}

const traced = (scope: Scope, name: string): Scope => ({
  ...scope,
  trace: [...scope.trace as string[] ?? [], name],
});

/** Returns middleware as a function. */
const tracing = (name: string) => (app: App): App => (scope, receive, send) =>
  app(traced(scope, name), receive, send);

/** Returns an app that sends its name and values of its scope. */
const report = (name: string): App => async (scope, _receive, send) => {
  const { path, root_path, trace = [], type } = scope;
  await send({ type: "report", name, path, root_path, trace, scope: type });
};

/** Returns the app that a path leads to: its name, `root_path` and `path`. */
async function route(app: App, path: string, scope: Partial<Scope> = {}): Promise<unknown[]> {
  const [sent] = await call(app, { ...scopeWith(), path, ...scope });
  return [sent!.name, sent!.root_path, sent!.path];
}

Deno.test("builder() runs PAGI's synopsis", async () => {
  const app = builder((b) => {
    b.enable("Session", { secret: "your-secret-key, of 32 bytes or more" });
    return (async (scope, _receive, send) => {
      const visits = Number(scope["pagi.session"].visits ?? 0) + 1;
      scope["pagi.session"].visits = visits;
      assertEquals(new Session(scope).get("visits"), visits);
      await send({ type: "http.response.start", status: 200, headers: [] });
      await send({ type: "http.response.body", body: String(visits) });
    }) as SessionApp;
  });
  const first = await call(app);
  const cookie = cookieOf(sentHeader(first, "set-cookie")[0]!);
  const second = await call(app, scopeWith({ cookie }));
  assertEquals([first[1]!.body, second[1]!.body], ["1", "2"]);
});

Deno.test("builder() returns the app itself when nothing is enabled", () => {
  assertEquals(builder(() => respond), respond);
});

Deno.test("Builder.enable() puts the first middleware outermost, whatever its kind", async () => {
  const app = builder((b) => {
    b.enable(Trace, { name: "class" })
      .enable(new Trace({ name: "instance" }))
      .enable({ wrap: tracing("object") })
      .enable(tracing("function"))
      .enableIf(() => true, Trace, { name: "condition" });
    return report("app");
  });
  const [sent] = await call(app);
  assertEquals(sent!.trace, ["class", "instance", "object", "function", "condition"]);
});

Deno.test("Builder.enable() creates one instance of a class for all requests", async () => {
  let made = 0;
  class Counting extends Trace {
    constructor(options: { name: string }) {
      super(options);
      made++;
    }
  }
  const app = builder((b) => b.enable(Counting, { name: "x" }) && report("app"));
  assertEquals(made, 1);
  await call(app);
  await call(app);
  assertEquals(made, 1);
});

Deno.test("Builder.enable() calls wrap once, with the right this", async () => {
  let wraps = 0;
  const middleware = {
    name: "this",
    wrap(app: App): App {
      wraps++;
      return tracing(this.name)(app);
    },
  };
  const app = builder((b) => b.enable(middleware) && report("app"));
  await call(app);
  assertEquals((await call(app))[0]!.trace, ["this"]);
  assertEquals(wraps, 1);
});

Deno.test("Builder.enable() accepts a class whose wrap is a property", async () => {
  class Arrow implements Middleware {
    readonly wrap: (app: App) => App;
    constructor(options: { name: string }) {
      this.wrap = tracing(options.name);
    }
  }
  const app = builder((b) => b.enable(Arrow, { name: "arrow" }) && report("app"));
  assertEquals((await call(app))[0]!.trace, ["arrow"]);
});

Deno.test("Builder.enable() throws when an instance or a function comes with options", () => {
  const instance = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  for (const middleware of [instance, tracing("x"), { wrap: tracing("x") }]) {
    for (const options of [{ secret: "the secret of the tests: 32 bytes or more" }, {}, null]) {
      assertThrows(
        () => builder((b) => b.enable(middleware as never, options) && respond),
        TypeError,
        "options",
      );
    }
  }
});

Deno.test("Builder.enable() throws and lists the known names when the name is unknown", () => {
  for (const name of ["Sesion", "session", "", "constructor", "__proto__", "toString"]) {
    const enable = () =>
      builder((b) =>
        b.enable(name as "Session", { secret: "the secret of the tests: 32 bytes or more" }) &&
        respond
      );
    assert(assertThrows(enable, TypeError, `"${name}"`).message.includes("Session"));
  }
});

Deno.test("Builder.enable() throws when its argument is not middleware", () => {
  for (const wrong of [undefined, null, 1, {}, { wrap: "x" }, []]) {
    assertThrows(() => builder((b) => b.enable(wrong as never) && respond), TypeError, "enable");
    assertThrows(
      () => builder((b) => b.enableIf(() => true, wrong as never) && respond),
      TypeError,
      "enable",
    );
  }
});

Deno.test("Builder.enable() validates the session options immediately, not at the first request", () => {
  const wrong: [options: unknown, named: string][] = [
    [undefined, "options"],
    [{}, "secret"],
    [{ secret: "the secret of the tests: 32 bytes or more", expires: 60 }, '"expires"'],
  ];
  for (const [options, named] of wrong) {
    for (const middleware of ["Session", SessionMiddleware]) {
      assertThrows(
        () => builder((b) => b.enable(middleware as "Session", options as never) && respond),
        TypeError,
        named,
      );
    }
  }
});

Deno.test("Builder.enableIf() runs the middleware only when the condition is true", async () => {
  const seen: unknown[] = [];
  const app = builder((b) => {
    const isApi = (scope: Scope) => (seen.push(scope.path), String(scope.path).startsWith("/api"));
    return b.enableIf(isApi, tracing("api")).enable(tracing("all")) && report("app");
  });
  const traceOf = async (path: string) => (await call(app, { ...scopeWith(), path }))[0]!.trace;
  assertEquals(await traceOf("/api/x"), ["api", "all"]);
  assertEquals(await traceOf("/web"), ["all"]);
  assertEquals(seen, ["/api/x", "/web"]);
});

Deno.test("Builder.enableIf() adds a session only when its condition is true", async () => {
  const app = builder((b) => {
    b.enableIf((scope) => scope.path !== "/health", "Session", {
      secret: "the secret of the tests: 32 bytes or more",
    });
    return async (scope, _receive, send) => {
      await send({ type: "report", has: scope["pagi.session"] !== undefined });
    };
  });
  assertEquals((await call(app, { ...scopeWith(), path: "/" }))[0]!.has, true);
  assertEquals((await call(app, { ...scopeWith(), path: "/health" }))[0]!.has, false);
});

Deno.test("Builder.enableIf() throws when the condition is not a function", () => {
  for (const wrong of [true, "/api", undefined]) {
    assertThrows(
      () => builder((b) => b.enableIf(wrong as never, tracing("x")) && respond),
      TypeError,
      "condition",
    );
  }
});

const mounted = builder((b) =>
  b.mount("/api", report("api")).mount("/api/v2/", report("v2")).mount("admin", report("admin")) &&
  report("app")
);

const ROUTES: [path: string, name: string, root: string | undefined, rest: string][] = [
  ["/api", "api", "/api", "/"],
  ["/api/", "api", "/api", "/"],
  ["/api/users", "api", "/api", "/users"],
  ["/api/users/", "api", "/api", "/users/"],
  ["/api/v2", "v2", "/api/v2", "/"],
  ["/api/v2/x", "v2", "/api/v2", "/x"],
  ["/api/v20", "api", "/api", "/v20"],
  ["/admin/x", "admin", "/admin", "/x"],
  ["/apis", "app", undefined, "/apis"],
  ["/API", "app", undefined, "/API"],
  ["/x/api", "app", undefined, "/x/api"],
  ["/", "app", undefined, "/"],
  ["", "app", undefined, ""],
];

for (const [path, name, root, rest] of ROUTES) {
  Deno.test(`Builder.mount() routes the path "${path}" to ${name}`, async () => {
    assertEquals(await route(mounted, path), [name, root, rest]);
  });
}

Deno.test("Builder.mount() routes all paths when its path is /", async () => {
  const app = builder((b) =>
    b.mount("/", report("root")).mount("/api", report("api")) && report("app")
  );
  assertEquals(await route(app, "/x"), ["root", "", "/x"]);
  assertEquals(await route(app, "/"), ["root", "", "/"]);
  assertEquals(await route(app, "/api/x"), ["api", "/api", "/x"]);
});

Deno.test("Builder.mount() appends to root_path, and does not change the outer scope", async () => {
  const inner = builder((b) => b.mount("/v1", report("v1")) && report("inner"));
  const app = builder((b) => b.mount("/api", inner) && report("app"));
  assertEquals(await route(app, "/api/v1/x", { root_path: "/base" }), [
    "v1",
    "/base/api/v1",
    "/x",
  ]);
  assertEquals(await route(app, "/api/v2", { root_path: "/base" }), ["inner", "/base/api", "/v2"]);
  const scope = Object.freeze({ ...scopeWith(), path: "/api/v1" });
  assertEquals((await call(app, scope))[0]!.root_path, "/api/v1");
});

Deno.test("Builder.mount() passes a scope without a path to the app", async () => {
  for (const path of ["/api", "/"]) {
    const app = builder((b) => b.mount(path, report("mounted")) && report("app"));
    const [sent] = await call(app, { type: "lifespan" });
    assertEquals([sent!.name, sent!.path, sent!.root_path], ["app", undefined, undefined], path);
  }
});

Deno.test("Builder.mount() puts mounted apps behind all middleware", async () => {
  const app = builder((b) => b.mount("/api", report("api")).enable(tracing("x")) && report("app"));
  assertEquals((await call(app, { ...scopeWith(), path: "/api" }))[0]!.trace, ["x"]);
  assertEquals((await call(app))[0]!.trace, ["x"]);
});

Deno.test("Builder.mount() throws unless it gets a path and an app", () => {
  assertThrows(() => builder((b) => b.mount(1 as never, respond) && respond), TypeError, "mount");
  for (
    const wrong of [
      undefined,
      {},
      new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" }),
    ]
  ) {
    assertThrows(
      () => builder((b) => b.mount("/a", wrong as never) && respond),
      TypeError,
      "mount",
    );
  }
});

Deno.test("builder() throws when the callback does not return an app", () => {
  for (const wrong of [undefined, null, {}, Promise.resolve(respond)]) {
    assertThrows(() => builder(() => wrong as never), TypeError, "app");
  }
});

Deno.test("builder() passes an error of the app on unchanged", async () => {
  const failure = new RangeError("mine");
  const app = builder((b) => {
    b.enable("Session", { secret: "the secret of the tests: 32 bytes or more" }).enable(
      tracing("x"),
    );
    return () => Promise.reject(failure);
  });
  assertEquals(await assertRejects(() => call(app)), failure);
});
