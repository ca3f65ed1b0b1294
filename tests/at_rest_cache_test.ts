import { assertEquals } from "@std/assert";
import { IdCache } from "../store/_at_rest_cache.ts";

Deno.test("IdCache lets the oldest go, and no other", () => {
  const cache = new IdCache<number>(2);
  for (const [at, id] of ["a", "b", "c"].entries()) cache.set(id, at);
  assertEquals(["a", "b", "c"].map((id) => cache.get(id)), [undefined, 1, 2]);
  cache.delete("b");
  assertEquals(["b", "c"].map((id) => cache.get(id)), [undefined, 2]);
});

Deno.test("IdCache takes a mark in front of an id for a part of it", () => {
  const cache = new IdCache<number>(2);
  cache.set("\ufeffa", 1);
  assertEquals([cache.get("\ufeffa"), cache.get("a")], [1, undefined]);
});
