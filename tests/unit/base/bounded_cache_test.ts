import { assertEquals } from "@std/assert";
import { BoundedCache } from "../../../base/bounded_cache.ts";

Deno.test("RecentValues keeps as many of the last as it was told, and never more than twice", () => {
  for (const set of ["set", "setCopied"] as const) {
    const recent = new BoundedCache<number>(2);
    const kept: string[] = [];
    for (let last = 0; last < 7; last++) {
      recent[set](`${last}`, last);
      const found = Array.from({ length: 7 }, (_, at) => recent.get(`${at}`));
      kept.push(found.filter((value) => value !== undefined).join(""));
    }
    assertEquals(kept, ["0", "01", "012", "0123", "234", "2345", "456"]);
  }
});

Deno.test("RecentValues gives back the newer of two values, and neither once it is deleted", () => {
  const recent = new BoundedCache<number>(1);
  recent.set("a", 1);
  recent.set("a", 2);
  assertEquals(recent.get("a"), 2);
  recent.delete("a");
  assertEquals(recent.get("a"), undefined);
});

Deno.test("RecentValues takes a mark in front of an id for a part of it", () => {
  const recent = new BoundedCache<number>(2);
  recent.setCopied("\ufeffa", 1);
  assertEquals([recent.get("\ufeffa"), recent.get("a")], [1, undefined]);
});
