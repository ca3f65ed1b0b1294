/**
 * A write that reaches the store twice counts once. A client that loses the connection sends its
 * unanswered commands again, and the server may have carried out the first ones.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Awaitable,
  MemoryStore,
  type Session,
  SessionError,
  SessionMiddleware,
  type VersionedStore,
} from "@pagi/session";
import { SqliteStore } from "../../store/sqlite.ts";
import { WRAPPERS } from "../_kit/at_rest_wrappers.ts";
import { cookieOf, fakeClock, requestWith } from "../_kit/helpers.ts";
import { ResendingStore, type Write } from "../_kit/resending_store.ts";
import { open } from "../_kit/sqlite.ts";

/** The work of a request. */
type Work = (session: Session) => unknown;

/** The kinds of store, on a server that is reached through `resending`. */
const STORES: {
  [name: string]: (
    now: () => number,
    resending: (inner: VersionedStore) => ResendingStore,
  ) => Awaitable<VersionedStore & Partial<Disposable>>;
} = {
  MemoryStore: (now, resending) => resending(new MemoryStore({ now })),
  async SqliteStore(now, resending) {
    const memory = open();
    const store = new SqliteStore(memory.database, { now });
    await store.setup();
    const dispose = () => memory[Symbol.dispose]();
    return Object.assign(resending(store), { [Symbol.dispose]: dispose });
  },
  ...Object.fromEntries(
    Object.entries(WRAPPERS).map(([name, wrap]) => [
      name,
      (now: () => number, resending: (inner: VersionedStore) => ResendingStore) =>
        wrap(resending(new MemoryStore({ now }))),
    ]),
  ),
};

/** Sets up a server on a store. */
function serverOn(store: VersionedStore, clock: FakeClock) {
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now: clock.now,
  });
  const visit = async (cookie: string, work: Work = () => {}) => {
    const response = await sessions.run(requestWith({ cookie }), async (session) => {
      await work(session);
      return new Response();
    });
    const isNew = response.headers.getSetCookie().length > 0;
    return isNew ? cookieOf(response) : cookie;
  };
  const load = (cookie: string) => sessions.load(requestWith({ cookie }));
  const valueOf = async (cookie: string, key: string) => {
    const session = await load(cookie);
    assert(session !== undefined, "the session is there");
    return session.get(key, undefined);
  };
  return { sessions, visit, load, valueOf };
}

type FakeClock = ReturnType<typeof fakeClock>;

/** A server, and another one on the same store, which is reached through `remote`. */
type Server = ReturnType<typeof serverOn> & {
  clock: FakeClock;
  remote: ResendingStore;
  elsewhere: ReturnType<typeof serverOn>;
};

/** Runs a test on each kind of store. */
function onEveryStore(name: string, test: (server: Server) => Promise<void>): void {
  for (const [kind, openStore] of Object.entries(STORES)) {
    Deno.test(`${name} (${kind})`, async () => {
      const clock = fakeClock();
      let remote: ResendingStore | undefined;
      const resending = (inner: VersionedStore) => remote = new ResendingStore(inner);
      const store = await openStore(clock.now, resending);
      const elsewhere = serverOn(store, clock);
      await test({ ...serverOn(store, clock), clock, remote: remote!, elsewhere });
      store[Symbol.dispose]?.();
    });
  }
}

const count: Work = (session) => session.update("n", (n) => Number(n ?? 0) + 1);
const add = (item: string): Work => (session) => {
  session.update("cart", (cart) => [...cart as string[] ?? [], item]);
};
const destroy: Work = (session) => session.destroy();

onEveryStore("a counter counts once when its write arrives twice", async (server) => {
  const { remote, visit, valueOf } = server;
  const cookie = await visit("", count);
  remote.loseAnswer("replace");
  await visit(cookie, count);
  assertEquals(await valueOf(cookie, "n"), 2);
  remote.loseAnswer("replace", () => visit(cookie, count));
  await visit(cookie, count);
  assertEquals(await valueOf(cookie, "n"), 4);
});

onEveryStore("a cart gets an item once when its write arrives twice", async (server) => {
  const { remote, visit, valueOf } = server;
  const cookie = await visit("", add("tea"));
  remote.loseAnswer("replace", () => visit(cookie, add("milk")));
  await visit(cookie, add("cup"));
  assertEquals(await valueOf(cookie, "cart"), ["tea", "cup", "milk"]);
});

onEveryStore("sessions.update() counts once when its write arrives twice", async (server) => {
  const { remote, sessions, visit, valueOf } = server;
  const cookie = await visit("", count);
  const id = cookie.split("=")[1]!;
  remote.loseAnswer("replace", () => visit(cookie, count));
  const session = await sessions.update(id, (data) => data.n = Number(data.n) + 1);
  assert(Number(session.get("n")) > 1, "the update is in the session that it resolves to");
  assertEquals(await valueOf(cookie, "n"), 3);
});

