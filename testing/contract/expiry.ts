/**
 * The store contract on expiry: a record stays until its ttl has passed, and is not found after
 * that.
 */
import { check, type Clause, newId } from "./kit.ts";

/** Seconds of a ttl that passes during a case, and of one that does not. */
const SHORT = 1;
const LONG = 60;
/** The longest lifetime that a session can have, in seconds, and more than a timer can wait. */
const YEARS = 10 * 365 * 86_400;
/** Seconds that pass in a case; longer than SHORT because a store may round a ttl up. */
const WHILE = 2;

/** Cases that need time to pass. */
export const EXPIRY: Clause[] = [
  {
    name: "a record is kept until its ttl has passed",
    expires: true,
    async check(records) {
      const id = newId();
      const version = await records.make(id, "a", { ttl: LONG });
      await records.pass(WHILE);
      await records.expect(id, "a", version);
    },
  },
  {
    name: "a record is kept for a ttl of years, which a session may have",
    expires: true,
    async check(records) {
      const id = newId();
      const version = await records.make(id, "a", { ttl: YEARS });
      const next = await records.replace(id, "b", { version, ttl: YEARS });
      await records.pass(WHILE);
      await records.expect(id, "b", next!);
      await records.touch(id, { version: next!, text: "b", ttl: YEARS });
      await records.pass(WHILE);
      check((await records.find(id)).text === "b", "the record is lost");
    },
  },
  {
    name: "read() finds nothing past the ttl",
    expires: true,
    async check(records) {
      const id = newId();
      await records.make(id, "a", { ttl: SHORT });
      await records.pass(WHILE);
      await records.expectNone(id);
    },
  },
  {
    name: "create() writes where a record is past its ttl, and the old version does not match",
    expires: true,
    async check(records) {
      const id = newId();
      const old = await records.make(id, "a", { ttl: SHORT });
      await records.pass(WHILE);
      const version = await records.make(id, "b");
      await records.expect(id, "b", version);
      check(await records.replace(id, "c", { version: old }) === undefined, "replace() took it");
      check(!await records.delete(id, old), "delete() took it");
      await records.expect(id, "b", version);
    },
  },
  {
    name: "replace() prolongs a record by its ttl",
    expires: true,
    async check(records) {
      const id = newId();
      const version = await records.make(id, "a", { ttl: SHORT });
      const next = await records.replace(id, "b", { version, ttl: LONG });
      await records.pass(WHILE);
      await records.expect(id, "b", next!);
    },
  },
  {
    name:
      "replace() may shorten a record's life: the marker of an ended session goes after its own ttl",
    expires: true,
    async check(records) {
      const id = newId();
      const version = await records.make(id, "a", { ttl: LONG });
      await records.replace(id, "b", { version, ttl: SHORT });
      await records.pass(WHILE);
      await records.expectNone(id);
    },
  },
  {
    name: "touch() prolongs a record by its ttl",
    expires: true,
    async check(records) {
      const id = newId();
      const version = await records.make(id, "a", { ttl: SHORT });
      await records.touch(id, { version, text: "a", ttl: LONG });
      await records.pass(WHILE);
      check((await records.find(id)).text === "a", "touch() changed the text");
    },
  },
  {
    name: "touch() never shortens a record's life, and answers true",
    expires: true,
    async check(records) {
      const id = newId();
      const version = await records.make(id, "a", { ttl: LONG });
      const isDone = await records.touch(id, { version, text: "a", ttl: SHORT });
      check(isDone === true, "touch() did not answer true, though the version was the record's");
      await records.pass(WHILE);
      check((await records.find(id)).text === "a", "touch() changed the text");
    },
  },
  {
    name: "touch() keeps the later lastAccess and, independently of it, the later expiry",
    expires: true,
    async check(records) {
      const [newer, longer] = [newId(), newId()];
      const first = await records.make(newer, "a", { lastAccess: 5, ttl: LONG });
      await records.touch(newer, { version: first, text: "a", lastAccess: 6, ttl: SHORT });
      const second = await records.make(longer, "a", { lastAccess: 5, ttl: SHORT });
      await records.touch(longer, { version: second, text: "a", lastAccess: 4, ttl: LONG });
      await records.pass(WHILE);
      check((await records.find(newer)).lastAccess === 6, "touch() did not write lastAccess");
      check((await records.find(longer)).lastAccess === 5, "touch() moved lastAccess back");
    },
  },
  {
    name: "a call that fails prolongs nothing",
    expires: true,
    async check(records) {
      const id = newId();
      await records.make(id, "a", { ttl: SHORT });
      await records.create(id, "b", { ttl: LONG });
      await records.replace(id, "b", { version: "no such version", ttl: LONG });
      await records.touch(id, { version: "no such version", text: "a", ttl: LONG });
      await records.pass(WHILE);
      await records.expectNone(id);
    },
  },
];
