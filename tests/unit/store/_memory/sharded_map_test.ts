import { assert, assertEquals } from "@std/assert";
import { ShardedMap, shardIndex, SHARDS } from "../../../../store/_memory/sharded_map.ts";

Deno.test("ShardedMap finds each value under its id, whatever the id is", () => {
  const ids = [
    "",
    "a",
    "f".repeat(64),
    "0".repeat(64),
    "Zoë",
    "\u{1f36a}",
    "\uffff\uffff",
    "__proto__",
  ];
  const map = new ShardedMap<number>();
  for (const [at, id] of ids.entries()) map.add(id, at);
  assertEquals(ids.map((id) => map.get(id)), ids.map((_, at) => at));
  assertEquals([map.size, map.has("a"), map.has("b"), map.get("b")], [
    ids.length,
    true,
    false,
    undefined,
  ]);
});

Deno.test("ShardedMap counts what is in it when some go, come again, were never there, or all go", () => {
  const map = new ShardedMap<number>();
  map.add("a", 1);
  map.add("b", 2);
  map.delete("a");
  map.delete("a");
  map.delete("c");
  assertEquals([map.size, map.has("a"), map.get("b")], [1, false, 2]);
  map.add("a", 3);
  assertEquals([map.size, map.get("a")], [2, 3]);
  map.clear();
  assertEquals([map.size, map.has("a"), map.has("b")], [0, false, false]);
});

Deno.test("shardIndex() tells ids with the same beginning apart by their end", () => {
  const ids = Array.from({ length: 100 }, (_, at) => `user:2026-11-29:${1000 + at}`);
  // Two decimal digits reach 40 of the Maps.
  const count = new Set(ids.map(shardIndex)).size;
  assert(count > SHARDS / 2, `${count} of ${SHARDS} Maps`);
});

Deno.test("shardIndex() tells ids that end in two other digits apart as evenly as they can be", () => {
  const digits = [..."0123456789abcdef"];
  const indexes = digits.flatMap((first) => digits.map((second) => shardIndex(first + second)));
  const counts = Map.groupBy(indexes, (index) => index);
  assertEquals(
    [...counts.keys()].sort((a, b) => a - b),
    Array.from({ length: SHARDS }, (_, at) => at),
  );
  assertEquals(new Set([...counts.values()].map((all) => all.length)), new Set([256 / SHARDS]));
});
