/**
 * Tests the adapters for meta-frameworks where `tests/frameworks` does not lead: nested hooks, and
 * requests that only scripts make.
 */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { Session, SessionMiddleware } from "@pagi/session";
import { astroSession } from "@pagi/session/astro";
import { type ReactRouterContext, reactRouterSession } from "@pagi/session/react-router";
import { sveltekitSession } from "@pagi/session/sveltekit";
import { tanstackStartSession } from "@pagi/session/tanstack-start";
import { cookieOf, failing, idOf, requestWith, rig } from "../../_kit/helpers.ts";

/** Stands in for SvelteKit's event. */
function eventOf(headers: Record<string, string> = {}, more: object = {}) {
  const locals: Record<string, Session> = {};
  const request = requestWith(headers);
  return { request, locals, isSubRequest: false, isDataRequest: false, ...more };
}

/** The names of the cookies that a response sets. */
const cookies = (response: Response) =>
  response.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);

/** What SvelteKit's `redirect()` throws. */
const redirect = { status: 303, location: "/" };

Deno.test("sveltekitSession() keeps two sessions apart, in both orders", async () => {
  const [shop, admin] = [rig().sessions, rig({ key: "admin" }).sessions].map((one) =>
    sveltekitSession(one)
  );
  for (const [outer, inner] of [[shop!, admin!], [admin!, shop!]] as const) {
    const event = eventOf();
    const response = await outer.handle({
      event,
      resolve: (event) =>
        inner.handle({
          event,
          resolve({ locals }) {
            locals.session!.set("n", 1);
            locals.admin!.set("n", 2);
            return new Response("page");
          },
        }),
    });
    assertEquals(cookies(response).sort(), ["pagi_session", "pagi_session_admin"]);
    assertEquals([shop!.of(event).get("n"), admin!.of(event).get("n")], [1, 2]);
  }
});

Deno.test("the adapters refuse a place that another middleware has taken", async () => {
  const [first, second] = [rig().sessions, rig().sessions];
  const event = eventOf();
  await assertRejects(
    () =>
      sveltekitSession(first).handle({
        event,
        resolve: (event) =>
          sveltekitSession(second).handle({ event, resolve: () => new Response() }),
      }),
    TypeError,
    "event.locals.session already",
  );
  const context = { request: requestWith(), locals: {} };
  await assertRejects(
    () =>
      astroSession(first)(
        context,
        () => astroSession(second)(context, () => Promise.resolve(new Response())),
      ),
    TypeError,
    "context.locals.session already",
  );
});

Deno.test("the same middleware twice is one session, and a failure passes both", async () => {
  const { sessions, store } = rig();
  const sveltekit = sveltekitSession(sessions);
  const event = eventOf();
  const failed = await sveltekit.handle({
    event,
    resolve: (event) =>
      sveltekit.handle({
        event,
        resolve({ locals, request }) {
          locals.session!.set("n", 1);
          sveltekit.handleError(() => {})({ event, error: new Error("boom"), kind: "unknown" });
          return new Response(request.method, { status: 500 });
        },
      }),
  });
  assertEquals([failed.status, cookies(failed)], [500, []]);

  const { middleware } = reactRouterSession(sessions);
  const args = { request: requestWith(), context: routerContext() };
  const page = () => Promise.resolve(new Response("sorry", { status: 500 }));
  assertEquals((await middleware(args, () => middleware(args, page))).status, 500);

  const { handle } = tanstackStartSession(sessions);
  const request = requestWith();
  const result = { response: new Response("sorry", { status: 500 }) };
  const inner = () => handle(request, () => result) as Promise<typeof result>;
  assertStrictEquals(await handle(request, inner), result);
  assertEquals(store.size, 0);
});

Deno.test("sveltekitSession() saves what a page did before a later hook's redirect", async () => {
  const kinds = [
    [{}, {}, false],
    [{}, { isDataRequest: true }, true],
    [{}, { isRemoteRequest: true }, true],
    [{ accept: "application/json" }, {}, true],
  ] as const;
  for (const [headers, more, isForScript] of kinds) {
    const { sessions } = rig();
    const response = await sveltekitSession(sessions).handle({
      event: eventOf(headers, more),
      resolve({ locals }) {
        locals.session!.set("n", 1);
        throw redirect;
      },
    });
    assertEquals(cookies(response), ["pagi_session"]);
    if (isForScript) assertEquals(await response.json(), { type: "redirect", ...redirect });
    else assertEquals([response.status, response.headers.get("location")], [303, "/"]);
  }
});

