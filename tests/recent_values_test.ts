import { assertEquals } from "@std/assert";
import { RecentValues } from "../store/_recent_values.ts";

Deno.test("RecentValues lets the oldest go, and no other", () => {
  for (const set of ["set", "setCopied"] as const) {
    const recent = new RecentValues<number>(2);
    for (const [at, id] of ["a", "b", "c"].entries()) recent[set](id, at);
    assertEquals(["a", "b", "c"].map((id) => recent.get(id)), [undefined, 1, 2]);
    recent.delete("b");
    assertEquals(["b", "c"].map((id) => recent.get(id)), [undefined, 2]);
  }
});

Deno.test("RecentValues takes a mark in front of an id for a part of it", () => {
  const recent = new RecentValues<number>(2);
  recent.setCopied("\ufeffa", 1);
  assertEquals([recent.get("\ufeffa"), recent.get("a")], [1, undefined]);
});