onEveryStore(
  "a used code does not come back when the write that made it arrives twice",
  async (server) => {
    const { remote, visit, valueOf } = server;
    const cookie = await visit("", count);
    let used: unknown;
    remote.loseAnswer("replace", () =>
      visit(cookie, (session) => {
        used = session.get("code");
        session.delete("code");
      }));
    await visit(cookie, (session) => session.set("code", "417"));
    assertEquals([used, await valueOf(cookie, "code")], ["417", undefined]);
  },
);

onEveryStore(
  "an older value does not replace a newer one when its write arrives twice",
  async (server) => {
    const { remote, visit, valueOf } = server;
    const cookie = await visit("", count);
    remote.loseAnswer("replace", () => visit(cookie, (session) => session.set("address", "new")));
    await visit(cookie, (session) => session.set("address", "old"));
    assertEquals(await valueOf(cookie, "address"), "new");
  },
);

onEveryStore(
  "a write counts once when it arrives again after 32 others and 30 seconds",
  async (server) => {
    const { clock, remote, visit, valueOf } = server;
    const cookie = await visit("", count);
    remote.loseAnswer("replace", async () => {
      for (let other = 0; other < 32; other++) await visit(cookie, count);
      clock.advance(30);
    });
    await visit(cookie, count);
    assertEquals(await valueOf(cookie, "n"), 34);
  },
);

onEveryStore("a first visit gets its session when the create() arrives twice", async (server) => {
  const { remote, visit, valueOf } = server;
  remote.loseAnswer("create");
  const cookie = await visit("", count);
  assertEquals(await valueOf(cookie, "n"), 1);
});

onEveryStore(
  "a session stays ended when a copy of its create() arrives after the logout",
  async (server) => {
    const { clock, remote, sessions, visit, load } = server;
    const ends: ((cookie: string) => unknown)[] = [
      (cookie) => visit(cookie, destroy),
      (cookie) => sessions.destroy(cookie.split("=")[1]!),
      () => sessions.destroyAll("ada"),
    ];
    for (const end of ends) {
      const kept = remote.keepCopy("create");
      const cookie = await visit("", count);
      const send = await kept;
      const signedIn = await visit(cookie, (session) => session.subject = "ada");
      await end(signedIn);
      clock.advance(59);
      await send();
      for (const each of [cookie, signedIn]) assertEquals(await load(each), undefined);
    }
  },
);

for (const operation of ["replace", "touch"] satisfies Write[]) {
  onEveryStore(
    `a session stays ended when a copy of its ${operation}() arrives after the logout`,
    async (server) => {
      const { clock, remote, visit, load } = server;
      const cookie = await visit("", count);
      clock.advance(100);
      const kept = remote.keepCopy(operation);
      await visit(cookie, operation === "touch" ? undefined : count);
      const send = await kept;
      await visit(cookie, destroy);
      await send();
      assertEquals(await load(cookie), undefined);
    },
  );
}

onEveryStore(
  "the last access does not move back when a copy of a touch() arrives late",
  async (server) => {
    const { clock, remote, visit, load } = server;
    const cookie = await visit("", count);
    clock.advance(100);
    const kept = remote.keepCopy("touch");
    await visit(cookie);
    const send = await kept;
    clock.advance(100);
    await visit(cookie);
    await send();
    assertEquals((await load(cookie))?.data._last_access, clock.seconds());
  },
);

onEveryStore(
  "a session does not expire early when a copy of a touch() arrives late",
  async (server) => {
    const { clock, remote, visit, valueOf } = server;
    const cookie = await visit("", count);
    clock.advance(100);
    const kept = remote.keepCopy("touch");
    await visit(cookie);
    const send = await kept;
    clock.advance(3000);
    await visit(cookie);
    await send();
    clock.advance(3500);
    assertEquals(await valueOf(cookie, "n"), 1);
  },
);

onEveryStore("regenerate() sends the new ID when its write arrives twice", async (server) => {
  const { remote, visit, load, valueOf } = server;
  const cookie = await visit("", count);
  remote.loseAnswer("replace");
  const next = await visit(cookie, (session) => session.regenerate());
  assert(next !== cookie, "the response has a new cookie");
  assertEquals([await valueOf(next, "n"), await load(cookie)], [1, undefined]);
});

onEveryStore(
  "regenerate() sends the new ID when its write arrives again after another one",
  async (server) => {
    const { remote, sessions, visit, valueOf } = server;
    const cookie = await visit("", (session) => session.set("n", 1).subject = "ada");
    // A `Session` object follows the session to its new ID.
    const held = (await sessions.load(requestWith({ cookie })))!;
    remote.loseAnswer("replace", () => sessions.update(held, (data) => data.n = 2));
    const next = await visit(cookie, (session) => session.regenerate());
    assert(next !== cookie, "the response has a new cookie");
    assertEquals(await valueOf(next, "n"), 2);
  },
);

