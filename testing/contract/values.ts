/** The store contract on values: texts, versions, IDs and options. */
import { check, type Clause, KEY_DIGITS, newId, newPresented } from "./kit.ts";

const VERIFIER = "0123456789abcdef".repeat(2);

/**
 * Texts as the middleware writes them: JSON with lone surrogates escaped, with and without a header,
 * and markers.
 */
const TEXTS: [name: string, text: string][] = [
  ["a session with nothing in it", '{"_created":0}'],
  ["an empty object", "{}"],
  ["a session with a header", `s1:${VERIFIER} r2 x${VERIFIER}gt6s1hc{"_created":0}`],
  ["the marker of an ended session", `ended:${VERIFIER}`],
  ["quotes, backslashes and percent signs", json(`'"\`\\ %s %% $1 ? :id \${x}`)],
  ["newlines, tabs and NUL", json("a\r\n\tb\0c\u2028d")],
  ["letters of many scripts", json("Grüße, Ωμέγα, привет, שלום, 你好, ไทย")],
  ["characters beyond 16 bits and what is made of several", json("𝒳 👩‍👩‍👧 e\u0301 \u{10ffff}")],
  ["half a surrogate pair", json("\ud800 and \udc00")],
  ["keys that objects have", '{"_created":1,"__proto__":{"a":1},"constructor":null}'],
  ["blanks around it", ' {"a": " b "} \n'],
];

function json(value: string): string {
  return JSON.stringify({ _created: 1, value });
}

/** Bytes of the longest text that every store has to accept. */
const LARGE = 100 * 1024;

/** Number of records, or of versions of one record, that a case compares. */
const MANY = 25;

const texts: Clause[] = [...TEXTS, ["100 KiB", json("ä".repeat(LARGE / 2))] as const]
  .map(([name, text]) => ({
    name: `a text comes back as it was written: ${name}`,
    async check(records) {
      const [id, other] = [newId(), newId()];
      await records.expect(id, text, await records.make(id, text));
      const next = await records.replace(other, text, { version: await records.make(other) });
      check(next !== undefined, "replace() wrote nothing, though the version was the record's");
      await records.expect(other, text, next);
    },
  }));

const versions: Clause[] = [
  {
    name: "a version is never used again: not for another text, not for the same",
    async check(records) {
      const id = newId();
      const seen = new Set([await records.make(id, "a")]);
      for (let turn = 0; turn < MANY; turn++) {
        const { version } = await records.find(id);
        const next = await records.replace(id, turn % 2 === 0 ? "b" : "a", { version });
        check(next !== undefined, "replace() wrote nothing, though the version was the record's");
        check(!seen.has(next), "replace() answered with a version that the record has had before");
        seen.add(next);
      }
    },
  },
  {
    name: "an old version does not match a record that has its old text again",
    async check(records) {
      const id = newId();
      const first = await records.make(id, "a");
      const second = await records.replace(id, "b", { version: first });
      const third = await records.replace(id, "a", { version: second! });
      check(third !== undefined, "replace() wrote nothing, though the version was the record's");
      check(await records.replace(id, "c", { version: first }) === undefined, "replace() took it");
      check(!await records.touch(id, { version: first, text: "a" }), "touch() took it");
      check(!await records.delete(id, first), "delete() took it");
      await records.expect(id, "a", third);
    },
  },
  {
    name: "an old version does not match a record that was deleted and made again",
    async check(records) {
      const id = newId();
      const old = await records.make(id, "a");
      await records.delete(id, old);
      const version = await records.make(id, "a");
      check(version !== old, "create() answered with the version of the record before");
      check(await records.replace(id, "b", { version: old }) === undefined, "replace() took it");
      check(!await records.touch(id, { version: old, text: "a" }), "touch() took it");
      check(!await records.delete(id, old), "delete() took it");
      await records.expect(id, "a", version);
    },
  },
  {
    name: "after touch() the version that read() gives is the record's",
    async check(records) {
      const id = newId();
      const old = await records.make(id, "a");
      await records.touch(id, { version: old, text: "a" });
      // A store may or may not change the version at a touch. If it does, this changes nothing.
      if (await records.replace(id, "b", { version: old }) === undefined) {
        check((await records.find(id)).text === "a", "a replace() that failed changed the text");
      }
      const { text, version } = await records.find(id);
      check(await records.touch(id, { version, text }), "touch() refused the record's version");
      const last = await records.find(id);
      const next = await records.replace(id, "c", { version: last.version });
      check(next !== undefined, "replace() refused the record's version");
      await records.expect(id, "c", next);
    },
  },
];

const ids: Clause[] = [
  {
    name: "records under different ids have nothing to do with each other",
    async check(records) {
      // IDs that share their start or their end with another ID.
      const id = newId();
      const alike = ["0", "1", "2"].flatMap((digit) => [id.slice(1) + digit, digit + id.slice(1)]);
      const all = [...new Set([...alike, ...Array.from({ length: MANY }, newId)])];
      const made = await Promise.all(all.map((id) => records.make(id, id)));
      const [deleted, replaced] = all as [string, string];
      await records.delete(deleted);
      const next = await records.replace(replaced, "changed", { version: made[1]! });
      await records.expectNone(deleted);
      await records.expect(replaced, "changed", next!);
      for (let at = 2; at < all.length; at++) await records.expect(all[at]!, all[at]!, made[at]!);
    },
  },
  {
    name: "a key may also have 64 digits, and each of them counts",
    async check(records) {
      const [first, last, other] = [newId(), newId(), newId()];
      const all = [first + last, first + other, other + last, first, last];
      const made = await Promise.all(all.map((id) => records.make(id, id)));
      for (const [at, id] of all.entries()) await records.expect(id, id, made[at]!);
    },
  },
  {
    name: "accepts() takes the ids that are made, and what else it takes is harmless",
    async check({ store }) {
      const { signal } = new AbortController();
      if (store.accepts === undefined) return;
      check(store.accepts(newPresented()) === true, "accepts() refused 64 hex digits");
      const foreign = ["", " ", "a", "é", "\0", "../../etc", "__proto__", "*", "a:b", "'; --"];
      const alike = [newPresented().toUpperCase(), newPresented().slice(1), "f".repeat(10_000)];
      for (const presented of [...foreign, ...alike]) {
        if (!store.accepts(presented)) continue;
        for (const id of [presented, presented.slice(-KEY_DIGITS)]) {
          const record = await store.read(id, { signal });
          check((record ?? undefined) === undefined, "read() finds a record under a foreign id");
        }
      }
    },
  },
];

const options: Clause[] = [
  {
    name: "every call takes a signal; an abort that comes after the answer changes nothing",
    async check({ store }) {
      const id = newId();
      const lifetime = { lastAccess: 1, ttl: 60 };
      const aborted = async <T>(call: (signal: AbortSignal) => T): Promise<Awaited<T>> => {
        const controller = new AbortController();
        const answer = await call(controller.signal);
        controller.abort();
        return answer;
      };
      const first = await aborted((signal) => store.create(id, "a", { ...lifetime, signal }));
      const version = await aborted((signal) =>
        store.replace(id, "b", { ...lifetime, version: first!, signal })
      );
      await aborted((signal) =>
        store.touch(id, { ...lifetime, version: version!, text: "b", signal })
      );
      const record = await aborted((signal) => store.read(id, { signal }));
      check(record?.text === "b", "read() does not find what was written");
      const isDone = await aborted((signal) => store.delete(id, { signal }));
      check(isDone === true, "delete() did not answer true");
    },
  },
];

/** Cases about values. */
export const VALUES: Clause[] = [...texts, ...versions, ...ids, ...options];
