/** Every key is data: none reaches a prototype, however it comes in. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  CookieStore,
  MemoryStore,
  type PlainStore,
  SealedStore,
  type Session,
  SessionError,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { cookieOf } from "../../_kit/helpers.ts";

/** What an attacker sends as JSON. */
const EVIL = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},' +
  '"deep":[{"__proto__":{"__proto__":{"polluted":3}}}],"toString":4,"hasOwnProperty":{"call":5},' +
  '"list":{"__proto__":[6],"length":7},"valueOf":null,"then":8,"__defineGetter__":9}';

/**
 * Deno takes `__proto__` away, and so every mistake with it; Node, Bun and workerd have it. For the
 * length of a test this is what the language says that it is.
 */
function withProto<T>(work: () => Promise<T>): () => Promise<T> {
  return async () => {
    const before = Object.getOwnPropertyDescriptor(Object.prototype, "__proto__");
    Object.defineProperty(Object.prototype, "__proto__", {
      get() {
        return Object.getPrototypeOf(this);
      },
      set(prototype) {
        const isPrototype = typeof prototype === "object" || typeof prototype === "function";
        if (isPrototype) Object.setPrototypeOf(this, prototype);
      },
      configurable: true,
    });
    try {
      return await work();
    } finally {
      if (before !== undefined) Object.defineProperty(Object.prototype, "__proto__", before);
      else Reflect.deleteProperty(Object.prototype, "__proto__");
    }
  };
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, Map.prototype];
const namesOf = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype));

function plainStore(): PlainStore {
  const kept = new Map<string, string>();
  return {
    get: (id) => Promise.resolve(kept.has(id) ? JSON.parse(kept.get(id)!) : undefined),
    set: (id, data) => Promise.resolve(void kept.set(id, JSON.stringify(data))),
    delete: (id) => Promise.resolve(void kept.delete(id)),
  };
}

const secret = "at least 32 bytes that nobody else knows";
const STORES = {
  memory: () => new MemoryStore(),
  sealed: () => new SealedStore(new MemoryStore(), { secret }),
  plain: plainStore,
  cookie: () => new CookieStore({ secret }),
  "cookie of PAGI": () => new CookieStore({ secret, format: "pagi" }),
};

type Act = (session: Session, evil: Record<string, unknown>) => unknown;

const ACTS: Record<string, Act> = {
  "set() of an object": (session, evil) => session.set(evil),
  "set() of each key": (session, evil) => {
    for (const [key, value] of Object.entries(evil)) session.set(key, value);
  },
  "an assignment to the data": (session, evil) => {
    for (const [key, value] of Object.entries(evil)) session.data[key] = value;
  },
  "Object.assign to the data": (session, evil) => Object.assign(session.data, evil),
  "update()": (session, evil) => {
    for (const [key, value] of Object.entries(evil)) session.update(key, () => value);
  },
};

function serve(options: Partial<SessionOptions>) {
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    ...options,
  });
  /** Resolves to the cookie that the client has then. */
  const visit = async (cookie: string, act: (session: Session) => unknown) => {
    const headers = { cookie };
    const response = await sessions.run(
      new Request("http://localhost/", { headers }),
      async (session) => (await act(session), new Response()),
    );
    return response.headers.getSetCookie().length > 0 ? cookieOf(response) : cookie;
  };
  return { sessions, visit };
}

/** Holds what is in a session against what was sent, prototype by prototype. */
function check(session: Session, dates: boolean): void {
  const expected = JSON.parse(EVIL);
  for (const key of Object.keys(expected)) {
    assertEquals(JSON.stringify(session.get(key)), JSON.stringify(expected[key]), key);
  }
  assertEquals(session.exists("polluted"), false);
  assertEquals(session.get("polluted", "none"), "none");
  assertEquals(JSON.stringify(session.slice("__proto__")), '{"__proto__":{"polluted":1}}');
  const [inner] = session.get("deep") as object[];
  assertEquals(Object.getPrototypeOf(inner), Object.prototype);
  assertEquals(Object.getPrototypeOf(session.data), null);
  assertEquals(session.exists("when"), dates);
}

