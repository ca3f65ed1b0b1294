import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { MemoryStore, type Session, SessionMiddleware, type SessionOptions } from "@pagi/session";
import { IdSource } from "../../../core/id_source.ts";
import { isId, isNonEmptyString } from "../../../base/id.ts";
import { countSubtle } from "../../_kit/web_crypto.ts";
import { requestWith } from "../../_kit/helpers.ts";

const ID = /^[0-9a-f]{64}$/;

/** The id of a new client's session, as a handler sees it. */
async function newId(sessions: SessionMiddleware): Promise<string> {
  let id: string | undefined;
  await sessions.run(requestWith(), (session) => {
    id = session.id;
    return new Response();
  });
  return id!;
}

function newIds(
  count: number,
  sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" }),
) {
  return Promise.all(Array.from({ length: count }, () => newId(sessions)));
}

/** Calls `work` with a member of `target` replaced, and puts it back whatever happens. */
async function withStub<T>(
  target: object,
  name: string,
  stub: (...args: never[]) => unknown,
  work: () => T | Promise<T>,
): Promise<T> {
  const own = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value: stub, configurable: true, writable: true });
  try {
    return await work();
  } finally {
    if (own === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, own);
  }
}

/** Calls `work` while the generator fills everything with the same byte. */
function withConstantRandom<T>(work: () => T | Promise<T>): Promise<T> {
  return withStub(crypto, "getRandomValues", (bytes: Uint8Array) => bytes.fill(0x5a), work);
}

/** Calls `work` while no clock moves. */
function withoutTime<T>(work: () => T | Promise<T>): Promise<T> {
  return withStub(
    Date,
    "now",
    () => 1_700_000_000_000,
    () => withStub(performance, "now", () => 1234.5, work),
  );
}

function notRandom(): never {
  throw new DOMException("no entropy", "OperationError");
}

Deno.test("an ID is 64 lowercase hex digits in the handler, the cookie and the store's key", async () => {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  let id: string | undefined;
  const response = await sessions.run(requestWith(), (session) => {
    id = session.set("n", 1).id;
    return new Response();
  });
  assertMatch(id!, ID);
  assert(response.headers.get("set-cookie")!.startsWith(`pagi_session=${id};`));
  await sessions.update(id!, (data) => assertEquals(data.n, 1));
});

Deno.test("IDs are unique when 10,000 are created in a row and concurrently", async () => {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  const ids = await newIds(5000, sessions);
  for (let i = 0; i < 5000; i++) ids.push(await newId(sessions));
  assertEquals(new Set(ids).size, 10_000);
  for (const id of ids) assertMatch(id, ID);
});

Deno.test("IDs are unique and valid when more are requested at the same time than one block yields", async () => {
  for (const count of [2047, 2048, 2049, 4097]) {
    const ids = await newIds(count);
    assertEquals(new Set(ids).size, count);
    for (const id of ids) assertMatch(id, ID);
  }
});

Deno.test("one derivation serves 2048 IDs, and the next ID needs another", async () => {
  const ids = new IdSource({
    secret: "the secret of the tests: 32 bytes or more",
    generateId: undefined,
  }, isId);
  const make = (count: number) =>
    countSubtle(async () => {
      for (let at = 0; at < count; at++) await ids.next();
    });
  const derivation = { importKey: 1, deriveKey: 1, encrypt: 1 };
  assertEquals([await make(2048), await make(1)], [derivation, derivation]);
});

Deno.test("the halves of IDs are unique", async () => {
  const ids = await newIds(2000);
  for (const [from, to] of [[0, 32], [32, 64], [0, 16], [48, 64]] as const) {
    assertEquals(new Set(ids.map((id) => id.slice(from, to))).size, ids.length);
  }
});