Deno.test("sveltekitSession() saves nothing when a later hook throws", async () => {
  const { sessions, store } = rig();
  for (const thrown of [new Error("boom"), { status: 403, body: {} }, undefined, "text"]) {
    await sveltekitSession(sessions).handle({
      event: eventOf(),
      resolve({ locals }) {
        locals.session!.set("n", 1);
        throw thrown;
      },
    }).then(() => assert(false), (error) => assertStrictEquals(error, thrown));
  }
  assertEquals(store.size, 0);
});

Deno.test("sveltekitSession() saves nothing when a load failed whose data is part of a 200", async () => {
  const { sessions, store } = rig();
  const session = sveltekitSession(sessions);
  const handleError = session.handleError(() => ({ message: "sorry" }));
  for (const kind of ["app", "unknown", "validation", undefined]) {
    const event = eventOf({}, { isDataRequest: true });
    const response = await session.handle({
      event,
      resolve({ locals }) {
        locals.session!.set("n", 1);
        assertEquals(handleError({ event, error: new Error("boom"), kind }), { message: "sorry" });
        return new Response("{}");
      },
    });
    assertEquals([response.status, cookies(response)], [200, []]);
  }
  assertEquals(store.size, 0);
});

Deno.test("sveltekitSession() gives the page's session to an endpoint that the page calls", async () => {
  const { sessions } = rig();
  const session = sveltekitSession(sessions);
  const response = await session.handle({
    event: eventOf(),
    async resolve(page) {
      page.locals.session!.set("n", 1);
      const inner = await session.handle({
        event: eventOf({}, { isSubRequest: true }),
        resolve({ locals }) {
          assertEquals(locals.session!.get("n"), 1);
          locals.session!.set("m", 2);
          return new Response("data");
        },
      });
      assertEquals(cookies(inner), []);
      return new Response(String(page.locals.session!.get("m")));
    },
  });
  assertEquals([await response.text(), cookies(response)], ["2", ["pagi_session"]]);
});

Deno.test("sveltekitSession() saves beside an error of the framework, such as a 404", async () => {
  const { sessions } = rig();
  const session = sveltekitSession(sessions);
  const event = eventOf();
  const response = await session.handle({
    event,
    resolve({ locals }) {
      locals.session!.set("n", 1);
      session.handleError()({ event, error: new Error("Not Found"), kind: "framework" });
      return new Response("Not Found", { status: 404 });
    },
  });
  assertEquals([response.status, cookies(response)], [404, ["pagi_session"]]);
});

/** Stands in for React Router's `RouterContextProvider`. */
function routerContext() {
  const values = new Map<unknown, unknown>();
  return {
    set: <Value>(key: ReactRouterContext<Value>, value: Value) => void values.set(key, value),
    get: <Value>(key: ReactRouterContext<Value>) => values.get(key) as Value,
  };
}

Deno.test("reactRouterSession() keeps two sessions apart", async () => {
  const shop = reactRouterSession(rig().sessions);
  const admin = reactRouterSession(rig({ key: "admin" }).sessions);
  const context = routerContext();
  const args = { request: requestWith(), context };
  const response = await shop.middleware(args, () =>
    admin.middleware(args, () => {
      context.get(shop.session).set("n", 1);
      context.get(admin.session).set("n", 2);
      return Promise.resolve(new Response("page"));
    }));
  assertEquals(cookies(response).sort(), ["pagi_session", "pagi_session_admin"]);
});

Deno.test("astroSession() opens no session for a prerendered page", async () => {
  const { sessions, store } = rig();
  const onRequest = astroSession(sessions);
  const context = { request: requestWith(), locals: {}, isPrerendered: true };
  const page = new Response("page");
  assertStrictEquals(await onRequest(context, () => Promise.resolve(page)), page);
  assertThrows(() => onRequest.of(context), TypeError, "context.locals.session is missing");
  assertEquals(store.size, 0);
});

Deno.test("astroSession() opens the session once when a page is rewritten", async () => {
  const { sessions } = rig();
  const onRequest = astroSession(sessions);
  const locals: { session?: Session } = {};
  const first = { request: requestWith(), locals };
  // A rewrite runs the middleware again, with another request and the same locals.
  const response = await onRequest(first, () => {
    locals.session!.set("n", 1);
    return onRequest({ request: requestWith(), locals }, () => {
      assertEquals(locals.session!.get("n"), 1);
      return Promise.resolve(new Response("page"));
    });
  });
  assertEquals(cookies(response), ["pagi_session"]);
});

