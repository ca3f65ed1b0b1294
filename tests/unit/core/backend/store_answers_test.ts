// The errors of a request when the store fails, is too slow or returns something invalid.
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { MemoryStore, type ReplaceOptions, SessionError, type WriteOptions } from "@pagi/session";
import { destroy, nothing, on } from "../../../_kit/store_answers.ts";
import { type Fault, FaultyStore } from "../../../_kit/faulty_store.ts";
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
      "answers nonsense",
      "the store answered with neither true nor false",
      "the store answered with no version",
    ],
  ] satisfies [Fault, string, string][]
) {
  Deno.test(`an error names the operation when a store ${kind}`, async () => {
    const store = new FaultyStore(new MemoryStore());
    const { clock, events, visit, write, refused } = on(store, 0.001);
    const id = await visit(undefined, write);
    const broken = (operation: "read" | "create" | "replace" | "touch" | "delete") => {
      store.fault = { operation, kind };
    };
    if (kind !== "answers nonsense") {
      broken("read");
      assertEquals((await refused(id, nothing)).message, `Cannot read the session: ${why}`);
    }
    broken("create");
    const created = await refused(undefined, write);
    assertEquals(created.message, `Cannot create the session: ${version}`);
    broken("replace");
    assertEquals((await refused(id, write)).message, `Cannot replace the session: ${version}`);
    broken("delete");
    const { cause } = await refused(id, destroy);
    assertEquals((cause as Error).message, `Cannot delete the session: ${why}`);
    broken("touch");
    clock.advance(600);
    events.length = 0;
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
  const text = '{"_created":1700000000}';
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

Deno.test("a record's ttl is a second longer than its session, and at least two seconds", async () => {
  const store = new TtlRecorder();
  const { clock, sessions, visit, write } = on(store);
  const id = (await visit(undefined, write))!;
  clock.advance(600);
  // An update from outside a request does not count as use, so the session ends at the same time.
  await sessions.update(id, (data) => data.n = 7);
  await visit(id, write);
  assertEquals(store.ttls, [3601, 3001, 3601]);
  const brief = new TtlRecorder();
  await rig({ store: brief, expire: 0 }).signIn();
  assertEquals(brief.ttls, [2]);
});

Deno.test("destroy() fails with a conflict when other requests always write first", async () => {
  let tries = 0;
  const { sessions, visit, write } = on(
    Object.assign(new MemoryStore(), {
      delete() {
        tries++;
        return false;
      },
    }),
  );
  const id = (await visit(undefined, write))!;
  const { code, message } = await assertRejects(() => sessions.destroy(id), SessionError);
  assertEquals([code, message, tries], [
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: others came first 32 times",
    32,
  ]);
});