onEveryStore(
  "regenerate() sends the new ID when its write arrives again after 40 other ones",
  async (server) => {
    const { remote, sessions, visit, valueOf } = server;
    const cookie = await visit("", (session) => session.set("n", 0).subject = "ada");
    const held = (await sessions.load(requestWith({ cookie })))!;
    // The record has room for the tokens of 32.
    remote.loseAnswer("replace", async () => {
      for (let other = 0; other < 40; other++) {
        await sessions.update(held, (data) => data.n = Number(data.n) + 1);
      }
    });
    const next = await visit(cookie, (session) => session.regenerate());
    assert(next !== cookie, "the response has a new cookie");
    assertEquals(await valueOf(next, "n"), 40);
  },
);

onEveryStore("rotate() sends one new ID when its write arrives twice", async (server) => {
  const { remote, visit, valueOf } = server;
  const cookie = await visit("", count);
  remote.loseAnswer("replace");
  const next = await visit(cookie, (session) => session.rotate());
  assert(next !== cookie, "the response has a new cookie");
  for (const each of [cookie, next]) assertEquals(await valueOf(each, "n"), 1);
});

onEveryStore("a login is not undone when a write before it arrives twice", async (server) => {
  const { remote, visit, valueOf } = server;
  const cookie = await visit("", count);
  let signedIn = "";
  remote.loseAnswer("replace", async () => {
    signedIn = await visit(cookie, (session) => session.subject = "ada");
  });
  // It took effect before the login, so it is answered; without a cookie.
  assertEquals(await visit(cookie, count), cookie);
  assertEquals(await valueOf(signedIn, "n"), 2);
});

onEveryStore("destroy() resolves to true once when its write arrives twice", async (server) => {
  const { remote, sessions, visit, load } = server;
  const cookie = await visit("", count);
  const id = cookie.split("=")[1]!;
  remote.loseAnswer("replace");
  assertEquals(await sessions.destroy(id), true);
  assertEquals(await load(cookie), undefined);
  remote.loseAnswer("replace");
  assertEquals(await sessions.destroy(id), false);
});

onEveryStore(
  "destroy() of an expired session resolves to false when it arrives twice",
  async (server) => {
    const { clock, remote, sessions, visit } = server;
    const cookie = await visit("", count);
    clock.advance(3700);
    remote.loseAnswer("replace");
    assertEquals(await sessions.destroy(cookie.split("=")[1]!), false);
  },
);

onEveryStore(
  "one of two destroy() resolves to true when one of them arrives twice",
  async (server) => {
    const { remote, sessions, visit } = server;
    const cookie = await visit("", count);
    const id = cookie.split("=")[1]!;
    let other: unknown;
    remote.loseAnswer("replace", async () => other = await sessions.destroy(id));
    assertEquals([await sessions.destroy(id), other], [true, false]);
  },
);

onEveryStore(
  "destroyAll() and destroyListed() count each session once when a write arrives twice",
  async (server) => {
    const { remote, sessions, visit, load } = server;
    const signIn = () => visit("", (session) => session.subject = "ada");
    const cookies = [await signIn(), await signIn(), await signIn()];
    const [listed] = await sessions.list("ada");
    remote.loseAnswer("replace");
    assertEquals(await sessions.destroyListed("ada", listed!.hash), true);
    // The first is that of the list, the second that of a session.
    remote.loseAnswer("replace", () => remote.loseAnswer("replace"));
    assertEquals(await sessions.destroyAll("ada"), 2);
    for (const cookie of cookies) assertEquals(await load(cookie), undefined);
  },
);

for (const operation of ["create", "replace"] satisfies Write[]) {
  onEveryStore(
    `a session is listed when the ${operation}() of its list arrives twice`,
    async (server) => {
      const { remote, elsewhere, sessions, visit, load } = server;
      const signIn: Work = (session) => session.subject = "ada";
      const cookies = operation === "create" ? [] : [await visit("", signIn)];
      // Another sign-in writes the list between the two.
      remote.loseAnswer(operation, async () => cookies.push(await elsewhere.visit("", signIn)));
      cookies.push(await visit("", signIn));
      assertEquals((await sessions.list("ada")).length, cookies.length);
      assertEquals(await sessions.destroyAll("ada"), cookies.length);
      for (const cookie of cookies) assertEquals(await load(cookie), undefined);
    },
  );
}

onEveryStore(
  "a sign-in is refused when its create() arrives again after destroyAll()",
  async (server) => {
    const { remote, sessions, visit } = server;
    const signIn = () => visit("", (session) => session.subject = "ada");
    await signIn();
    let ended: unknown;
    remote.loseAnswer("create", async () => ended = await sessions.destroyAll("ada"));
    const error = await assertRejects(signIn, SessionError);
    assertEquals([error.code, ended], ["ERR_SESSION_INTERRUPTED", 2]);
    assertEquals(await sessions.list("ada"), []);
  },
);
