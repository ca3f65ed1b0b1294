import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import type { VersionedStore } from "@pagi/session/store";
import { MemoryStore } from "@pagi/session/store/memory";
import { storeContract, type StoreContractOptions } from "@pagi/session/testing/store";
import { fakeClock } from "../../_kit/helpers.ts";

const clock = fakeClock();

/** The cases of the contract for MemoryStore, on a fake clock. */
const cases = storeContract({
  open: () => new MemoryStore({ now: clock.now }),
  advance: clock.advance,
});

for (const { name, run } of cases) Deno.test(`MemoryStore: ${name}`, run);

/** A store whose touch keeps the version. That of a MemoryStore gives a new one. */
function keepingVersions(store: MemoryStore): VersionedStore {
  /** The version that the store gave out for each ID, and the one that its record really has. */
  const versions = new Map<string, { given: string; real: string }>();
  const real = (id: string, given?: string) => {
    const version = versions.get(id);
    return version?.given === given ? version?.real ?? "" : "";
  };
  const give = (id: string, version: string | undefined) => {
    if (version !== undefined) versions.set(id, { given: version, real: version });
    return version;
  };
  return {
    read(id) {
      const record = store.read(id);
      return record && { ...record, version: versions.get(id)!.given };
    },
    create: (id, text, options) => give(id, store.create(id, text, options)),
    replace: (id, text, options) =>
      give(id, store.replace(id, text, { ...options, version: real(id, options.version) })),
    touch(id, options) {
      if (!store.touch(id, { ...options, version: real(id, options.version) })) return false;
      versions.get(id)!.real = store.read(id)!.version;
      return true;
    },
    delete: (id, { version, ...options }) =>
      store.delete(id, { ...options, version: version && real(id, version) }),
  };
}

const keeping = storeContract({
  open: () => keepingVersions(new MemoryStore({ now: clock.now })),
  advance: clock.advance,
});
for (const { name, run } of keeping) {
  Deno.test(`a store whose touch keeps the version: ${name}`, run);
}

Deno.test("storeContract() gives each case another name", () => {
  assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);
});

Deno.test("storeContract() leaves out the cases about expiry when time cannot pass", () => {
  const open = () => new MemoryStore();
  const names = (options: Partial<StoreContractOptions>) =>
    storeContract({ open, ...options }).map(({ name }) => name);
  assertEquals(names({ waitForExpiry: true }), cases.map(({ name }) => name));
  const left = names({}).filter((name) => /ttl/.test(name));
  assertEquals(left, []);
});

Deno.test("storeContract() closes the store when a case fails", async () => {
  let open = 0;
  const options: StoreContractOptions = {
    open: () => (open++, Object.assign(new MemoryStore(), { create: () => undefined })),
    close: () => void open--,
  };
  const [, second] = storeContract(options);
  const error = await assertRejects(() => second!.run(), Error);
  assertStringIncludes(error.message, second!.name);
  assertEquals(open, 0);
});

Deno.test("storeContract() throws when an option is unknown, missing or of the wrong kind", () => {
  const open = () => new MemoryStore();
  const assertRefused = (options: object) =>
    assertThrows(() => storeContract(options as StoreContractOptions), TypeError);
  assertRefused({});
  assertRefused({ open, advance: 1 });
  assertRefused({ open, opened: true });
});