for (const codec of ["json", "structured"] as const) {
  for (const [kind, open] of Object.entries(STORES)) {
    for (const [name, act] of Object.entries(ACTS)) {
      Deno.test(
        `${name} with keys of prototypes stores data, in ${kind}, as ${codec}`,
        withProto(async () => {
          const before = namesOf();
          const { sessions, visit } = serve({ codec, store: open() });
          const isTagged = codec === "structured";
          let cookie = await visit("", (session) => {
            act(session, JSON.parse(EVIL));
            if (isTagged) session.set("when", new Date(0));
          });
          cookie = await visit(cookie, (session) => check(session, isTagged));
          cookie = await visit(cookie, (session) => {
            act(session, JSON.parse(EVIL));
            session.set("more", 1).regenerate();
          });
          const headers = { cookie };
          check((await sessions.load(new Request("http://localhost/", { headers })))!, isTagged);
          await visit(cookie, (session) => {
            session.delete("__proto__", "constructor").clear();
            assertEquals(session.keys(), []);
          });
          assertEquals(namesOf(), before);
        }),
      );
    }
  }

  Deno.test(
    `a merge, its replays and sessions.update() keep keys of prototypes data, as ${codec}`,
    withProto(async () => {
      const before = namesOf();
      const { sessions, visit } = serve({ codec });
      const evil = () => JSON.parse(EVIL);
      const cookie = await visit("", (session) => session.set({ ...evil(), n: 0 }));
      await visit(cookie, async (session) => {
        await visit(cookie, (other) => {
          other.set("theirs", evil()).update("n", (n) => Number(n) + 1);
          other.update("__proto__", (value) => ({ ...value as object, theirs: 1 }));
        });
        session.set("mine", evil()).update("n", (n) => Number(n) + 1);
        session.update("__proto__", (value) => ({ ...value as object, mine: 1 }));
        if (codec === "structured") session.set("when", new Date(0));
      });
      const id = cookie.split("=")[1]!;
      const saved = await sessions.update(id, (data) => {
        for (const [key, value] of Object.entries(evil())) data[`x${key}`] = value;
        Object.assign(data, { constructor: evil().constructor });
      });
      assertEquals(saved.get("n"), 2);
      assertEquals(
        JSON.stringify(saved.get("__proto__")),
        '{"polluted":1,"theirs":1,"mine":1}',
      );
      for (const key of ["mine", "theirs"]) assertEquals(JSON.stringify(saved.get(key)), EVIL);
      assertEquals(namesOf(), before);
    }),
  );
}

Deno.test(
  "a merge adds keys of prototypes as data",
  withProto(async () => {
    const { sessions, visit } = serve({});
    const cookie = await visit("", (session) => session.set("n", 0));
    await visit(cookie, async (session) => {
      await visit(cookie, (other) => other.set("n", 1));
      session.set(JSON.parse(EVIL));
    });
    const headers = { cookie };
    const merged = await sessions.load(new Request("http://localhost/", { headers }));
    check(merged!, false);
    assertEquals(merged!.get("n"), 1);
  }),
);

Deno.test(
  "what a prototype has no session has, new or stored",
  withProto(async () => {
    const { visit } = serve({});
    const names = ["toString", "constructor", "__proto__", "hasOwnProperty", "valueOf"];
    const check = (session: Session) => {
      for (const name of names) {
        assertEquals([session.exists(name), session.get(name, "none")], [false, "none"]);
        assertThrows(() => session.get(name), SessionError, "no such key");
        session.update(name, (value) => assertEquals(value, undefined));
      }
      assertEquals(Object.keys(session.slice(...names)), []);
      for (const name of names) assertEquals(session.data[name], undefined);
    };
    const cookie = await visit("", (session) => {
      check(session);
      session.set("n", 1);
    });
    await visit(cookie, check);
  }),
);
