/** Tests koaSession() with a stand-in for Koa. `tests/frameworks` runs the real one. */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { Session, SessionError, SessionMiddleware } from "@pagi/session";
import { type KoaContext, koaSession, type SessionState } from "@pagi/session/koa";
import { failing, idOf, rig } from "../../_kit/helpers.ts";
import { nodeResponse, slow } from "../../_kit/node_response.ts";

type State = { session: Session; admin: Session };

/** Stands in for Koa's context and for what Koa does with it at the end. */
function koaContext(headers: Record<string, string> = {}) {
  const { res, ...rest } = nodeResponse();
  res.setHeader("x-before", "stays");
  const errors: unknown[] = [];
  const ctx: KoaContext & { state: State } = {
    req: { method: "GET", url: "/", headers },
    res,
    app: { emit: (_event, error) => errors.push(error) },
    state: {} as State,
    status: 200,
    body: undefined,
    onerror(error) {
      if (error === null) return;
      errors.push(error);
      if (!res.headersSent) res.end("Internal Server Error");
    },
  };
  const send = () => {
    res.statusCode = ctx.status;
    res.end(ctx.body);
  };
  return { ctx, errors, res, send, ...rest };
}

const unknownId = { cookie: `pagi_session=${idOf("a")}` };
const turn = () => new Promise((resolve) => setTimeout(resolve));
const codesOf = (errors: unknown[]) => errors.map((error) => (error as SessionError).code);

/** A handler that writes to the session and sets a body. */
const write = (ctx: KoaContext & { state: State }) => async () => {
  await Promise.resolve();
  ctx.state.session.set("n", 1);
  ctx.res.setHeader("etag", "own");
  ctx.body = "page";
};

Deno.test("koaSession() saves the session before Koa sends the response", async () => {
  const { ctx, errors, headers, send, sent } = koaContext();
  const koa = koaSession(rig({ store: slow() }).sessions);
  assertThrows(() => koa.of(ctx), TypeError, "middleware");
  await koa(ctx, () => koa(ctx, write(ctx)));
  assertStrictEquals(koa.of(ctx), ctx.state.session);
  ctx.onerror(null as never);
  send();
  assertEquals(sent, []);
  await turn();
  assertEquals([sent, headers.has("set-cookie"), errors], [[200, "page", "end"], true, []]);
});

Deno.test("koaSession() responds to a session that cannot be saved", async () => {
  const { ctx, errors, headers, res, send, sent } = koaContext();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { end } = res;
  res.end = () => (end.call(res), resolve(), res);
  await koaSession(rig({ store: slow("create") }).sessions)(ctx, write(ctx));
  send();
  await promise;
  assertEquals(codesOf(errors), ["ERR_SESSION_STORE"]);
  assertEquals([res.statusCode, sent[0], sent.includes("page")], [503, 503, false]);
  assertEquals([headers.has("etag"), headers.get("x-before")], [false, "stays"]);
});

Deno.test("koaSession() responds to a session that cannot be read, or that it refused", async () => {
  const unreadable = rig({ store: failing("read") }).sessions;
  const refusing = rig().sessions;
  const refuse = async (ctx: KoaContext & { state: State }) => {
    await write(ctx)();
    ctx.respond = false;
    await refusing.update(idOf("a"), () => {});
  };
  for (const [sessions, status] of [[unreadable, 503], [refusing, 409]] as const) {
    const { ctx, errors, headers } = koaContext(unknownId);
    await koaSession(sessions as SessionMiddleware)(ctx, () => refuse(ctx));
    assertEquals([ctx.status, typeof ctx.body, ctx.respond], [status, "string", true]);
    assertEquals((errors[0] as SessionError).status, status);
    assertEquals([headers.has("etag"), headers.get("x-before")], [false, "stays"]);
    assertEquals(headers.get("cache-control"), "no-store");
  }
});

