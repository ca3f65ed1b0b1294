/** Tests nestSession() with a stand-in for Nest. `tests/frameworks` runs the real one. */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Session, SessionError, type SessionMiddleware } from "@pagi/session";
import { type NestApplication, nestSession } from "@pagi/session/nest";
import { failing, idOf, rig } from "../../_kit/helpers.ts";
import { nodeResponse, slow } from "../../_kit/node_response.ts";

const metadata = new WeakMap<object, { [Symbol.hasInstance](error: unknown): boolean }[]>();
Object.assign(Reflect, {
  defineMetadata: (_key: string, value: never, target: object) => metadata.set(target, value),
});

/** Stands in for Nest's class for the arguments of a request. */
class Host {
  readonly #args: unknown[];
  readonly #handler: unknown;
  readonly #type: string;

  constructor(args: unknown[], handler: unknown = null, type = "http") {
    this.#args = args;
    this.#handler = handler;
    this.#type = type;
  }
  getType = () => this.#type;
  getHandler = () => this.#handler;
  getArgs() {
    return this.#args;
  }
  getArgByIndex(index: number) {
    return this.#args[index];
  }
  switchToHttp() {
    return { getResponse: () => this.#args[1] };
  }
}

type Of<Method extends "use" | "useGlobalGuards" | "useGlobalFilters"> = Parameters<
  NestApplication[Method]
>;

/** Installs sessions in a stand-in for a Nest app on Express, or on Fastify. */
function install(sessions: SessionMiddleware, fastify: object = {}) {
  const added: {
    use: Of<"use">[0][];
    guards: Of<"useGlobalGuards">;
    filters: Of<"useGlobalFilters">;
  } = { use: [], guards: [], filters: [] };
  const app: NestApplication = {
    use: (middleware) => added.use.push(middleware),
    useGlobalGuards: (...guards) => added.guards.push(...guards),
    useGlobalFilters: (...filters) => added.filters.push(...filters),
    getHttpAdapter: () => ({ getInstance: () => fastify }),
  };
  const session = nestSession(sessions);
  session.install(app);
  session.install(app);
  assertEquals([added.use.length, added.guards.length, added.filters.length], [1, 1, 1]);
  const [use, guard, filter] = [added.use[0]!, added.guards[0]!, added.filters[0]!];
  const open = async (headers: Record<string, string> = {}) => {
    const { res, ...rest } = nodeResponse();
    const req = { method: "GET", url: "/", headers, session: undefined as unknown as Session };
    const errors: unknown[] = [];
    const ended = new Promise<void>((resolve) => {
      const { end } = res;
      res.end = (chunk) => (end.call(res, chunk), resolve(), res);
    });
    const passed = new Promise<void>((resolve) =>
      use(req, res, (error) => {
        if (error !== undefined) errors.push(error);
        resolve();
      })
    );
    await Promise.race([passed, ended]);
    return { req, res, errors, ended, ...rest };
  };
  return { app, session, use, guard, filter, open };
}

Deno.test("nestSession() saves no error page before it can observe filters", async () => {
  for (const [status, size] of [[200, 1], [404, 0]] as const) {
    const { sessions, store } = rig();
    const { req, res, ended } = await install(sessions).open();
    req.session.set("n", 1);
    res.statusCode = status;
    res.end("page");
    await ended;
    assertEquals(store.size, size);
  }
});

Deno.test("nestSession() saves nothing when an exception filter gets the arguments", async () => {
  for (const use of ["getArgs", "getArgByIndex", "switchToHttp"] as const) {
    for (const isFilter of [true, false]) {
      const store = slow();
      const { guard, open, session } = install(rig({ store }).sessions);
      const { req, res, ended } = await open();
      assert(guard.canActivate(new Host([], "handler")));
      session.of({ raw: req }).set("n", 1);
      new Host([req, res], isFilter ? null : "handler")[use](1);
      new Host([{ socket: {} }, res], null, "ws")[use](1);
      res.statusCode = 404;
      res.end("page");
      await ended;
      assertEquals(store.size, isFilter ? 0 : 1);
    }
  }
});

Deno.test("nestSession() responds to a session that cannot be read or saved", async () => {
  const unread = await install(rig({ store: failing("read") }).sessions)
    .open({ cookie: `pagi_session=${idOf("a")}` });
  assertEquals([unread.res.statusCode, unread.errors], [503, []]);

  const { open } = install(rig({ store: slow("create") }).sessions);
  const { req, res, ended, errors, sent } = await open();
  req.session.set("n", 1);
  res.setHeader("etag", "own");
  res.end("page");
  await ended;
  assertEquals([res.statusCode, sent.includes("page"), errors], [503, false, []]);
  assertEquals(res.getHeader("etag"), undefined);
});

Deno.test("nestSession() reports a failed save although the client has gone", async () => {
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  for (const isFastify of [false, true]) {
    const fastify = { hasRequestDecorator: () => false, decorateRequest: () => {} };
    const { events, sessions } = rig({ store: slow("create") });
    const { open } = install(sessions, isFastify ? fastify : {});
    const { req, res, errors } = await open();
    req.session.set("n", 1);
    res.write("page");
    Object.assign(res, { destroyed: true });
    await turn();
    assertEquals(errors.length, isFastify ? 0 : 1);
    assertEquals(events, ["request-failed"]);
  }
});

Deno.test("nestSession() lets Nest respond to errors that are not a session's", async () => {
  const fastify = () => ({ hasRequestDecorator: () => false, decorateRequest: () => {} });
  for (const platform of [{}, fastify()]) {
    const state = {
      vary: [],
      extract: () => Promise.reject(new RangeError("mine")),
      inject: () => {},
    };
    const { errors } = await install(rig({ state }).sessions, platform).open();
    assert(errors[0] instanceof RangeError);
  }
  for (const [platform, isFastify] of [[{}, false], [fastify(), true]] as const) {
    const { open } = install(rig({ store: slow() }).sessions, platform);
    const { req, res, errors, ended } = await open();
    req.session.set("n", () => {});
    res.end("page");
    if (isFastify) await ended;
    else await new Promise((resolve) => setTimeout(resolve));
    assertEquals(errors.length, isFastify ? 0 : 1);
    if (isFastify) assertEquals(res.statusCode, 500);
    else res.end();
  }
});

Deno.test("nestSession() passes the errors of a WebSocket's handshake on", async () => {
  const { use } = install(rig({ store: failing("read") }).sessions);
  const headers = { cookie: `pagi_session=${idOf("a")}` };
  const error = await new Promise((resolve) => use({ headers }, {}, resolve));
  assertEquals((error as SessionError).code, "ERR_SESSION_STORE");
});

Deno.test("nestSession() responds to a session's error that a handler throws", async () => {
  const { filter, open } = install(rig().sessions);
  const [classes] = [metadata.get(filter.constructor)!];
  const caught = new SessionError("ERR_SESSION_INTERRUPTED", "Interrupted");
  for (const error of [new Error("boom"), new SessionError("ERR_SESSION_KEY", "No key")]) {
    assert(!classes.some((one) => one[Symbol.hasInstance](error)));
  }
  assert(classes.every((one) => one[Symbol.hasInstance](caught)));
  for (const isFastify of [false, true]) {
    const { req, res } = await open();
    let isHijacked = false;
    const reply = { raw: res, hijack: () => isHijacked = true };
    const args = isFastify ? [{ raw: req }, reply] : [req, res];
    await filter.catch(caught, new Host(args));
    assertEquals([res.statusCode, isHijacked], [409, isFastify]);
  }
  const other = await assertRejects(async () =>
    void await filter.catch(caught, new Host([], null, "graphql"))
  );
  assertStrictEquals(other, caught);
});

Deno.test("nestSession() gives Fastify's request the session of Node's", async () => {
  const getters = new Map<string, (this: unknown) => unknown>();
  const fastify = {
    hasRequestDecorator: (name: string) => getters.has(name),
    decorateRequest: (name: string, { getter }: { getter(): unknown }) => getters.set(name, getter),
  };
  const { open, session } = install(rig().sessions, fastify);
  const { req } = await open();
  assertStrictEquals(getters.get("session")!.call({ raw: req }), session.of(req));
  assertThrows(() => install(rig().sessions, fastify), TypeError, "option key");
  await install(rig({ key: "admin" }).sessions, fastify).open();
  assertEquals([...getters.keys()], ["session", "admin"]);
});

Deno.test("nestSession() refuses what is not a SessionMiddleware", () => {
  assertThrows(() => nestSession({} as SessionMiddleware), TypeError, "nestSession");
});
