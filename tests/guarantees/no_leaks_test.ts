/** Errors, events and response headers contain no secret, ID or session data. */
import { assertEquals } from "@std/assert";
import {
  type HeaderPair,
  MemoryStore,
  Session,
  type SessionErrorCode,
  type SessionEvent,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import { CookieStore } from "../../store/cookie.ts";
import type { ControlledSession } from "../../core/entry/open.ts";
import { PostgresStore } from "../../store/postgres.ts";
import { SealedStore } from "../../store/sealed.ts";
import {
  DATA,
  Ear,
  listenedTo,
  quoting,
  quotingError,
  SECRET,
  SUBJECT,
  withConsole,
} from "../_kit/leaks.ts";
import { cookieOf, failing, fakeClock, idOf, keyOf, requestWith } from "../_kit/helpers.ts";
import { WAYS } from "../_kit/entry_points.ts";
import { contentOf, idsOfOneShard, isIndex } from "../_kit/indexes.ts";
import { around } from "../_kit/stores.ts";

const secret = SECRET;

const fill = (session: Session) => {
  session.set(DATA);
  session.subject = SUBJECT;
};

// Types, so that a new code or event does not compile until a test here causes it.
const CODES: Record<SessionErrorCode, true> = {
  ERR_SESSION_INTERRUPTED: true,
  ERR_SESSION_CONFLICT: true,
  ERR_SESSION_STORE: true,
  ERR_SESSION_AMBIGUOUS: true,
  ERR_SESSION_CSRF: true,
  ERR_SESSION_COMMITTED: true,
  ERR_SESSION_READ_ONLY: true,
  ERR_SESSION_KEY: true,
  ERR_SESSION_DATA: true,
  ERR_SESSION_TOO_LARGE: true,
};
const EVENTS: Record<SessionEvent["type"], true> = {
  "store-without-guarantees": true,
  "touch-failed": true,
  "record-corrupt": true,
  "ambiguous": true,
  "public-response": true,
  "cleanup-failed": true,
  "subject-full": true,
  "destroy-failed": true,
  "statements-unprepared": true,
  "cookie-nearly-full": true,
  "fallback-changed": true,
  "headers-dropped": true,
  "changes-dropped": true,
  "request-failed": true,
  "session-lost": true,
  "short-secret": true,
  "questionable-option": true,
  "cookie-dropped": true,
  "place-taken": true,
};

/** Sets up sessions on a MemoryStore whose output is recorded, and two clients with sessions. */
function setUp(options: Partial<SessionOptions> = {}) {
  const ear = new Ear();
  const clock = fakeClock();
  const store = new MemoryStore({ now: clock.now });
  const sessions = listenedTo(ear, { store, now: clock.now, ...options });
  const visit = (
    cookie: string,
    act: (session: Session) => unknown = () => {},
    response = new Response(),
  ) =>
    sessions.run(requestWith({ cookie }), async (session) => {
      ear.keep(session.id);
      await act(session);
      return response;
    });
  const signIn = async () => {
    const cookie = cookieOf(await visit("", fill));
    ear.keep(cookie.split("=")[1]);
    return cookie;
  };
  return { ear, clock, store, sessions, visit, signIn };
}

Deno.test("SessionError contains no secret, ID or data for any of its codes", async () => {
  const { ear, store, sessions, visit, signIn } = setUp();
  const printed = await withConsole(ear, async () => {
    const [cookie, other] = [await signIn(), await signIn()];
    const id = cookie.split("=")[1]!;
    const both = `${cookie}; ${other}`;
    const codes: [SessionErrorCode, () => unknown][] = [
      [
        "ERR_SESSION_READ_ONLY",
        async () => (await sessions.load(requestWith({ cookie })))!.set(DATA),
      ],
      ["ERR_SESSION_KEY", () => visit(cookie, (session) => session.get("no such key"))],
      ["ERR_SESSION_AMBIGUOUS", () => visit(both, (session) => session.set(DATA))],
      ["ERR_SESSION_CSRF", () =>
        visit(cookie, async (session) => {
          const token = session.csrfToken();
          ear.keep(token);
          const body = new URLSearchParams({ _csrf: token.slice(1) });
          const post = new Request("http://localhost/", { method: "POST", body });
          await sessions.verifyCsrf(post, session);
        })],
      ["ERR_SESSION_CSRF", () =>
        visit(cookie, async (session) => {
          const headers = { "x-csrf-token": session.csrfToken(), origin: "https://evil.example" };
          const post = new Request("http://localhost/", { method: "POST", headers });
          await sessions.verifyCsrf(post, session);
        })],
      ["ERR_SESSION_COMMITTED", async () => {
        let late: Session | undefined;
        await visit(cookie, (session) => late = session);
        late!.set(DATA);
      }],
      [
        "ERR_SESSION_DATA",
        () => visit(cookie, (session) => session.set("big", { ...DATA, n: 1n })),
      ],
      ["ERR_SESSION_DATA", () =>
        visit(cookie, (session) => {
          const circle: Record<string, unknown> = { ...DATA };
          session.set("circle", circle.self = circle);
        })],
      ["ERR_SESSION_TOO_LARGE", () => {
        const small = listenedTo(ear, { store: new CookieStore({ secret }) });
        return small.run(requestWith(), (session) => {
          session.set("large", JSON.stringify(DATA).repeat(100));
          return new Response();
        });
      }],
      ["ERR_SESSION_INTERRUPTED", () =>
        visit(cookie, async (session) => {
          session.set("more", DATA);
          // By another server: this one would know that the handler has ended its own session.
          await listenedTo(ear, { store }).destroy(id);
        })],
      ["ERR_SESSION_CONFLICT", async () => {
        const token = cookieOf(await visit("", (session) => session.set(DATA)));
        ear.keep(token.split("=")[1]);
        await visit(token, async (session) => {
          session.pull("card");
          await visit(token, (other) => other.pull("card"));
        });
      }],
      ["ERR_SESSION_INTERRUPTED", () => sessions.update(id, () => {})],
      ["ERR_SESSION_STORE", () => sessions.update("1".repeat(64), () => {})],
    ];
    for (const [code, act] of codes) {
      if (code === "ERR_SESSION_STORE") {
        store.read = (id) => Promise.reject(quotingError("read", [id], "throws")) as never;
      }
      assertEquals((await ear.fails(act)).code, code);
    }
    const never = { read: new MemoryStore().read, create: () => undefined };
    const full = listenedTo(ear, { store: Object.assign(new MemoryStore(), never) });
    const conflict = await ear.fails(() =>
      full.run(requestWith(), (session) => (fill(session), new Response()))
    );
    assertEquals(conflict.code, "ERR_SESSION_CONFLICT");
  });
  assertEquals(printed, 0);
  assertEquals([...ear.codes].sort(), Object.keys(CODES).sort());
  assertEquals(ear.leaks(), []);
});

Deno.test("onEvent() receives no secret, ID or data for any event", async () => {
  const { ear, clock, store, sessions, visit, signIn } = setUp();
  const printed = await withConsole(ear, async () => {
    const small = listenedTo(ear, { store: new CookieStore({ secret }) });
    await small.run(requestWith(), (session) => {
      session.set({ ...DATA, padding: "x".repeat(2500) }).flash("info", DATA.card);
      return new Response();
    });
    await visit("", (session) => (session.get("list", []) as unknown[]).push(DATA));
    await visit(`${await signIn()}; ${await signIn()}`);
    await visit("", fill, new Response("", { headers: { "cache-control": "public" } }));

    const open = await sessions.open({ headers: { cookie: await signIn() } });
    open.session.set({ ...DATA, dropped: true });
    await (open as ControlledSession<Record<string, unknown>>).discard(500);

    const corrupt = await signIn();
    const key = keyOf(corrupt.split("=")[1]!);
    const { version, lastAccess } = store.read(key)!;
    const { signal } = new AbortController();
    store.replace(key, JSON.stringify([DATA]), { version, lastAccess, ttl: 60, signal });
    await visit(corrupt);

    const switching = Object.assign(new Response(), {});
    Object.defineProperty(switching, "status", { value: 101 });
    Object.defineProperty(switching, "headers", {
      value: Object.assign(new Headers(), {
        append: (name: string, value: string) => {
          throw new TypeError(`immutable: ${name} ${value}`);
        },
      }),
    });
    await visit("", fill, switching);

    for (const call of ["touch", "delete"] as const) {
      const rig = quoting(store);
      const failing = listenedTo(ear, { store: rig.store, now: clock.now });
      const cookie = await signIn();
      clock.advance(61);
      rig.fault = { call, failure: "rejects" };
      const request = () => requestWith({ cookie });
      if (call === "touch") await failing.run(request(), () => new Response());
      else {
        await ear.fails(() =>
          failing.run(request(), (session) => {
            session.destroy();
            throw new Error("the app's own");
          })
        );
      }
    }
    const unprepared = new PostgresStore({
      query: (query: unknown) =>
        Promise.reject(
          Object.assign(quotingError("read", [query], "rejects") as Error, { code: "26000" }),
        ),
    });
    const pooled = listenedTo(ear, { store: unprepared, now: clock.now });
    await ear.fails(() => pooled.run(requestWith({ cookie: corrupt }), () => new Response()));

    const replaced = await signIn();
    await visit(replaced, (session) => session.regenerate());
    clock.advance(200);
    await visit(replaced);
    await ear.fails(() =>
      listenedTo(ear, { store: failing("read") }).run(
        requestWith({ cookie: replaced }),
        () => new Response(),
      )
    );
    listenedTo(ear, { secret: SECRET.slice(0, 31), touchInterval: 1000 });
    const second = listenedTo(ear, { store, now: clock.now }).wrap(() => {});
    const nested = listenedTo(ear, { store, now: clock.now }).wrap(second);
    await nested(
      { type: "http", headers: [["cookie", replaced]] },
      () => Promise.reject(),
      () => Promise.resolve(),
    );
    await listenedTo(ear, { cookieOptions: { secure: true } }).run(
      new Request("http://shop.example/"),
      (session) => (fill(session), new Response()),
    );
    // A logout removes the session from the index of its user's sessions.
    const untidy = listenedTo(ear, { store: withoutTidying(store), now: clock.now });
    await untidy.run(requestWith(), (session) => {
      session.subject = `${SUBJECT} on a device`;
      return new Response();
    });
    await untidy.destroyAll(`${SUBJECT} on a device`);
    // All but the first 32 sessions belong into one shard of the index.
    const crowded = listenedTo(ear, { generateId: idsOfOneShard(SUBJECT), now: clock.now });
    for (let device = 0; device < 16 + 16 + 257; device++) {
      await crowded.run(requestWith(), (session) => {
        session.subject = SUBJECT;
        return new Response();
      });
    }
  });
  assertEquals(printed, 0);
  assertEquals([...ear.types].sort(), Object.keys(EVENTS).sort());
  assertEquals(ear.leaks(), []);
});

/** Refuses to write an index of a user's sessions without any session. */
function withoutTidying(store: MemoryStore): VersionedStore {
  return around(store, (name, call, args) => {
    const [, text] = args as string[];
    const isTidied = name === "replace" && isIndex(text) && contentOf(text!).entries.length === 0;
    if (isTidied) throw quotingError("replace", [...args], "throws");
    return call();
  });
}

Deno.test("errors about misuse contain no secret, ID or data", async () => {
  const { ear, sessions, visit, signIn } = setUp();
  const cookie = await signIn();
  const short = SECRET.slice(0, 31);
  const shortEar = [short.slice(0, 20)];
  const app = sessions.wrap(async (scope, _receive, send) => {
    new Session(scope).data._subject = DATA as never;
    await send({ type: "http.response.start", status: 200, headers: [] });
  });
  const misuses: (() => unknown)[] = [
    () => new CookieStore({ secret: short }),
    () => new CookieStore({ secret: [SECRET, short] }),
    () => new SealedStore(new MemoryStore(), { secret: short }),
    () => new CookieStore({ secret, format: "pagi", purpose: "x" }),
    () => listenedTo(ear, { secret: [SECRET, 5] as never }),
    () => visit(cookie, (session) => session.set("_id", SECRET)),
    () => visit(cookie, (session) => session.set(SECRET.length as never, DATA as never)),
    () => visit(cookie, (session) => session.update("n", () => Promise.resolve(DATA))),
    () => visit(cookie, (session) => session.subject = DATA as never),
    () =>
      app(
        { type: "http", headers: [["cookie", cookie]] },
        () => Promise.resolve({ type: "http.request" }),
        () => Promise.resolve(),
      ),
    () => listenedTo(ear, { generateId: () => SECRET }).run(requestWith(), () => new Response()),
    // A plain store may return any ID, and not every text can be sent.
    () => {
      const store = { get: () => undefined, set: () => `${SECRET}\n`, delete: () => {} };
      return listenedTo(ear, { store }).run(
        requestWith(),
        (session) => (fill(session), new Response()),
      );
    },
  ];
  for (const misuse of misuses) await ear.fails(misuse);
  assertEquals(ear.leaks(), []);
  assertEquals(ear.told.filter((told) => shortEar.some((part) => told.includes(part))), []);
});

for (const way of WAYS) {
  Deno.test(`${way.name}: response headers reveal nothing of a session except its ID, once`, async () => {
    const ear = new Ear();
    const sessions = listenedTo(ear, { state: way.state });
    let id: string | undefined;
    const acts = [
      fill,
      (session: Session) => session.regenerate(),
      fill,
      (session: Session) => session.destroy(),
    ];
    for (const act of acts) {
      const request = requestWith(id === undefined ? {} : way.present(id));
      const response = await sessions.run(request, (session) => (act(session), new Response()));
      const told = way.told(response);
      ear.keep(id, told);
      const headers = [...response.headers].join("\n");
      // No ID, or a cleared one.
      if (told === undefined || told === "") ear.hear(headers);
      else {
        const [before, after, ...more] = headers.split(told);
        assertEquals(more, []);
        ear.hear(before! + after!);
        id = told;
      }
    }
    assertEquals(ear.leaks(), []);
  });
}

Deno.test("a response only clears the cookie when a logout fails", async () => {
  const ear = new Ear();
  const sessions = listenedTo(ear, { store: failing("delete") });
  const cookie = cookieOf(
    await sessions.run(requestWith(), (session) => (fill(session), new Response())),
  );
  ear.keep(cookie.split("=")[1]);
  const handler = sessions.handler((_request, session) => (session.destroy(), new Response()));
  const response = await handler(requestWith({ cookie }));
  ear.hear([...response.headers] as HeaderPair[]);
  ear.hear(await response.text());
  assertEquals([response.status, ear.leaks()], [503, []]);
});

Deno.test("the recorder finds text that is hidden in an error", () => {
  const ear = new Ear();
  ear.keep(idOf("a"));
  ear.hear(quotingError("read", [idOf("a"), { text: DATA.card }], "with a cause"));
  assertEquals(ear.leaks(), [idOf("a"), DATA.card]);
});
