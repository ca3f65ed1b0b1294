/** Checked, not run: what the compiler says of programs that use sessions. */
import type { AssertFalse, AssertTrue, IsAny, IsExact, IsNullable } from "@std/testing/types";
import {
  type App,
  type Builder,
  builder,
  type Middleware,
  type Receive,
  type Scope,
  type Send,
  Session,
  type SessionApp,
  type SessionData,
  type SessionHandler,
  SessionMiddleware,
  type SessionOptions,
  type SessionScope,
} from "@pagi/session";

/** An interface, not a type alias: it has no index signature. */
interface Account {
  user: string;
  visits: number;
  theme?: "light" | "dark";
  note: string | null;
  cart: { id: string; count: number }[];
}

/** Is the type of the expression what it should be? Fails to compile if not. */
function typed<Expected>() {
  return <Actual>(
    _value: Actual,
    ..._exact: IsExact<Actual, Expected> extends true ? [] : [never]
  ) => {};
}

const session = Session.fromData<Account>({ user: "ada", visits: 1, note: null, cart: [] });
const loose = Session.fromData<Record<string, unknown>>({});

/** Never called: some of it would not work, and all of it is checked. */
function unused(_body: () => unknown) {}

Deno.test("the type tests compile", () => {});

// get(key)
unused(() => {
  typed<string>()(session.get("user"));
  typed<"light" | "dark">()(session.get("theme"));
  typed<string | null>()(session.get("note"));
  typed<{ id: string; count: number }[]>()(session.get("cart"));
  typed<unknown>()(loose.get("anything"));
  // @ts-expect-error -- there is no such key
  session.get("users");
  // @ts-expect-error -- reserved keys are none of the app's
  session.get("_id");
  // @ts-expect-error -- inherited names are no keys
  session.get("toString");
  // @ts-expect-error -- a key is a string
  session.get(1);
  // @ts-expect-error -- a wide string may be any key
  session.get("user" as string);
  // @ts-expect-error -- a key is needed
  session.get();
});

// get(key, fallback)
unused(() => {
  typed<string>()(session.get("user", "nobody"));
  typed<string | undefined>()(session.get("user", undefined));
  typed<string | null>()(session.get("user", null));
  typed<number | string>()(session.get("visits", "none"));
  typed<"light" | "dark" | undefined>()(session.get("theme", undefined));
  typed<"light" | "dark" | number>()(session.get("theme", 0 as number));
  typed<string | null | boolean>()(session.get("note", false as boolean));
  typed<string>()(loose.get("anything", "fallback"));
  typed<number>()(loose.get("anything", 0));
  typed<undefined>()(loose.get("anything", undefined));
  // @ts-expect-error -- there is no such key
  session.get("users", "nobody");
});

// getOrInsert(key, value), pull(key) and pull(key, fallback)
unused(() => {
  typed<{ id: string; count: number }[]>()(session.getOrInsert("cart", []));
  typed<"light" | "dark">()(session.getOrInsert("theme", "light"));
  typed<number>()(loose.getOrInsert("anything", 0 as number));
  typed<string>()(session.pull("user"));
  typed<"light" | "dark" | undefined>()(session.pull("theme", undefined));
  typed<unknown>()(loose.pull("anything"));
  typed<number>()(loose.pull("anything", 0));
  typed<string[]>()(session.takeFlash("info"));
  session.flash("info", "a").set("visits", 1);
  // @ts-expect-error -- not a theme
  session.getOrInsert("theme", "blue");
  // @ts-expect-error -- a value is needed
  session.getOrInsert("cart");
  // @ts-expect-error -- there is no such key
  session.pull("users");
  // @ts-expect-error -- a message is needed
  session.flash("info");
});

type LooseKeys = Parameters<typeof loose.get>[0];
export type Loose = [
  AssertTrue<IsExact<LooseKeys, string>>,
  AssertTrue<IsExact<ReturnType<typeof loose.keys>, string[]>>,
  AssertTrue<IsExact<Session, Session<Record<string, unknown>>>>,
  AssertTrue<IsExact<SessionMiddleware, SessionMiddleware<Record<string, unknown>>>>,
];

// A union, an empty type, and an index signature as the type argument
unused(() => {
  const stock = Session.fromData<{ [name: string]: number }>({});
  typed<number>()(stock.get("apples"));
  typed<number | undefined>()(stock.get("apples", undefined));
  const known = Session.fromData<{ user: string } & Record<string, unknown>>({ user: "ada" });
  typed<string>()(known.get("user"));
  typed<unknown>()(known.get("other"));
  // @ts-expect-error -- an object without keys has none to get
  Session.fromData<Record<never, never>>({}).get("a");
  // @ts-expect-error -- data is an object
  type _Wrong = Session<string>;
});