Deno.test("every bit is set in about half of 4000 IDs", async () => {
  const ids = await newIds(4000);
  for (let bit = 0; bit < 256; bit++) {
    const digit = Math.floor(bit / 4);
    const set = ids.filter((id) => (parseInt(id[digit]!, 16) >> (bit % 4)) & 1).length;
    // Seven standard deviations (of 31.6) either way: not by chance in a lifetime.
    assertGreater(set, 2000 - 222, `bit ${bit}`);
    assertLess(set, 2000 + 222, `bit ${bit}`);
  }
});

Deno.test("every digit is about as frequent in 4000 IDs", async () => {
  const counts = new Map<string, number>();
  for (const id of await newIds(4000)) {
    for (const digit of id) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  }
  assertEquals([...counts.keys()].sort().join(""), "0123456789abcdef");
  // 16,000 each; the standard deviation is 122.
  for (const [digit, count] of counts) assert(Math.abs(count - 16_000) < 900, digit);
});

Deno.test("SessionMiddleware() draws no random bytes when it is created", async () => {
  let drawn = 0;
  const counting = () => (drawn++, notRandom());
  await withStub(
    crypto,
    "getRandomValues",
    counting,
    () =>
      withStub(
        crypto,
        "randomUUID",
        counting,
        () =>
          withStub(crypto.subtle, "importKey", counting, () =>
            withStub(Math, "random", counting, () => {
              const sessions = new SessionMiddleware({
                secret: "the secret of the tests: 32 bytes or more",
              });
              sessions.wrap(() => {});
              sessions.handler(() =>
                new Response()
              );
            })),
      ),
  );
  assertEquals(drawn, 0);
});

Deno.test("SessionMiddleware.run() rejects and starts no session when the random generator fails", async () => {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
  });
  let handled = 0;
  const visit = () => {
    return sessions.run(requestWith(), (session) => {
      handled++;
      session.set("a", 1);
      return new Response();
    });
  };
  const fails = () => assertRejects(visit, DOMException, "no entropy");
  // Before the first block was derived, and after.
  await withStub(crypto, "getRandomValues", notRandom, fails);
  assertEquals(handled, 0);
  await visit();
  await withStub(crypto, "getRandomValues", notRandom, fails);
  assertEquals([handled, store.size], [2, 1]);
  assertMatch(await newId(sessions), ID);
});

Deno.test("SessionMiddleware.run() draws no random bytes when a visitor gets no session and no ID", async () => {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  const visit = (look: (session: Session) => unknown) =>
    sessions.run(requestWith(), (session) => (look(session), new Response()));
  await visit(() => {});
  await withStub(crypto, "getRandomValues", notRandom, async () => {
    await visit((session) => session.get("user", undefined));
    await visit((session) => session.set("a", 1).delete("a"));
    await assertRejects(() => visit((session) => session.id), DOMException, "no entropy");
  });
});

Deno.test("session.id stays the same and equals the cookie's when it is read several times", async () => {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  const ids: unknown[] = [];
  const response = await sessions.run(requestWith(), (session) => {
    ids.push(session.id, session.set("a", 1).id, session.data._id, session.id);
    return new Response();
  });
  assertEquals(new Set(ids).size, 1);
  assert(response.headers.get("set-cookie")!.startsWith(`pagi_session=${ids[0]};`));
});

Deno.test("reserved IDs differ when they are drawn in any order", async () => {
  const ids = new IdSource({
    secret: "the secret of the tests: 32 bytes or more",
    generateId: undefined,
  }, isId);
  const draws = await Promise.all(Array.from({ length: 100 }, () => ids.reserve()));
  // Without randomness, what is left is the stream: each has its own part of it.
  const drawn = await withStub(
    crypto,
    "getRandomValues",
    (bytes: Uint8Array) => bytes.fill(0),
    () => {
      return draws.reverse().map((draw) => draw());
    },
  );
  assertEquals(new Set(drawn).size, 100);
});

