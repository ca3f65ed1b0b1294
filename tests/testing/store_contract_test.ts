import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { MemoryStore } from "@pagi/session/store/memory";
import { storeContract, type StoreContractOptions } from "@pagi/session/testing";
import { fakeClock } from "../_kit/helpers.ts";

const clock = fakeClock();

/** The contract's cases for MemoryStore, on a clock that the cases move. */
const cases = storeContract({
  open: () => new MemoryStore({ now: clock.now }),
  advance: clock.advance,
});

for (const { name, run } of cases) Deno.test(`MemoryStore: ${name}`, run);

Deno.test("storeContract() names each clause once", () => {
  assertEquals(new Set(cases.map(({ name }) => name)).size, cases.length);
});

Deno.test("storeContract() leaves expiry out when nothing lets time pass", () => {
  const open = () => new MemoryStore();
  const names = (options: Partial<StoreContractOptions>) =>
    storeContract({ open, ...options }).map(({ name }) => name);
  assertEquals(names({ waitForExpiry: true }), cases.map(({ name }) => name));
  const left = names({}).filter((name) => /ttl/.test(name));
  assertEquals(left, []);
});

Deno.test("storeContract() closes what it opened, when a case fails too", async () => {
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

Deno.test("storeContract() refuses options that are not there", () => {
  const open = () => new MemoryStore();
  const refuse = (options: object) =>
    assertThrows(() => storeContract(options as StoreContractOptions), TypeError);
  refuse({});
  refuse({ open, advance: 1 });
  refuse({ open, opened: true });
});
