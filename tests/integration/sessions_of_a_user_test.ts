/**
 * A user with 10,000 active sessions, on each store: what a sign-in costs, that all are listed, and
 * that `destroyAll` ends them. Prints the table of docs/scale.md.
 */
import { assert, assertEquals } from "@std/assert";
import { HashedStore, MemoryStore, SealedStore, SessionMiddleware } from "@pagi/session";
import type { VersionedStore } from "@pagi/session/store";
import { around } from "../_kit/stores.ts";
import { BACKENDS } from "./_backends.ts";
import { serverTest } from "./_servers.ts";
import { STORES } from "./_stores.ts";

const secret = "a secret of thirty-two bytes or so";
/** The numbers of active sessions at which a sign-in is measured. */
const COUNTS = [1, 100, 10_000];
/** The most sign-ins that are measured together: shards differ in size. */
const MEASURED = 16;
/** Simultaneous sign-ins while the number grows. */
const AT_ONCE = 64;

/** The cost of one sign-in. */
interface Cost {
  calls: number;
  /** The bytes of the texts that were read and written. */
  bytes: number;
}

/** Counts the calls of a store, and the bytes of the texts that are read and written. */
function counting(inner: VersionedStore) {
  const sum: Cost = { calls: 0, bytes: 0 };
  const store = around(inner, async (name, call, [, text]) => {
    sum.calls++;
    const answer = await call();
    const found = (answer as { text?: string } | undefined)?.text;
    if (name === "read") sum.bytes += found?.length ?? 0;
    else if (typeof text === "string") sum.bytes += text.length;
    return answer;
  });
  return { store, sum };
}

/** Measures a store, with a store around it if `wrap` makes one. */
async function measure(
  name: string,
  inner: VersionedStore,
  wrap = (store: VersionedStore) => store,
): Promise<void> {
  const { store, sum } = counting(inner);
  const events: string[] = [];
  const onEvent = ({ type }: { type: string }) => void events.push(type);
  const sessions = new SessionMiddleware({ secret, store: wrap(store), expire: 86_400, onEvent });
  const subject = `ada ${crypto.randomUUID()}`;
  const signIn = () =>
    sessions.run(new Request("http://localhost/"), (session) => {
      session.subject = subject;
      return new Response();
    });
  const costs: Cost[] = [];
  let active = 0;
  for (const count of COUNTS) {
    while (active < count) {
      const some = Math.min(AT_ONCE, count - active);
      await Promise.all(Array.from({ length: some }, signIn));
      active += some;
    }
    const before = { ...sum };
    const times = Math.min(count, MEASURED);
    for (let at = 0; at < times; at++) await signIn();
    active += times;
    costs.push({
      calls: (sum.calls - before.calls) / times,
      bytes: Math.round((sum.bytes - before.bytes) / times),
    });
  }
  const started = performance.now();
  assertEquals((await sessions.list(subject)).length, active);
  const listed = performance.now();
  assertEquals(await sessions.destroyAll(subject), active);
  const ended = performance.now();
  assertEquals([await sessions.list(subject), events], [[], []]);
  const [one, , many] = costs as [Cost, Cost, Cost];
  assert(many.calls <= one.calls + 3, `${many.calls} calls instead of ${one.calls}`);
  assert(many.bytes <= 40_000, `${many.bytes} bytes`);
  const cells = costs.map(({ calls, bytes }) => `${calls.toFixed(1)} calls, ${bytes} bytes`);
  const seconds = [listed - started, ended - listed].map((ms) => `${(ms / 1000).toFixed(1)} s`);
  console.log(`| ${[name, ...cells, ...seconds].join(" | ")} |`);
}

Deno.test("10,000 sessions of a user fit into a MemoryStore", async () => {
  const maxSessions = 20_000;
  await measure("MemoryStore", new MemoryStore({ maxSessions }));
  await measure(
    "HashedStore",
    new MemoryStore({ maxSessions }),
    (store) => new HashedStore(store),
  );
  await measure(
    "SealedStore on HashedStore",
    new MemoryStore({ maxSessions }),
    (store) => new SealedStore(new HashedStore(store), { secret }),
  );
});

for (const { name, missing, start } of BACKENDS) {
  serverTest(missing, `10,000 sessions of a user fit into the store on ${name}`, async () => {
    await using place = await start();
    const { store, close } = await STORES[name]!(place.where);
    try {
      await measure(name, store);
      if (name === "kv") {
        await measure(
          "SealedStore on HashedStore on kv",
          store,
          (store) => new SealedStore(new HashedStore(store), { secret }),
        );
      }
    } finally {
      await close();
    }
  });
}
