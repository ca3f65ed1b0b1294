import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { search, tap, xorIds } from "../_kit/dump.ts";
import { SECRET, story, WORDS } from "../_kit/at_rest_story.ts";
import { BOTH, hashed, OLD_SECRET, sealed } from "../_kit/at_rest_wrappers.ts";
import { idOf } from "../_kit/helpers.ts";

/** Texts that every record contains before it is encrypted, and the secrets that encrypt it. */
const PLAIN = [SECRET, OLD_SECRET, "moved:", "_created", "_subject"];
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };

Deno.test("search() finds IDs and words in a plain dump when they are encoded in several ways", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all } = await story(store);
  for (const id of all) {
    assertEquals(search(dump, { ids: [id], words: WORDS }), [
      "id 0 as hex",
      "id 0 as bytes",
      "id 0 as the XOR of two values",
      "id 0 as an XOR of any number of hex values",
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
    assertNotEquals(search([disguise], { ids: [id] }), [], disguise);
    assertEquals(search([disguise], { ids: [idOf("e")], words: ["canary"] }), [], disguise);
  }
  assertEquals(search([btoa("a Canary")], { words: ["canary"] }), ["the word canary"]);
});

Deno.test("HashedStore passes on nothing from which an ID can be computed", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all } = await story(hashed(store));
  // The chain of one browser and both rotations of another, written once or more.
  const tombstones = new Set(dump.filter((text) => text.startsWith("moved:")));
  assert(all.length >= 13 && tombstones.size >= 9, `${all.length}, ${tombstones.size}`);
  assertEquals(search(dump, { ids: all }), []);
});

Deno.test("SealedStore passes on no data, no name and no way from one ID to the next", async () => {
  const { store, dump } = tap(new MemoryStore());
  const { all } = await story(sealed(store));
  assertEquals(search(dump, { words: [...WORDS, ...PLAIN] }), []);
  // The IDs are its keys. Nothing else reveals them.
  const rest = dump.filter((text) => !all.includes(text));
  assertEquals(search(rest, { ids: all }), []);
});

for (const [name, wrap] of BOTH) {
  Deno.test(`${name} passes on neither IDs nor data`, async () => {
    const { store, dump } = tap(new MemoryStore());
    const { all } = await story(wrap(store));
    assertEquals(search(dump, { ids: all, words: [...WORDS, ...PLAIN] }), []);
    // All that there is: keys, sealed texts, versions, times, and the names of arguments and options.
    const isExpected = /^([\da-f]{64}|[\w-]{50,}|\d+)$/;
    const names = ["signal", "lastAccess", "ttl", "version", "text", "length"];
    const rest = dump.filter((text) => !isExpected.test(text) && !names.includes(text));
    assertEquals(rest, []);
  });
}

Deno.test("an old ID and a dump reveal the valid ID, except when a SealedStore wraps the store", async () => {
  const hashing = tap(new MemoryStore());
  const { first } = await story(hashed(hashing.store));
  const [old, live] = first.slice(-2);
  assertNotEquals(search([...hashing.dump, old!], { ids: [live!] }), []);
  for (const [, wrap] of BOTH) {
    const { store, dump } = tap(new MemoryStore());
    const { first } = await story(wrap(store));
    const [old, live] = first.slice(-2);
    assertEquals(search([...dump, old!], { ids: [live!] }), []);
  }
});

Deno.test("a key from a dump is not accepted as an ID when a wrapper hides the IDs", async () => {
  for (const wrap of [hashed, ...BOTH.map(([, wrap]) => wrap)]) {
    const { store, dump } = tap(new MemoryStore());
    const wrapped = wrap(store);
    await wrapped.create(idOf("a"), '{"_created":1}', write);
    const key = dump.find((text) => /^[\da-f]{64}$/.test(text))!;
    assertNotEquals(key, idOf("a"));
    assertEquals(await wrapped.read(key, { signal }), undefined);
    assertEquals(await wrapped.delete(key, { signal }), false);
  }
});
