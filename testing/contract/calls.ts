/** The store contract, call by call: the effect of each call with and without a record. */
import { check, type Clause, newId, type Records } from "./kit.ts";

/** A version that no store gives out. */
const FOREIGN = "no such version";

/** Creates the record `{"n":1}` under a new ID. */
async function one(records: Records) {
  const id = newId();
  const text = '{"n":1}';
  return { id, text, version: await records.make(id, text) };
}

/** Cases about read() and create(). */
const creating: Clause[] = [
  {
    name: "read() finds nothing under an id that was never written",
    check: (records) => records.expectNone(newId()),
  },
  {
    name: "read() finds what create() wrote, with its version and its lastAccess",
    async check(records) {
      const id = newId();
      const version = await records.make(id, '{"n":1}', { lastAccess: 1_234_567_890 });
      await records.expect(id, '{"n":1}', version);
      const { lastAccess } = await records.find(id);
      check(lastAccess === 1_234_567_890, `lastAccess came back as ${lastAccess}`);
    },
  },
  {
    name: "whoever calls after an answer sees its effect",
    async check(records) {
      const id = newId();
      await records.expectNone(id);
      const first = await records.make(id, "1");
      await records.expect(id, "1", first);
      const second = await records.replace(id, "2", { version: first });
      await records.expect(id, "2", second!);
      await records.delete(id, second);
      await records.expectNone(id);
      await records.expect(id, "3", await records.make(id, "3"));
    },
  },
  {
    name: "read() gives a copy: what the caller does to it does not reach the store",
    async check(records) {
      const { id, text, version } = await one(records);
      try {
        Object.assign(await records.find(id), { text: "changed", version: "changed" });
      } catch {
        // The store returned a frozen object, which is just as good.
      }
      await records.expect(id, text, version);
    },
  },
  {
    name: "create() writes nothing where there is a record, and changes nothing",
    async check(records) {
      const id = newId();
      const version = await records.make(id, '{"n":1}', { lastAccess: 1 });
      const second = await records.create(id, '{"n":2}', { lastAccess: 2 });
      check(second === undefined, "create() answered with a version, though there was a record");
      await records.expect(id, '{"n":1}', version);
      check((await records.find(id)).lastAccess === 1, "create() changed lastAccess");
    },
  },
];

/** Cases about replace(). */
const replacing: Clause[] = [
  {
    name: "replace() writes text and lastAccess at the record's version",
    async check(records) {
      const { id, version } = await one(records);
      const next = await records.replace(id, '{"n":2}', { version, lastAccess: 2 });
      check(next !== undefined, "replace() wrote nothing, though the version was the record's");
      await records.expect(id, '{"n":2}', next);
      check((await records.find(id)).lastAccess === 2, "replace() did not write lastAccess");
    },
  },
  {
    name: "replace() changes nothing at another version",
    async check(records) {
      const { id, text, version } = await one(records);
      const next = await records.replace(id, '{"n":2}', { version: FOREIGN });
      check(next === undefined, "replace() answered with a version, though it had another");
      await records.expect(id, text, version);
    },
  },
  {
    name: "replace() never inserts",
    async check(records) {
      const { id, version } = await one(records);
      await records.delete(id, version);
      for (const absent of [id, newId()]) {
        const next = await records.replace(absent, '{"n":2}', { version });
        check(next === undefined, "replace() answered with a version, though there was no record");
        await records.expectNone(absent);
      }
    },
  },
];

/** Cases about touch(). */
const touching: Clause[] = [
  {
    name: "touch() writes lastAccess at the record's version, and leaves the text",
    async check(records) {
      const { id, text, version } = await one(records);
      const isDone = await records.touch(id, { version, text, lastAccess: 1_800_000_000 });
      check(isDone === true, "touch() did not answer true, though the version was the record's");
      const record = await records.find(id);
      check(record.text === text, "touch() changed the text");
      check(record.lastAccess === 1_800_000_000, "touch() did not write lastAccess");
    },
  },
  {
    name: "touch() never moves lastAccess back, and answers true",
    async check(records) {
      const id = newId();
      const version = await records.make(id, '{"n":1}', { lastAccess: 5 });
      const isDone = await records.touch(id, { version, text: '{"n":1}', lastAccess: 3 });
      check(isDone === true, "touch() did not answer true, though the version was the record's");
      const record = await records.find(id);
      check(
        record.lastAccess === 5,
        `lastAccess was 5, and a touch() with 3 left ${record.lastAccess}`,
      );
      check(record.text === '{"n":1}', "touch() changed the text");
      await records.touch(id, { version: record.version, text: record.text, lastAccess: 6 });
      check((await records.find(id)).lastAccess === 6, "a later touch() did not write lastAccess");
    },
  },
  {
    name: "touch() changes nothing at another version",
    async check(records) {
      const { id, text, version } = await one(records);
      const next = await records.replace(id, '{"n":2}', { version, lastAccess: 2 });
      const isDone = await records.touch(id, { version, text, lastAccess: 3 });
      check(
        isDone === false,
        "touch() did not answer false, though the record had another version",
      );
      await records.expect(id, '{"n":2}', next!);
      check((await records.find(id)).lastAccess === 2, "touch() changed lastAccess");
    },
  },
  {
    name: "touch() never inserts",
    async check(records) {
      const { id, text, version } = await one(records);
      await records.delete(id, version);
      for (const absent of [id, newId()]) {
        const isDone = await records.touch(absent, { version, text });
        check(isDone === false, "touch() did not answer false, though there was no record");
        await records.expectNone(absent);
      }
    },
  },
];

/** Cases about delete(). */
const deleting: Clause[] = [
  {
    name: "delete() removes the record at its version",
    async check(records) {
      const { id, version } = await one(records);
      check(await records.delete(id, version) === true, "delete() did not answer true");
      await records.expectNone(id);
    },
  },
  {
    name: "delete() changes nothing at another version",
    async check(records) {
      const { id, version } = await one(records);
      const next = await records.replace(id, '{"n":2}', { version });
      for (const other of [version, FOREIGN]) {
        check(await records.delete(id, other) === false, "delete() did not answer false");
        await records.expect(id, '{"n":2}', next!);
      }
    },
  },
  {
    name: "delete() without a version removes the record at any",
    async check(records) {
      const { id, version } = await one(records);
      await records.replace(id, '{"n":2}', { version });
      check(await records.delete(id) === true, "delete() did not answer true");
      await records.expectNone(id);
    },
  },
  {
    name: "delete() answers false where there is no record",
    async check(records) {
      const { id, version } = await one(records);
      await records.delete(id);
      for (const [absent, at] of [[id, version], [id, undefined], [newId(), undefined]] as const) {
        check(await records.delete(absent, at) === false, "delete() did not answer false");
      }
    },
  },
];

/** Cases about single calls. */
export const CALLS: Clause[] = [...creating, ...replacing, ...touching, ...deleting];
