/** A cookie with Secure over plain HTTP, which browsers drop, is reported once. */
import { assertEquals } from "@std/assert";
import { type App, type HeaderPair, SessionMiddleware, type SessionOptions } from "@pagi/session";
import { call } from "../../_kit/helpers.ts";
import { SECRET } from "../../_kit/stores.ts";

function secure(options: Partial<SessionOptions> = {}) {
  const events: string[] = [];
  const sessions = new SessionMiddleware({
    secret: SECRET,
    cookieOptions: { secure: true },
    onEvent: ({ type }) => void events.push(type),
    ...options,
  });
  return { events, sessions };
}

interface Visit {
  scheme: "http" | "https";
  host: string;
  headers: Record<string, string>;
}

/** A visit through each entry point. */
const ENTRIES: Record<string, (sessions: SessionMiddleware, visit: Visit) => Promise<unknown>> = {
  fetch: (sessions, { scheme, host, headers }) =>
    sessions.run(new Request(`${scheme}://${host}/`, { headers }), (session) => {
      session.set("n", 1);
      return new Response();
    }),
  PAGI: (sessions, { scheme, host, headers }) => {
    const app: App = async (scope, _receive, send) => {
      (scope["pagi.session"] as Record<string, unknown>).n = 1;
      await send({ type: "http.response.start", status: 200, headers: [] });
    };
    const pairs: HeaderPair[] = Object.entries({ host, ...headers });
    return call(sessions.wrap(app), { type: "http", method: "GET", scheme, headers: pairs });
  },
  Node: async (sessions, { scheme, host, headers }) => {
    const socket = { encrypted: scheme === "https" };
    const open = await sessions.open({
      method: "GET",
      url: "/",
      socket,
      headers: { host, ...headers },
    });
    open.session.set("n", 1);
    await open.commit(new Headers());
  },
};

const HTTP: Visit = { scheme: "http", host: "shop.example", headers: {} };

const withHeaders = (list: Record<string, string>[]): Visit[] =>
  list.map((headers) => ({ ...HTTP, headers }));

/** Requests whose browsers keep the cookie. */
const FINE: Visit[] = [
  { ...HTTP, scheme: "https" },
  ...["localhost", "localhost:8000", "app.localhost", "127.0.0.1", "127.8.9.10:80", "[::1]:8000"]
    .map((host) => ({ ...HTTP, host })),
  ...withHeaders([
    { "x-forwarded-proto": "https" },
    { "x-forwarded-proto": "https,http" },
    { "x-forwarded-scheme": "https" },
    { "x-forwarded-ssl": "on" },
    { "forwarded": 'for="[2001:db8::1]";proto=https' },
    { "cf-visitor": '{"scheme":"https"}' },
    { "sec-fetch-site": "same-origin" },
    { "sec-fetch-mode": "navigate" },
  ]),
];

/** Requests whose browsers drop it. */
const DROPPED: Visit[] = [
  HTTP,
  ...["notlocalhost", "localhost.example", "127.0.0.1.example", "10.0.0.1", "[::2]"]
    .map((host) => ({ ...HTTP, host })),
  ...withHeaders([{ "x-forwarded-proto": "http" }, { forwarded: "proto=http" }, {
    "x-forwarded-ssl": "off",
  }]),
];

for (const [name, enter] of Object.entries(ENTRIES)) {
  Deno.test(`${name}: a Secure cookie over plain HTTP is one event`, async () => {
    for (const visit of DROPPED) {
      const { events, sessions } = secure();
      for (let i = 0; i < 3; i++) await enter(sessions, visit);
      assertEquals(events, ["cookie-dropped"], JSON.stringify(visit));
    }
  });

  Deno.test(`${name}: a Secure cookie that the browser keeps is not reported`, async () => {
    const { events, sessions } = secure();
    for (const visit of FINE) {
      await enter(sessions, visit);
      assertEquals(events, [], JSON.stringify(visit));
    }
  });

  Deno.test(`${name}: a cookie without Secure is not reported`, async () => {
    const { events, sessions } = secure({ cookieOptions: { path: "/secure" } });
    await enter(sessions, HTTP);
    assertEquals(events, []);
  });
}

Deno.test("a Secure cookie is not reported when the scope does not say how it was sent", async () => {
  const { events, sessions } = secure();
  const open = await sessions.open({ method: "GET", url: "/", headers: { host: "shop.example" } });
  open.session.set("n", 1);
  await open.commit(new Headers());
  assertEquals(events, []);
});

Deno.test("a request that sets no cookie is not reported", async () => {
  const { events, sessions } = secure();
  await sessions.run(new Request("http://shop.example/"), () => new Response());
  assertEquals(events, []);
});
