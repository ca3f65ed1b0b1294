import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { search, tap, xorIds } from "../../_kit/dump.ts";
import { SECRET, story, WORDS } from "../../_kit/at_rest_story.ts";
import { BOTH, hashed, OLD_SECRET, sealed } from "../../_kit/at_rest_wrappers.ts";
import { idOf, keyOf, verifierOf } from "../../_kit/helpers.ts";

/** Texts that records contain before they are encrypted, and the secrets that encrypt them. */
const PLAIN = [SECRET, OLD_SECRET, "ended:", "_created", "_subject"];
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };

Deno.test("search() finds IDs and words in a plain dump when they are encoded in several ways", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all } = await story(store);
  for (const id of all) {
    const halves = [verifierOf(id), keyOf(id)];
    assertEquals(search(dump, { ids: [id], halves, words: WORDS }), [
      "id 0",
      ...[0, 1].flatMap((at) => [
        `half ${at} as hex`,
        `half ${at} as bytes`,
        // Of itself and zeros, which an invented ID has left.
        `half ${at} as the XOR of two values`,
        `half ${at} as an XOR of any number of hex values`,
      ]),
      ...WORDS.map((word) => `the word ${word}`),
    ]);
  }

  const id = all[0]!;
  const bytes = Uint8Array.fromHex(id);
  const base64url = { alphabet: "base64url", omitPadding: true } as const;
  const [one, other] = [idOf("5"), idOf("3")];
  const disguises = [
    id.toUpperCase(),
    btoa(`x${id}`),
    bytes.toBase64(),
    `id=${bytes.toBase64(base64url)}`,
    Array.from(id).reverse().join(""),
    bytes.toReversed().toBase64(base64url),
    `${one} ${xorIds(one, id)}`,
    `${one} ${Uint8Array.fromHex(xorIds(one, id)).toBase64()}`,
    `${one} ${other} ${xorIds(one, xorIds(other, id))}`,
  ];
  for (const disguise of disguises) {
    assertEquals(search([disguise], { ids: [id] }), ["id 0"], disguise);
    assertEquals(search([disguise], { ids: [idOf("e")], words: ["canary"] }), [], disguise);
  }
  const halves = [verifierOf(id), keyOf(id)];
  for (const half of halves) assertEquals(search([half], { ids: [id] }), []);
  assertEquals(search([...halves], { ids: [id] }), ["id 0"]);
  assertEquals(search([`${one} ${xorIds(one, id)}`], { halves: [halves[1]!] }), [
    "half 0 as the XOR of two values",
    "half 0 as an XOR of any number of hex values",
  ]);
  assertEquals(search([btoa("a Canary")], { words: ["canary"] }), ["the word canary"]);
});

Deno.test("HashedStore passes on nothing from which the key in an ID can be computed", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all, keys } = await story(hashed(store));
  // The records name the verifiers, the replaced ones included.
  const verifiers = new Set(dump.flatMap((text) => text.match(/(?<=^s1:| x)[\da-f]{32}/g) ?? []));
  assert(all.length >= 10 && keys.length === 3, `${all.length}, ${keys.length}`);
  for (const id of all) assert(verifiers.has(verifierOf(id)));
  assertEquals(search(dump, { ids: all, halves: keys }), []);
});

Deno.test("SealedStore passes on no data, no name and nothing from which the verifier in an ID can be computed", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all, verifiers, keys } = await story(sealed(store));
  assertEquals(search(dump, { words: [...WORDS, ...PLAIN] }), []);
  assertEquals(search(dump, { ids: all, halves: verifiers }), []);
  // The second halves are its keys. Nothing else reveals them.
  const rest = dump.filter((text) => !keys.includes(text));
  assertEquals(search(rest, { halves: keys }), []);
});

for (const [name, wrap] of BOTH) {
  Deno.test(`${name} passes on neither IDs nor data`, async () => {
    const { store, dump } = tap(new MemoryStore());
    const { verifiers, keys } = await story(wrap(store));
    const halves = [...verifiers, ...keys];
    assertEquals(search(dump, { halves, words: [...WORDS, ...PLAIN] }), []);
    // All that there is: keys, sealed texts, versions, times, and the names of arguments and options.
    const isExpected = /^([\da-f]{64}|[\w-]{50,}|\d+)$/;
    const names = ["signal", "lastAccess", "ttl", "version", "text", "length"];
    const rest = dump.filter((text) => !isExpected.test(text) && !names.includes(text));
    assertEquals(rest, []);
  });
}

Deno.test("a key from a log and a dump reveal the valid ID, except when a SealedStore wraps the store", async () => {
  const hashing = tap(new MemoryStore());
  const { first } = await story(hashed(hashing.store));
  const [old, live] = first.slice(-2) as [string, string];
  // Behind a HashedStore, the key is as secret as the ID. Each ID that the session had contains it.
  for (const leaked of [keyOf(live), old]) {
    assertEquals(search([...hashing.dump, leaked], { ids: [live] }), ["id 0"]);
  }
  for (const wrap of [sealed, ...BOTH.map(([, wrap]) => wrap)]) {
    const { store, dump } = tap(new MemoryStore());
    const { first } = await story(wrap(store));
    const [old, live] = first.slice(-2) as [string, string];
    assertEquals(search([...dump, old], { ids: [live] }), []);
  }
});

Deno.test("a key from a dump is not accepted as an ID when a wrapper hides the IDs", async () => {
  for (const wrap of [hashed, ...BOTH.map(([, wrap]) => wrap)]) {
    const { store, dump } = tap(new MemoryStore());
    const wrapped = wrap(store);
    await wrapped.create(keyOf(idOf("a")), `s1:${verifierOf(idOf("a"))}{"_created":1}`, write);
    const stored = dump.find((text) => /^[\da-f]{64}$/.test(text))!;
    for (const key of [stored, keyOf(stored)]) {
      assertNotEquals(key, keyOf(idOf("a")));
      assertEquals(await wrapped.read(key, { signal }), undefined);
      assertEquals(await wrapped.delete(key, { signal }), false);
    }
  }
});
