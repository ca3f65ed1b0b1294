/** The entry points other than `handler`, which all other cases use. */
import {
  type App,
  builder,
  type Event,
  type HeaderPair,
  type Scope,
  Session,
  SessionMiddleware,
} from "@pagi/session";
import { type Cases, type Data, fails, FORGED, same, SECRET, setUp } from "./_kit.ts";

const COUNTER: App = async (scope, _receive, send) => {
  const session = new Session<Data>(scope);
  session.update("n", (n = 0) => n + 1);
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: `Visit ${session.get("n")}` });
};

/** The kinds of Response that every runtime can make. */
const KINDS: Record<string, () => Response> = {
  "a text": () => new Response("hi"),
  "a response without a body": () => new Response(null),
  "a 204": () => new Response(null, { status: 204 }),
  "a 304": () => new Response(null, { status: 304 }),
  "a redirect": () => Response.redirect("http://localhost/in", 303),
  "an error with a body": () => new Response("gone", { status: 410 }),
  "a JSON": () => Response.json({ a: 1 }),
  "a stream": () => new Response(new Blob(["hi"]).stream()),
  "a clone": () => new Response("hi", { headers: { "content-type": "text/plain" } }).clone(),
  "a response with cookies": () => {
    const headers: [string, string][] = [["set-cookie", "a=1"], ["set-cookie", "b=2"]];
    return new Response(null, { status: 404, headers });
  },
};

const ownCookies = ({ headers }: Response) =>
  headers.getSetCookie().filter((one) => one.startsWith("pagi_session="));

export const entryPoints: Cases = {
  async "wrap() gives a PAGI app its session"() {
    await countsTwice(new SessionMiddleware<Data>({ secret: SECRET }).wrap(COUNTER));
  },

  async "builder() puts sessions around a PAGI app"() {
    const app = builder((b) => {
      b.enable("Session", { secret: SECRET });
      b.mount("/count", COUNTER);
      return () => Promise.reject(new Error("this path does not exist"));
    });
    await countsTwice(app, { path: "/count/x" });
  },

  async "wrap() gives a WebSocket its session for reading"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("user", "ada"));
    const app = sessions.wrap(async (scope) => {
      same(scope["pagi.session"].user, "ada");
      await fails("ERR_SESSION_READ_ONLY", () => new Session(scope).set("user", "eve"));
    });
    const headers: HeaderPair[] = [["cookie", client.cookie]];
    await call(app, { type: "websocket", headers });
  },

  async "run() opens and saves the session of one request"() {
    const { sessions } = setUp();
    const response = await sessions.run(new Request("http://localhost/"), (session) => {
      session.set("user", "ada");
      return Response.json({ user: session.get("user") });
    });
    same(response.headers.getSetCookie().length, 1, "the number of cookies");
    same(response.headers.get("cache-control"), "no-store");
    same(await response.json(), { user: "ada" });
  },

  async "run() adds the cookie to every kind of Response, and only for one client"() {
    for (const [kind, make] of Object.entries(KINDS)) {
      const { sessions } = setUp();
      const visit = (response: Response) =>
        sessions.run(new Request("http://localhost/"), (session) => {
          session.set("user", "ada");
          return response;
        });
      const shared = make();
      const expected = [shared.status, await make().text()];
      const first = await visit(shared);
      const cookies = ownCookies(first);
      same(cookies.length, 1, `the number of cookies on ${kind}`);
      let second: Response | undefined;
      try {
        second = await visit(shared);
      } catch (error) {
        same(error instanceof TypeError, true, `that ${kind} was refused`);
      }
      same(ownCookies(first), cookies, `the first client's cookies on ${kind}`);
      const others = second === undefined ? [] : ownCookies(second);
      same(others.length < 2 && !others.includes(cookies[0]!), true, `the second's on ${kind}`);
      const last = second ?? first;
      const text = await last.text().catch((error) => `${second === undefined} ${error}`);
      same([last.status, text], expected, kind);
    }
  },

  async "two middlewares add their cookies to one Response"() {
    const server = (cookieName: string) => new SessionMiddleware({ secret: SECRET, cookieName });
    const [outer, inner] = [server("outer"), server("inner")];
    const request = new Request("http://localhost/");
    for (const make of Object.values(KINDS)) {
      const response = await outer.run(request, (session) => {
        session.set("n", 1);
        return inner.run(request, (session) => {
          session.set("n", 1);
          return make();
        });
      });
      const names = response.headers.getSetCookie().map((one) => one.split("=")[0]);
      same(names.slice(-2), ["inner", "outer"]);
    }
  },

  async "load() reads the session and does not allow writes"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("user", "ada"));
    const { cookie } = client;
    const session = await sessions.load(new Request("http://localhost/", { headers: { cookie } }));
    same(session?.get("user"), "ada");
    await fails("ERR_SESSION_READ_ONLY", () => session!.set("user", "eve"));
    same(await sessions.load(new Request("http://localhost/")), undefined);
  },

  async "update() changes a session outside a request"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("n", 1));
    const session = await sessions.update(client.id, (data) => void (data.n = 41));
    same(session.get("n"), 41);
    await sessions.update(client.id, (data) => void (data.n! += 1));
    same((await client.visit()).data, { n: 42 });
    await fails("ERR_SESSION_INTERRUPTED", () => sessions.update(FORGED, () => {}));
  },

  async "destroy() ends a session outside a request"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("n", 1));
    same(await sessions.destroy(client.id), true, "whether there was a session");
    same((await client.visit()).data, {});
    same(await sessions.destroy(client.id), false, "whether there was one again");
  },

  async "a reused response does not carry one client's cookie to another"() {
    const shared = new Response(null, { status: 404 });
    await sendsOneCookieEach(() => shared);
    same(shared.headers.getSetCookie(), [], "the cookies of the shared response");
  },

  async "reused headers do not carry one client's cookie to another"() {
    const headers = new Headers({ "content-type": "text/plain" });
    await sendsOneCookieEach(() => new Response("hello", { headers }));
    same(headers.getSetCookie(), [], "the cookies of the shared headers");
  },
};

/** Checks that two clients get one cookie each from the same handler. */
async function sendsOneCookieEach(respond: () => Response): Promise<void> {
  const { sessions } = setUp();
  for (const user of ["ada", "bob"]) {
    const response = await sessions.run(new Request("http://localhost/"), (session) => {
      session.set("user", user);
      return respond();
    });
    same(response.headers.getSetCookie().length, 1, `the number of cookies for ${user}`);
  }
}

/** Calls a PAGI app and returns the events that it sent. */
async function call(app: App, scope: Scope): Promise<Event[]> {
  const sent: Event[] = [];
  const receive = () => Promise.resolve({ type: "http.request" });
  await app(scope, receive, (event) => Promise.resolve(void sent.push(event)));
  return sent;
}

async function countsTwice(app: App, scope: Partial<Scope> = {}): Promise<void> {
  const [start, body] = await call(app, { type: "http", headers: [], ...scope });
  same(body?.body, "Visit 1", "the first response");
  const setCookie = (start!.headers as HeaderPair[]).find(([name]) => name === "set-cookie");
  const headers: HeaderPair[] = [["Cookie", setCookie![1].split(";")[0]!]];
  same((await call(app, { type: "http", headers, ...scope }))[1]?.body, "Visit 2", "the second");
}
