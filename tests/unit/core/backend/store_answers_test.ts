// The errors of a request when the store fails, is too slow or returns something invalid.
import { assertEquals, assertInstanceOf } from "@std/assert";
import { MemoryStore, type ReplaceOptions, type WriteOptions } from "@pagi/session";
import { destroy, nothing, on } from "../../../_kit/store_answers.ts";
import { type Fault, FaultyStore, type Operation } from "../../../_kit/faulty_store.ts";
import { idOf, rig } from "../../../_kit/helpers.ts";

for (
  const [kind, why, version] of [
    ["throws", "the store failed", "the store failed"],
    [
      "never settles",
      "the store did not answer within storeTimeout",
      "the store did not answer within storeTimeout",
    ],
    [
      "gives an invalid answer",
      "the store answered with neither true nor false",
      "the store answered with no version",
    ],
  ] satisfies [Fault, string, string][]
) {
  Deno.test(`an error names the operation when a store ${kind}`, async () => {
    /** A client with a session whose store fails at this operation from now on. */
    const broken = async (operation: Operation) => {
      const store = new FaultyStore(new MemoryStore());
      const client = on(store, 0.001);
      const id = await client.visit(undefined, client.write);
      store.fault = { operation, kind };
      return { ...client, id };
    };
    if (kind !== "gives an invalid answer") {
      const { refused, id } = await broken("read");
      assertEquals((await refused(id, nothing)).message, `Cannot read the session: ${why}`);
    }
    const creating = await broken("create");
    const created = await creating.refused(undefined, creating.write);
    assertEquals(created.message, `Cannot create the session: ${version}`);
    const replacing = await broken("replace");
    const replaced = await replacing.refused(replacing.id, replacing.write);
    assertEquals(replaced.message, `Cannot replace the session: ${version}`);
    const deleting = await broken("delete");
    const { cause } = await deleting.refused(deleting.id, destroy);
    assertEquals((cause as Error).message, `Cannot delete the session: ${why}`);
    const { clock, events, visit, id } = await broken("touch");
    clock.advance(600);
    assertEquals(await visit(id, nothing), undefined);
    assertEquals(
      events.map(({ type, cause }) => [type, (cause as Error).message]),
      [["touch-failed", `Cannot touch the session: ${why}`]],
    );
  });
}

Deno.test("SessionError has a TimeoutError as its cause when a store does not reply", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { refused } = on(store, 0.001);
  store.fault = { operation: "read", kind: "never settles" };
  const { cause } = await refused(idOf("1"), nothing);
  assertInstanceOf(cause, DOMException);
  assertEquals([cause.name, cause.message], ["TimeoutError", "No answer within storeTimeout"]);
});

Deno.test("a timeout aborts only its own call", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { visit, write, refused } = on(store, 0.001);
  store.fault = { operation: "read", kind: "never settles" };
  await refused(idOf("1"), nothing);
  store.fault = undefined;
  await visit(undefined, write);
  assertEquals(store.signals.map(({ aborted }) => aborted), [true, false]);
});

Deno.test("storeTimeout accepts any number of seconds", async () => {
  const { setTimeout } = globalThis;
  const waits: unknown[] = [];
  const slow = async (storeTimeout: number) => {
    const store = new MemoryStore();
    const read = () => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 0));
    await on(Object.assign(store, { read }), storeTimeout).visit(idOf("1"), nothing);
  };
  globalThis.setTimeout = ((work: () => void, wait: number) => {
    waits.push(wait);
    return setTimeout(work, wait);
  }) as typeof setTimeout;
  try {
    await slow(5);
    // Beyond that a timer goes off at once.
    await slow(1e7);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals(waits, [5000, 2 ** 31 - 1]);
});

Deno.test("replace() receives the version unchanged when it is a bigint", async () => {
  const store = new MemoryStore();
  const versions: unknown[] = [];
  const text = `s1:${"1".repeat(32)}{"_created":1700000000}`;
  const read = () => ({ text, version: 7n, lastAccess: 1_700_000_000 });
  const replace = (_id: string, _text: string, options: { version: unknown }) => {
    versions.push(options.version);
    return 8n;
  };
  const { visit, write } = on(Object.assign(store, { read, replace }) as never);
  await visit(idOf("1"), write);
  assertEquals(versions, [7n]);
});

Deno.test("destroy() adds no header when it fails and the State clears nothing", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { visit, write, refused } = on(store);
  const id = await visit(undefined, write);
  store.fault = { operation: "delete", kind: "throws" };
  assertEquals((await refused(id, destroy)).headers, []);
});

/** A store that records the `ttl` of each write. */
class TtlRecorder extends MemoryStore {
  readonly ttls: number[] = [];
  override create(id: string, text: string, options: WriteOptions) {
    this.ttls.push(options.ttl);
    return super.create(id, text, options);
  }
  override replace(id: string, text: string, options: ReplaceOptions) {
    this.ttls.push(options.ttl);
    return super.replace(id, text, options);
  }
}

/** Seconds beyond a session's own: rounding, clocks that differ, and a request of up to an hour. */
const MARGIN = 1 + 120;
const LONGEST_REQUEST = 3600;

Deno.test("a record's ttl covers what the session has left, clocks that differ and a long request", async () => {
  const store = new TtlRecorder();
  const { clock, sessions, visit, write } = on(store);
  const id = (await visit(undefined, write))!;
  clock.advance(600);
  // An update from outside a request does not count as use, but must not shorten the record's life:
  // this server's clock may be wrong.
  await sessions.update(id, (data) => data.n = 7);
  await visit(id, write);
  const whole = 3600 + 60 + MARGIN + LONGEST_REQUEST;
  assertEquals(store.ttls, [whole, whole, whole]);
});

Deno.test("a record's ttl covers no request that is longer than expire", async () => {
  for (const [expire, touchInterval] of [[20, 1], [600, 30]] as const) {
    const store = new TtlRecorder();
    await rig({ store, expire }).signIn();
    assertEquals(store.ttls, [expire + touchInterval + MARGIN + expire]);
  }
});

Deno.test("a record's ttl does not go beyond the absolute lifetime", async () => {
  for (const [expire, longest] of [[3600, 3600], [5000, 4000]] as const) {
    const store = new TtlRecorder();
    const { clock, answer, signIn } = rig({ store, expire, absoluteExpire: 4000 });
    const cookie = await signIn();
    // How much of it is left depends on the server's clock, which may be wrong.
    for (const seconds of [1000, 3000]) {
      clock.advance(seconds);
      await answer(new Response(), { cookie });
    }
    const ttl = longest + 60 + MARGIN + LONGEST_REQUEST;
    assertEquals(store.ttls, [ttl, ttl, ttl]);
  }
});

Deno.test("destroy() wins over requests that always write first", async () => {
  const versions: unknown[] = [];
  const store = new MemoryStore();
  const remove = store.delete.bind(store);
  const { sessions, visit, write } = on(
    Object.assign(store, {
      delete(id: string, { version }: { version?: string }) {
        versions.push(version);
        return version === undefined && remove(id, {});
      },
    }),
  );
  const id = (await visit(undefined, write))!;
  assertEquals(await sessions.destroy(id), true);
  // Only the last attempt takes any version.
  assertEquals([versions.length, versions.indexOf(undefined)], [33, 32]);
  assertEquals(await sessions.destroy(id), false);
});
