import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { SessionError } from "@pagi/session";
import { DenoKvStore } from "@pagi/session/store/deno-kv";
import { storeContract } from "@pagi/session/testing/store";
import { holdToContract, race } from "./_suites.ts";

const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };

/** KV's limit, which the store can only say. */
const TOO_LARGE = {
  name: "comes back as it was written: 100 KiB",
  fails({ cause }: Error) {
    assertInstanceOf(cause, SessionError);
    assertEquals(cause.code, "ERR_SESSION_TOO_LARGE");
    assertStringIncludes(cause.message, "at most 65536");
  },
};

/** A file for a database, in a folder that goes with it. */
async function kvFile(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-kv-" });
  return {
    path: `${folder}/kv.db`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const OPENERS: {
  name: string;
  races: number;
  open(): Promise<{ kv: Deno.Kv } & AsyncDisposable>;
}[] = [
  {
    name: "in memory",
    races: 300,
    async open() {
      const kv = await Deno.openKv(":memory:");
      return { kv, [Symbol.asyncDispose]: () => Promise.resolve(kv.close()) };
    },
  },
  {
    name: "in a file",
    races: 100,
    async open() {
      const file = await kvFile();
      const kv = await Deno.openKv(file.path);
      return {
        kv,
        async [Symbol.asyncDispose]() {
          kv.close();
          await file[Symbol.asyncDispose]();
        },
      };
    },
  },
];

for (const { name, races, open } of OPENERS) {
  Deno.test(`DenoKvStore ${name} keeps the contract`, async (t) => {
    await using opened = await open();
    const store = new DenoKvStore(opened.kv, { prefix: ["app", 1] });
    await holdToContract(t, store, [TOO_LARGE]);
    await t.step("no race breaks a session", () => race(store, races));
  });
}

Deno.test("DenoKvStore checks the expiry itself when KV has not removed the record", async () => {
  await using opened = await OPENERS[0]!.open();
  const clock = { ms: Date.now() };
  const store = new DenoKvStore(opened.kv, { now: () => clock.ms });
  const cases = storeContract({
    open: () => store,
    // KV's own clock stands still for this.
    advance: (seconds) => void (clock.ms += seconds * 1000),
  });
  const expiry = cases.filter(({ name }) => name.includes("ttl") || name.includes("prolong"));
  assert(expiry.length >= 6);
  for (const { run } of expiry) await run();
});

Deno.test("DenoKvStore gives KV the record's lifetime", async () => {
  await using opened = await OPENERS[0]!.open();
  const store = new DenoKvStore(opened.kv);
  for (const ttl of [0.0001, 1.23456, 1e300]) {
    assert(await store.create("a", "{}", { ...write, ttl }) !== undefined);
    await store.delete("a");
  }
});

Deno.test("DenoKvStore carries what fits into 64 KiB, and says both sizes of what does not", async () => {
  await using opened = await OPENERS[0]!.open();
  const store = new DenoKvStore(opened.kv);
  const overhead = `1 ${Date.now()}\n`.length;
  const fitting = "x".repeat(65_536 - overhead);
  const version = await store.create("a", fitting, write);
  assertEquals((await store.read("a", { signal }))?.text, fitting);
  const failure = await store.replace("a", `${fitting}ä`, { ...write, version: version! }).then(
    () => undefined,
    (error) => error,
  );
  assertEquals(failure?.code, "ERR_SESSION_TOO_LARGE");
  assertStringIncludes(failure.message, "65538 bytes");
  assertStringIncludes(failure.message, "65536");
  assertEquals((await store.read("a", { signal }))?.version, version);
});

Deno.test("DenoKvStore finds no session in what somebody else wrote under its key", async () => {
  await using opened = await OPENERS[0]!.open();
  const store = new DenoKvStore(opened.kv);
  for (const value of ["text", { text: "{}" }, new Uint8Array([255, 254])]) {
    await opened.kv.set(["pagi", "session", "a"], value);
    assertEquals(await store.get("a"), undefined);
  }
  await store.set("a", { user: "ada" });
  assertEquals((await store.get("a"))?.user, "ada");
});
