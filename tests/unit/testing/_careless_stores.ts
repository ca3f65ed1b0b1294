/** Stores with one mistake each in what they keep, or for how long. */
import type { StoredRecord } from "@pagi/session/store";
import type { BrokenStore } from "./_broken_stores.ts";

const DAY = 86_400;

function cut(text: string, bytes: number): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytes));
}

export const CARELESS_STORES: BrokenStore[] = [
  {
    name: "create that cuts texts off at 64 KiB",
    breaks: (store) => ({
      create: (id, text, options) => store.create(id, cut(text, 65_536), options),
    }),
    clause: "a text comes back as it was written: 100 KiB",
  },
  {
    name: "replace that keeps 16 bits of each character",
    breaks: (store) => ({
      replace: (id, text, options) =>
        store.replace(id, text.replace(/[\u{10000}-\u{10ffff}]/gu, "?"), options),
    }),
    clause:
      "a text comes back as it was written: characters beyond 16 bits and what is made of several",
  },
  {
    name: "create that parses a text and serializes it again",
    breaks: (store) => ({
      create(id, text, options) {
        if (!text.startsWith("{")) return store.create(id, text, options);
        const fields = JSON.parse(text, (key, value) => key === "__proto__" ? undefined : value);
        return store.create(id, JSON.stringify(fields), options);
      },
    }),
    clause: "a text comes back as it was written: keys that objects have",
  },
  {
    name: "create that trims texts",
    breaks: (store) => ({
      create: (id, text, options) => store.create(id, text.trim(), options),
    }),
    clause: "a text comes back as it was written: blanks around it",
  },
  {
    name: "create that sets lastAccess by its own clock",
    breaks: (store) => ({
      create: (id, text, options) => store.create(id, text, { ...options, lastAccess: 1 }),
    }),
    clause: "read() finds what create() wrote, with its version and its lastAccess",
  },
  {
    name: "replace that keeps the old lastAccess",
    breaks: (store) => ({
      replace(id, text, options) {
        const { lastAccess = 0 } = store.read(id) ?? {};
        return store.replace(id, text, { ...options, lastAccess });
      },
    }),
    clause: "replace() writes text and lastAccess at the record's version",
  },
  {
    name: "touch that does nothing",
    breaks: (store) => ({
      touch: (id, { version }) => store.read(id)?.version === version,
    }),
    clause: "touch() writes lastAccess at the record's version, and leaves the text",
  },
  {
    name: "read that returns the record itself, not a copy",
    breaks(store) {
      const records = new Map<string, StoredRecord>();
      return {
        read(id) {
          const record = store.read(id);
          const kept = records.get(id);
          if (record !== undefined && kept === undefined) records.set(id, record);
          return record && (kept ?? record);
        },
      };
    },
    clause: "read() gives a copy: what the caller does to it does not reach the store",
  },
  {
    name: "store that cuts IDs off at 24 digits",
    breaks: (store) => ({
      read: (id) => store.read(id.slice(0, 24)),
      create: (id, text, options) => store.create(id.slice(0, 24), text, options),
    }),
    clause: "records under different ids have nothing to do with each other",
  },
  ...[[0, 32], [-32, undefined]].map(([start, end]): BrokenStore => ({
    name: `store that uses the ${end === undefined ? "last" : "first"} 32 digits of an ID only`,
    breaks: (store) => ({
      read: (id) => store.read(id.slice(start, end)),
      create: (id, text, options) => store.create(id.slice(start, end), text, options),
    }),
    clause: "a key may also have 64 digits, and each of them counts",
  })),
  {
    name: "accepts() that refuses valid IDs",
    breaks: () => ({ accepts: (id) => /^[0-9a-f]{32}$/.test(id) }),
    clause: "accepts() takes the ids that are made, and what else it takes is harmless",
  },
  {
    name: "accepts() that allows IDs on which read() throws",
    breaks: (store) => ({
      accepts: () => true,
      read(id) {
        if (id.length !== 32 && id.length !== 64) throw new Error("no such key");
        return store.read(id);
      },
    }),
    clause: "accepts() takes the ids that are made, and what else it takes is harmless",
  },
  {
    name: "read that fails after an earlier call was aborted",
    breaks(store) {
      let isAborted = false;
      return {
        create(id, text, options) {
          options.signal.addEventListener("abort", () => isAborted = true);
          return store.create(id, text, options);
        },
        read(id) {
          if (isAborted) throw new Error("closed");
          return store.read(id);
        },
      };
    },
    clause: "every call takes a signal; an abort that comes after the answer changes nothing",
  },
  {
    name: "read that returns expired records",
    breaks(store) {
      const records = new Map<string, StoredRecord>();
      return {
        read(id) {
          const record = store.read(id) ?? records.get(id);
          if (record !== undefined) records.set(id, record);
          return record;
        },
        create(id, text, options) {
          const version = store.create(id, text, options);
          if (version !== undefined) {
            records.set(id, { text, version, lastAccess: options.lastAccess });
          }
          return version;
        },
      };
    },
    clause: "read() finds nothing past the ttl",
  },
  {
    name: "create that refuses an ID whose record has expired",
    breaks(store) {
      const created = new Set<string>();
      return {
        create(id, text, options) {
          if (created.has(id)) return undefined;
          created.add(id);
          return store.create(id, text, options);
        },
        delete(id, options) {
          created.delete(id);
          return store.delete(id, options);
        },
      };
    },
    clause: "create() writes where a record is past its ttl, and the old version does not match",
  },
  {
    name: "create that takes the ttl for milliseconds",
    breaks: (store) => ({
      create: (id, text, options) =>
        store.create(id, text, { ...options, ttl: options.ttl / 1000 }),
    }),
    clause: "a record is kept until its ttl has passed",
  },
  {
    name: "replace that keeps the old ttl",
    breaks(store) {
      const ttls = new Map<string, number>();
      return {
        create(id, text, options) {
          ttls.set(id, options.ttl);
          return store.create(id, text, options);
        },
        replace: (id, text, options) => store.replace(id, text, { ...options, ttl: ttls.get(id)! }),
      };
    },
    clause: "replace() prolongs a record by its ttl",
  },
  {
    name: "replace that never shortens the ttl",
    breaks: (store) => ({
      replace: (id, text, options) => store.replace(id, text, { ...options, ttl: DAY }),
    }),
    clause:
      "replace() may shorten a record's life: the marker of an ended session goes after its own ttl",
  },
  {
    name: "touch that keeps the old ttl",
    breaks: (store) => ({ touch: (id, options) => store.touch(id, { ...options, ttl: 1 }) }),
    clause: "touch() prolongs a record by its ttl",
  },
  {
    name: "touch that moves lastAccess back",
    breaks: (store) => ({
      touch: (id, options) =>
        store.replace(id, options.text, { ...options, ttl: DAY }) !== undefined,
    }),
    clause: "touch() never moves lastAccess back, and answers true",
  },
  {
    name: "touch that answers false when lastAccess would move back",
    breaks: (store) => ({
      touch: (id, options) =>
        options.lastAccess >= (store.read(id)?.lastAccess ?? 0) && store.touch(id, options),
    }),
    clause: "touch() never moves lastAccess back, and answers true",
  },
  {
    name: "touch that shortens the record's life",
    breaks: (store) => ({
      touch(id, options) {
        const lastAccess = Math.max(options.lastAccess, store.read(id)?.lastAccess ?? 0);
        return store.replace(id, options.text, { ...options, lastAccess }) !== undefined;
      },
    }),
    clause: "touch() never shortens a record's life, and answers true",
  },
  {
    name: "touch that does nothing when lastAccess would move back",
    breaks: (store) => ({
      touch(id, options) {
        const { version, lastAccess = 0 } = store.read(id) ?? {};
        if (version !== options.version) return false;
        return lastAccess > options.lastAccess || store.touch(id, options);
      },
    }),
    clause: "touch() keeps the later lastAccess and, independently of it, the later expiry",
  },
  {
    name: "create that extends the record that is in its way",
    breaks: (store) => ({
      create(id, text, options) {
        const { version = "" } = store.read(id) ?? {};
        store.touch(id, { ...options, version, text });
        return store.create(id, text, options);
      },
    }),
    clause: "a call that fails prolongs nothing",
  },
];