Deno.test("SessionMiddleware.run() rejects while Web Crypto fails, and works again afterward", async () => {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  for (const name of ["importKey", "deriveKey", "encrypt"]) {
    const fails = () => Promise.reject(new DOMException("no crypto", "OperationError"));
    await withStub(
      crypto.subtle,
      name,
      fails,
      () => assertRejects(() => newIds(3, sessions), DOMException, "no crypto"),
    );
  }
  assertEquals(new Set(await newIds(300, sessions)).size, 300);
});

Deno.test("IDs differ when the random generator is broken", async () => {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  const ids = await withConstantRandom(() => newIds(600, sessions));
  assertEquals(new Set(ids).size, 600);
  for (const id of ids) assertMatch(id, ID);
});

Deno.test("IDs depend on the secret when the random generator is broken and time stands still", async () => {
  const ids = await withConstantRandom(() =>
    withoutTime(async () => {
      const secrets = ["a", "b", "a ", "A", "ab"];
      return await Promise.all(secrets.map((secret) => newId(new SessionMiddleware({ secret }))));
    })
  );
  assertEquals(new Set(ids).size, ids.length);
  // Nor do they look like the generator's one byte.
  for (const id of ids) assert(!id.includes("5a5a5a5a"));
});

Deno.test("IDs depend on new random bytes when the secret is known and time stands still", async () => {
  const ids = await withoutTime(async () => {
    const first = await newIds(300);
    return [...first, ...await newIds(300)];
  });
  assertEquals(new Set(ids).size, 600);
});

Deno.test("each ID depends on new random bytes when the machine was cloned after the first ID", async () => {
  // A clone has the same block in memory, but its generator was reseeded.
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  const calls: number[] = [];
  const { getRandomValues } = crypto;
  const counting = (bytes: Uint8Array<ArrayBuffer>) => {
    calls.push(bytes.length);
    return getRandomValues.call(crypto, bytes);
  };
  await newId(sessions);
  await withStub(crypto, "getRandomValues", counting, () => newIds(10, sessions));
  assertEquals(calls, Array(10).fill(32));
});

Deno.test("an ID is not adopted when it was issued but never stored", async () => {
  const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
  const id = await newId(sessions);
  const again = await sessions.run(
    requestWith({ cookie: `pagi_session=${id}` }),
    (session) => new Response(session.id),
  );
  assert(await again.text() !== id);
});

Deno.test("generateId() provides the IDs, and one of another form throws", async () => {
  const make = (generateId: unknown) =>
    new SessionMiddleware(
      { secret: "the secret of the tests: 32 bytes or more", generateId } as SessionOptions,
    );
  const id = "0123456789abcdef".repeat(4);
  assertStrictEquals(await newId(make(() => id)), id);
  assertStrictEquals(await newId(make(() => Promise.resolve(id))), id);
  const bad = ["", "a", id.toUpperCase(), id + "0", `${id}\n`, id.slice(1) + "g", undefined, 5];
  for (const wrong of bad) {
    await assertRejects(() => newId(make(() => wrong)), TypeError, "generateId");
  }
});

Deno.test("isNotEmpty() accepts any text except the empty one, and nothing else", () => {
  assertEquals([isNonEmptyString("a"), isNonEmptyString(""), isNonEmptyString(5 as never)], [
    true,
    false,
    false,
  ]);
});

Deno.test("every byte of every ID depends on the secret's stream, up to the last ID of a stream", async () => {
  const ids = new IdSource({
    secret: "the secret of the tests: 32 bytes or more",
    generateId: undefined,
  }, isId);
  const zeros = (bytes: Uint8Array) => bytes.fill(0);
  const [firsts, lasts]: [string[], string[]] = [[], []];
  await withStub(crypto, "getRandomValues", zeros, async () => {
    for (let at = 1; at <= 6 * 2048; at++) {
      const id = await ids.next();
      if (at % 2048 !== 0) continue;
      firsts.push(id.slice(0, 2));
      lasts.push(id.slice(-2));
    }
  });
  // Six bytes that are 0 by chance come once in 2^48 times.
  for (const digits of [firsts, lasts]) assert(digits.some((two) => two !== "00"), digits.join());
});
