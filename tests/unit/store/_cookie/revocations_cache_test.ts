import { assertEquals, assertRejects } from "@std/assert";
import { MemoryStore, SessionError } from "@pagi/session";
import { Revocations } from "../../../../store/_cookie/revocations.ts";
import type { SealOptions } from "../../../../store/store.ts";
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

Deno.test("no more than ten thousand answers are kept", async () => {
  const { server, revocations, clock } = setUp();
  const { store } = server({ revocationCache: 1000 });
  const write: SealOptions = { lastAccess: clock.seconds(), ttl: 60, signal };
  const values: string[] = [];
  for (let at = 0; at < 10_050; at++) {
    const id = at.toString(16).padStart(64, "0");
    values.push((await store.seal(id, "text", write))!);
    await store.open(values[at]!, { signal });
  }
  const before = revocations.reads;
  await store.open(values[10_049]!, { signal });
  await store.open(values[50]!, { signal });
  assertEquals(revocations.reads - before, 0);
  await store.open(values[49]!, { signal });
  assertEquals(revocations.reads - before, 1);
});

Deno.test("revocationCache keeps the answers that were asked for last", async () => {
  const asked: string[] = [];
  const inner = new MemoryStore();
  const store = {
    ...creating(inner, (...call) => inner.create(...call)),
    read: (id: string) => {
      asked.push(id);
      return inner.read(id);
    },
  };
  let now = 0;
  const revocations = new Revocations(store, 10, () => now);
  const { signal } = new AbortController();
  for (let at = 0; at < 10_000; at++) await revocations.find(`${at}`, { signal });
  // The first again, since its answer is too old.
  now = 10_000;
  await revocations.find("0", { signal });
  await revocations.find("new", { signal });
  now = 9_999;
  asked.length = 0;
  for (const id of ["0", "new", "2", "1"]) await revocations.find(id, { signal });
  assertEquals(asked, ["1"]);
});