// set, update, delete, exists, keys, slice
unused(() => {
  typed<Session<Account>>()(session.set("user", "bob"));
  typed<Session<Account>>()(session.set({ user: "bob", theme: "dark" }));
  typed<Session<Account>>()(session.delete("user", "theme"));
  typed<Session<Account>>()(session.clear().regenerate().destroy());
  typed<Session<Account>>()(session.update("visits", (visits = 0) => visits + 1));
  typed<boolean>()(session.exists("theme"));
  typed<("user" | "visits" | "theme" | "note" | "cart")[]>()(session.keys());
  typed<{ user?: string; theme?: "light" | "dark" }>()(session.slice("user", "theme"));
  session.update("theme", (theme) => (typed<"light" | "dark" | undefined>()(theme), "dark"));
  session.update("cart", (cart = []) => [...cart, { id: "x", count: 1 }]);
  loose.update("n", (n) => (typed<unknown>()(n), Number(n) + 1)).set("anything", new Date());
  // @ts-expect-error -- the value has another type
  session.set("visits", "one");
  // @ts-expect-error -- a fallback's type is not the key's
  session.set("theme", "blue");
  // @ts-expect-error -- there is no such key
  session.set("users", 1);
  // @ts-expect-error -- there is no such key in an object either
  session.set({ users: 1 });
  // @ts-expect-error -- the value has another type
  session.set({ visits: "one" });
  // @ts-expect-error -- the function returns another type
  session.update("visits", () => "one");
  // @ts-expect-error -- the function must not be async
  session.update("visits", async () => await 1);
  // @ts-expect-error -- the key may not exist yet
  session.update("visits", (visits) => visits + 1);
  // @ts-expect-error -- there is no such key
  session.delete("users");
  // @ts-expect-error -- there is no such key
  session.exists("users");
  // @ts-expect-error -- there is no such key
  session.slice("users");
  // @ts-expect-error -- an optional key that is sliced may be missing
  session.slice("user").user.length;
});

// data, id, subject
unused(() => {
  typed<string | undefined>()(session.id);
  typed<string | undefined>()(session.subject);
  typed<SessionData<Account>>()(session.data);
  typed<string>()(session.data.user);
  typed<number | undefined>()(session.data._created);
  session.data.visits++;
  session.data._regenerated = 1;
  session.subject = "ada";
  // @ts-expect-error -- the id is the middleware's
  session.id = "x";
  // @ts-expect-error -- the id is the middleware's
  session.data._id = "x";
  // @ts-expect-error -- there is no such key
  session.data.users;
  // @ts-expect-error -- a subject is a string
  session.subject = 5;
});

// new Session(x)
unused(() => {
  const scope: Scope = { type: "http" };
  typed<string>()(new Session<Account>(scope).get("user"));
  typed<unknown>()(new Session({ scope }).get("user"));
  new Session(session.data, "further", 1);
  // @ts-expect-error -- a string is no source
  new Session("abc");
  // @ts-expect-error -- undefined is no source
  new Session(scope["pagi.session"]);
  // @ts-expect-error -- user is required
  Session.fromData<Account>({ visits: 1, note: null, cart: [] });
});

