import { assertEquals, assertRejects } from "@std/assert";
import { MemoryStore, SessionError } from "@pagi/session";
import { Revocations } from "../../../../store/_cookie/revocations.ts";
import { cookieOf } from "../../../_kit/helpers.ts";
import { creating } from "../../../_kit/migration_race.ts";
import { destroy, regenerate, setUp } from "../../../_kit/revocations.ts";

const { signal } = new AbortController();

Deno.test("an answer is used again for revocationCache seconds, and not one more", async () => {
  const { server, signIn, clock, revocations } = setUp();
  const [here, there] = [server({ revocationCache: 30 }), server({ revocationCache: 30 })];
  const cookie = await signIn();
  const asked = async (work: () => Promise<unknown>) => {
    const before = revocations.reads;
    await work();
    return revocations.reads - before;
  };
  assertEquals(await asked(() => there.visit(cookie)), 1);
  clock.advance(29);
  assertEquals(await asked(() => there.visit(cookie, (session) => session.set("n", 1))), 0);
  await here.visit(cookie, destroy);
  // At once where it happened; elsewhere for as long as was said.
  assertEquals([await here.load(cookie), await there.load(cookie)], [undefined, "ada"]);
  clock.advance(1);
  assertEquals(await there.load(cookie), undefined);
  assertEquals(await asked(() => there.visit(cookie)), 0);
});

Deno.test("a copy that is in use all the time is dead after revocationCache seconds too", async () => {
  const { server, visit, signIn, clock } = setUp();
  const there = server({ revocationCache: 10 });
  const cookie = await signIn();
  await there.load(cookie);
  await visit(cookie, destroy);
  const seen: unknown[] = [];
  for (let second = 0; second < 12; second++) {
    seen.push(await there.load(cookie));
    clock.advance(1);
  }
  assertEquals(seen, [...Array(10).fill("ada"), undefined, undefined]);
});

Deno.test("a new id is never given on an old answer: the record decides", async () => {
  const { server, visit, signIn, load } = setUp();
  const there = server({ revocationCache: 1000 });
  const cookie = await signIn();
  await there.load(cookie);
  const rotated = cookieOf(await visit(cookie, regenerate));
  const error = await assertRejects(() => there.visit(cookie, regenerate), SessionError);
  assertEquals([error.code, await load(rotated)], ["ERR_SESSION_INTERRUPTED", "ada"]);
  // Nor is a logout held up by one.
  const second = await signIn();
  await there.load(second);
  const moved = cookieOf(await visit(second, regenerate));
  await there.visit(second, destroy);
  assertEquals(await load(moved), undefined);
});

Deno.test("an answer that was under way during a logout does not undo it", async () => {
  const { server, signIn, revocations } = setUp();
  const there = server({ revocationCache: 1000 });
  const cookie = await signIn();
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { read } = revocations;
  Object.assign(revocations, {
    read(id: string) {
      const answer = read.call(revocations, id);
      asked.resolve();
      return answered.promise.then(() => answer);
    },
  });
  const slow = there.load(cookie);
  await asked.promise;
  Object.assign(revocations, { read });
  await there.visit(cookie, destroy);
  answered.resolve();
  // It had asked before; whoever asks now is told.
  assertEquals([await slow, await there.load(cookie)], ["ada", undefined]);
});

/** Revocations in a store that records the IDs it is asked for. */
function recording(cacheSeconds: number, now: () => number) {
  const asked: string[] = [];
  const inner = new MemoryStore();
  const store = {
    ...creating(inner, (...call) => inner.create(...call)),
    read: (id: string) => {
      asked.push(id);
      return inner.read(id);
    },
  };
  const revocations = new Revocations(store, cacheSeconds, now);
  const find = async (ids: Iterable<string | number>) => {
    for (const id of ids) await revocations.find(String(id), { signal });
  };
  /** Those of `ids` that are not in the cache. */
  const uncached = async (...ids: string[]) => {
    asked.length = 0;
    await find(ids);
    return [...asked];
  };
  return { find, uncached };
}

const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, at) => start + at);

Deno.test("revocationCache keeps the last 10,000 answers, and not more than twice as many", async () => {
  const { find, uncached } = recording(10, () => 0);
  await find(range(0, 10_000));
  assertEquals(await uncached("0", "9999"), []);
  await find(range(10_000, 20_000));
  assertEquals(await uncached("10000", "19999"), []);
  await find(range(20_000, 20_001));
  assertEquals(await uncached("10001", "20000"), []);
  // The last one that was dropped, and a first one: asked now, they are cached again.
  assertEquals(await uncached("9999", "0"), ["9999", "0"]);
});

Deno.test("revocationCache keeps the answers that were asked for last", async () => {
  let now = 0;
  const { find, uncached } = recording(10, () => now);
  await find(range(0, 10_000));
  // The first again, since its answer is too old.
  now = 10_000;
  await find([0]);
  await find(range(10_000, 19_999));
  now = 9_999;
  assertEquals(await uncached("0", "19998"), []);
  await find(range(20_000, 20_002));
  assertEquals(await uncached("0", "2", "1"), ["2", "1"]);
});