Deno.test("koaSession() saves nothing if a middleware throws", async () => {
  const { sessions, store } = rig();
  const { ctx, send, headers } = koaContext();
  const boom = new RangeError("boom");
  const run = koaSession(sessions)(ctx, async () => {
    await write(ctx)();
    throw boom;
  });
  assertStrictEquals(await assertRejects(() => run), boom);
  send();
  await turn();
  assertEquals([store.size, headers.has("set-cookie")], [0, false]);
});

Deno.test("koaSession() saves nothing if Koa responds to an error of a stream", async () => {
  const { sessions, store } = rig();
  const { ctx, errors, headers, sent } = koaContext();
  const boom = new RangeError("boom");
  await koaSession(sessions)(ctx, write(ctx));
  ctx.onerror(boom);
  await turn();
  assertEquals([store.size, headers.has("set-cookie"), errors], [0, false, [boom]]);
  assertEquals(sent.at(-1), "end");
});

Deno.test("koaSession() puts the cookie of save() on the page of an error", async () => {
  const { sessions, store } = rig();
  const { ctx, headers, send } = koaContext();
  await assertRejects(() =>
    koaSession(sessions)(ctx, async () => {
      await ctx.state.session.set("failures", 1).save();
      throw new Error("boom");
    })
  );
  send();
  await turn();
  assertEquals([store.size, headers.has("set-cookie")], [1, true]);
});

Deno.test("koaSession() passes on an error that is not a session's", async () => {
  const { ctx, errors, res, send } = koaContext();
  res.write = () => {
    throw new RangeError("refused");
  };
  await koaSession(rig({ store: slow() }).sessions)(ctx, async () => {
    await write(ctx)();
    res.write("page");
  });
  send();
  await turn();
  assert(errors[0] instanceof RangeError);
});

Deno.test("koaSession() does not respond twice if the app has sent its response", async () => {
  const { sessions } = rig();
  const { ctx, res } = koaContext();
  const error = await assertRejects(() =>
    koaSession(sessions)(ctx, async () => {
      res.end("sent");
      await sessions.update(idOf("a"), () => {});
    })
  );
  assertEquals([(error as SessionError).status, ctx.body], [409, undefined]);
});

Deno.test("koaSession() keeps two middlewares apart, at any depth", async () => {
  const [shop, other, admin] = [rig(), rig(), rig({ key: "admin" })];
  for (const [outer, inner] of [[shop, admin], [admin, shop]] as const) {
    const { ctx, headers, send } = koaContext();
    const [first, second] = [koaSession(outer.sessions), koaSession(inner.sessions)];
    await first(ctx, () => second(ctx, () => first(ctx, write(ctx))));
    assertEquals(ctx.state.admin.exists("n"), false);
    ctx.state.admin.set("role", "root");
    assertEquals(ctx.state.session.exists("role"), false);
    send();
    await turn();
    assertEquals((headers.get("set-cookie") as string[]).length, 2);
  }
  const { ctx } = koaContext();
  const [first, second] = [koaSession(shop.sessions), koaSession(other.sessions)];
  await assertRejects(() => first(ctx, () => second(ctx, write(ctx))), TypeError, "option key");
});

Deno.test("koaSession() answers client input that makes no fetch Request", async () => {
  for (const req of [{ url: "//" }, { method: "TRACE" }, { headers: { host: "a b" } }]) {
    const { ctx } = koaContext();
    Object.assign(ctx.req, req);
    const headers = { ...ctx.req.headers, ...unknownId, ":path": "/" };
    Object.assign(ctx.req, { headers });
    await koaSession(rig({ store: failing("read") }).sessions)(ctx, write(ctx));
    assertEquals(ctx.status, 503);
  }
});

Deno.test("SessionState types each middleware's session under its key", () => {
  type Both = SessionState<{ cart: string }> & SessionState<{ role: string }, "admin">;
  const read = ({ session, admin }: Both): string => {
    // @ts-expect-error: the admin area has no cart
    admin.get("cart", "");
    return session.get("cart", "") + admin.get("role", "");
  };
  assertEquals(typeof read, "function");
});

Deno.test("koaSession() refuses what is not a SessionMiddleware", () => {
  assertThrows(() => koaSession({} as SessionMiddleware), TypeError, "koaSession");
});