// handler, run, load, update, destroy
unused(async () => {
  const sessions = new SessionMiddleware<Account>({
    secret: "the secret of the tests: 32 bytes or more",
  });
  const plain = sessions.handler((request, session) => {
    typed<Request>()(request);
    typed<Session<Account>>()(session);
    return new Response(session.get("user"));
  });
  typed<Response>()(await plain(new Request("http://localhost/")));
  Deno.serve(sessions.handler((_request, session, info) => {
    typed<Deno.ServeHandlerInfo<Deno.NetAddr>>()(info);
    typed<Session<Account>>()(session);
    return new Response(info.remoteAddr.hostname);
  }));
  Deno.serve(
    { port: 0 },
    sessions.handler((_request, _session, info) => {
      typed<string>()(info.remoteAddr.hostname);
      return new Response();
    }),
  );
  Deno.serve(sessions.handler(() => new Response()));
  Deno.serve(sessions.handler(async (_request) => await new Response()));
  const typedInfo = sessions.handler((_request, _session, env: { db: string }, n: number) =>
    new Response(env.db + n)
  );
  await typedInfo(new Request("http://localhost/"), { db: "x" }, 1);
  // @ts-expect-error -- what the handler wants has to be passed
  await typedInfo(new Request("http://localhost/"));
  // @ts-expect-error -- a handler returns a Response
  sessions.handler(() => "text");
  // @ts-expect-error -- a handler returns a Response
  sessions.handler(async () => {});
  const stored: SessionHandler<Account> = (_request, session) => new Response(session.get("user"));
  sessions.handler(stored);

  const request = new Request("http://localhost/");
  typed<Response>()(await sessions.run(request, (session) => new Response(session.get("user"))));
  // @ts-expect-error -- there is no such key
  await sessions.run(request, (session) => new Response(session.get("users")));
  const loaded = await sessions.load(request);
  typed<Session<Account> | undefined>()(loaded);
  await sessions.load({ type: "websocket", headers: [] });
  const updated = await sessions.update("id", (data) => {
    typed<number>()(data.visits);
    data.visits++;
    // @ts-expect-error -- there is no such key
    data.users = 1;
  });
  typed<Session<Account>>()(updated);
  await sessions.update(session, async (data) => void (data.user = await "bob"));
  // @ts-expect-error -- a session of another type
  await sessions.update(Session.fromData<{ other: Date }>({ other: new Date() }), () => {});
  await sessions.destroy(session);
});

// wrap and builder
unused(() => {
  const sessions = new SessionMiddleware<Account>({
    secret: "the secret of the tests: 32 bytes or more",
  });
  const wrapped = sessions.wrap((scope, receive, send) => {
    typed<SessionScope<Account>>()(scope);
    typed<Receive>()(receive);
    typed<Send>()(send);
    typed<string>()(scope["pagi.session"].user);
    typed<string | undefined>()(scope["pagi.session_id"]);
    // @ts-expect-error -- the value has another type
    scope["pagi.session"].visits = "one";
    // @ts-expect-error -- there is no such key
    scope["pagi.session"].users;
  });
  typed<App>()(wrapped);

  const app: App = async (scope, _receive, send) => {
    new Session<Account>(scope).set("user", "ada");
    await send({ type: "http.response.start" });
  };
  const sessionApp: SessionApp<Account> = (scope) => void scope["pagi.session"].visits++;
  const untyped: SessionApp = (scope) => void (scope["pagi.session"].n = 1);
  const built = builder((b) => {
    typed<Builder>()(b);
    b.enable(SessionMiddleware, { secret: "the secret of the tests: 32 bytes or more" }).enable(
      sessions,
    ).enable((app) => app);
    b.enableIf((scope) => scope.type === "http", "Session", {
      secret: "the secret of the tests: 32 bytes or more",
    });
    b.enableIf(() => true, SessionMiddleware, {
      secret: "the secret of the tests: 32 bytes or more",
    }).enableIf(() => true, sessions);
    b.mount("/a", app).mount("/b", sessionApp).mount("/c", untyped);
    // @ts-expect-error -- there is no middleware of this name
    b.enable("Sesion", { secret: "the secret of the tests: 32 bytes or more" });
    // @ts-expect-error -- the options go with it
    b.enable("Session");
    // @ts-expect-error -- secret is required
    b.enable("Session", { expire: 60 });
    // @ts-expect-error -- there is no such option
    b.enable("Session", { secret: "the secret of the tests: 32 bytes or more", expires: 60 });
    // @ts-expect-error -- secret is required
    b.enable(SessionMiddleware, { expire: 60 });
    // @ts-expect-error -- an instance has its options
    b.enable(sessions, { secret: "the secret of the tests: 32 bytes or more" });
    return sessionApp;
  });
  typed<App>()(built);
  builder(() => app);
  builder(() => untyped);
  // @ts-expect-error -- an app has to be returned
  builder((b) => b);
  const middleware: Middleware = sessions;
  middleware.wrap(app);
  const secret = "the secret of the tests: 32 bytes or more";
  // @ts-expect-error -- misspelt options are refused
  new SessionMiddleware({ secret, cookie_name: "sid" });
  // @ts-expect-error -- secret is required
  new SessionMiddleware({});
});

export type Options = [
  AssertFalse<IsNullable<SessionOptions["secret"]>>,
  AssertTrue<IsNullable<SessionOptions["expire"]>>,
  AssertFalse<IsAny<SessionScope["pagi.session"]>>,
];