Deno.test("astroSession() saves nothing when an action failed, called by a form or a script", async () => {
  const { sessions, store } = rig();
  const onRequest = astroSession(sessions);
  const write = (locals: object, more: object, status: number) => {
    (locals as { session: Session }).session.set("n", 1);
    Object.assign(locals, more);
    return Promise.resolve(new Response("page", { status }));
  };
  const failedForm = { _actionPayload: { actionResult: { type: "error" } } };
  const form = { request: requestWith(), locals: {} };
  assertEquals(cookies(await onRequest(form, () => write(form.locals, failedForm, 200))), []);
  const script = { request: requestWith(), locals: {}, routePattern: "/_actions/[...path]" };
  assertEquals(cookies(await onRequest(script, () => write(script.locals, {}, 403))), []);
  assertEquals(store.size, 0);
  const page = { request: requestWith(), locals: {}, routePattern: "/[...path]" };
  assertEquals(cookies(await onRequest(page, () => write(page.locals, {}, 404))).length, 1);
});

Deno.test("astroSession() keeps the page's cookies off the response to a session's error", async () => {
  const attached = Symbol.for("astro.cookies");
  for (const store of [failing("create"), undefined]) {
    const onRequest = astroSession(rig({ store }).sessions);
    const context = { request: requestWith(), locals: {} as Record<string, Session> };
    const response = await onRequest(context, () => {
      context.locals.session!.set("n", 1);
      return Promise.resolve(new Response(null, { status: 204 }));
    });
    // Astro does this after the middleware.
    Reflect.set(response, attached, "own=1");
    const expected = store === undefined ? [204, "own=1"] : [503, undefined];
    assertEquals([response.status, Reflect.get(response, attached)], expected);
  }
});

Deno.test("tanstackStartSession() keeps the options of a redirect that it copies", async () => {
  const { sessions } = rig();
  const { handle } = tanstackStartSession(sessions);
  // The app may throw the same object for each client.
  const redirect = Object.assign(new Response(null, { status: 307 }), { options: { to: "/" } });
  const seen = new Set<string>();
  for (const _ of [1, 2]) {
    const response = await handle(requestWith(), (session) => {
      session.set("n", 1);
      return { response: redirect };
    }) as Response & { options: unknown };
    assertEquals(response.options, { to: "/" });
    seen.add(cookieOf(response));
  }
  assertEquals([seen.size, cookies(redirect)], [2, []]);
});

Deno.test("tanstackStartSession() puts the cookie of save() on the error", async () => {
  const { sessions } = rig();
  const { handle } = tanstackStartSession(sessions);
  const thrown = await assertRejects(() =>
    handle(requestWith(), async (session): Promise<{ response: Response }> => {
      await session.set("n", 1).save();
      throw new Error("boom");
    })
  ) as Error & { headers: Headers };
  assertEquals(thrown.headers.getSetCookie().length, 1);
  const plain = await assertRejects(() =>
    handle(requestWith(), (): { response: Response } => {
      throw new Error("boom");
    })
  ) as Error & { headers?: Headers };
  assertEquals([...plain.headers ?? []], []);
});

Deno.test("the adapters answer a store that fails", async () => {
  const answers: ((sessions: SessionMiddleware, request: Request) => Promise<unknown>)[] = [
    (sessions, request) =>
      sveltekitSession(sessions).handle({
        event: { ...eventOf(), request },
        resolve: () => new Response(),
      }),
    (sessions, request) =>
      reactRouterSession(sessions).middleware(
        { request, context: routerContext() },
        () => Promise.resolve(new Response()),
      ),
    (sessions, request) =>
      astroSession(sessions)({ request, locals: {} }, () => Promise.resolve(new Response())),
    (sessions, request) =>
      tanstackStartSession(sessions).handle(request, () => ({ response: new Response() })),
  ];
  for (const answer of answers) {
    const { sessions } = rig({ store: failing("read") });
    const request = requestWith({ cookie: `pagi_session=${idOf("a")}` });
    assertEquals((await answer(sessions, request) as Response).status, 503);
  }
});

Deno.test("the adapters throw when they are made of something else", () => {
  const makers = { sveltekitSession, reactRouterSession, astroSession, tanstackStartSession };
  for (const [name, make] of Object.entries(makers)) {
    assertThrows(() => make({} as never), TypeError, `Cannot make ${name}`);
  }
});
