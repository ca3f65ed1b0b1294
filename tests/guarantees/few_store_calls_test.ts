/** A request makes few calls to the store. */
import { assertEquals } from "@std/assert";
import { setUp } from "../_kit/tabs.ts";

Deno.test("run() makes one call when a request reads, and two when it writes", async () => {
  const { store, tab } = await setUp();
  const calls: string[] = [];
  for (const name of ["read", "create", "replace", "touch", "delete"] as const) {
    const method = store[name].bind(store) as (...args: unknown[]) => unknown;
    Object.assign(store, { [name]: (...args: unknown[]) => (calls.push(name), method(...args)) });
  }
  await tab(() => {});
  await tab((session) => session.set("a", 2));
  assertEquals(calls, ["read", "read", "replace"]);
});
