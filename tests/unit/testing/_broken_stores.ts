/** Stores with one mistake each that lets races do damage. */
import { MemoryStore } from "@pagi/session/store/memory";
import type { Guarantee } from "@pagi/session/testing/store";
import type { StoredRecord, VersionedStore } from "@pagi/session/store";

/** A store with a mistake, and the tests that must find it. */
export interface BrokenStore {
  name: string;
  /** The methods that differ from those of a MemoryStore. */
  breaks(store: MemoryStore): Partial<VersionedStore>;
  /** A rule of the contract that the store breaks. */
  clause: string;
  /** A guarantee that races on the store break; undefined if they may break none. */
  guarantee?: Guarantee;
}

const { signal } = new AbortController();
/** Lets other calls run between a read and the write that depends on it. */
const pause = () => Promise.resolve();

/** A MemoryStore with this mistake. */
export function broken({ breaks }: BrokenStore, now?: () => number): VersionedStore {
  const store = new MemoryStore({ now });
  return {
    read: (id) => store.read(id),
    create: (id, text, options) => store.create(id, text, options),
    replace: (id, text, options) => store.replace(id, text, options),
    touch: (id, options) => store.touch(id, options),
    delete: (id, options) => store.delete(id, options),
    ...breaks(store),
  };
}

/** The current version of the record, for calls that ignore versions. */
function atAny(store: MemoryStore, id: string): { version: string } {
  return { version: store.read(id)?.version ?? "" };
}

/** A store whose versions count from one for each record. */
function counting(store: MemoryStore): Partial<VersionedStore> {
  const counts = new Map<string, { count: number; version: string }>();
  const is = (id: string, version: string) => `${counts.get(id)?.count}` === version;
  const inner = (id: string) => ({ version: counts.get(id)!.version });
  const next = (id: string, version: string | undefined, count: number) => {
    if (version === undefined) return undefined;
    counts.set(id, { count, version });
    return String(count);
  };
  return {
    read(id) {
      const record = store.read(id);
      return record && { ...record, version: String(counts.get(id)!.count) };
    },
    create: (id, text, options) => next(id, store.create(id, text, options), 1),
    replace: (id, text, options) =>
      is(id, options.version)
        ? next(id, store.replace(id, text, { ...options, ...inner(id) }), +options.version + 1)
        : undefined,
    touch(id, options) {
      if (!is(id, options.version) || !store.touch(id, { ...options, ...inner(id) })) return false;
      return next(id, store.read(id)?.version, +options.version) !== undefined;
    },
    delete: (id, { version }) =>
      (version === undefined || is(id, version)) && store.delete(id, { signal }),
  };
}

/** A store whose versions are the texts themselves. */
function comparing(store: MemoryStore): Partial<VersionedStore> {
  const at = (id: string, version?: string) =>
    store.read(id)?.text === version ? atAny(store, id) : { version: "" };
  return {
    read: (id) => {
      const record = store.read(id);
      return record && { ...record, version: record.text };
    },
    create: (id, text, options) => store.create(id, text, options) && text,
    replace: (id, text, options) =>
      store.replace(id, text, { ...options, ...at(id, options.version) }) && text,
    touch: (id, options) => store.touch(id, { ...options, ...at(id, options.version) }),
    delete: (id, { version }) =>
      store.delete(id, version === undefined ? { signal } : { ...at(id, version), signal }),
  };
}

export const BROKEN_STORES: BrokenStore[] = [
  {
    name: "replace that inserts",
    breaks: (store) => ({
      replace: (id, text, options) =>
        store.replace(id, text, options) ??
          (store.read(id) ? undefined : store.create(id, text, options)),
    }),
    clause: "replace() never inserts",
    guarantee: "resurrected",
  },
  {
    name: "replace that ignores the version",
    breaks: (store) => ({
      replace: (id, text, options) => store.replace(id, text, { ...options, ...atAny(store, id) }),
    }),
    clause: "replace() changes nothing at another version",
    guarantee: "lost",
  },
  {
    name: "replace that keeps the version",
    breaks: (store) => {
      const versions = new Map<string, string>();
      const inner = (id: string, version = "") =>
        version === id ? { version: versions.get(id) ?? "" } : { version: "" };
      return {
        read: (id) => {
          const record = store.read(id);
          return record && { ...record, version: id };
        },
        create: (id, text, options) => {
          const version = store.create(id, text, options);
          if (version !== undefined) versions.set(id, version);
          return version && id;
        },
        replace: (id, text, options) => {
          const version = store.replace(id, text, { ...options, ...inner(id, options.version) });
          if (version !== undefined) versions.set(id, version);
          return version && id;
        },
        touch(id, options) {
          if (!store.touch(id, { ...options, ...inner(id, options.version) })) return false;
          versions.set(id, store.read(id)!.version);
          return true;
        },
        delete: (id, { version }) =>
          store.delete(id, version === undefined ? { signal } : { ...inner(id, version), signal }),
      };
    },
    clause: "a version is never used again: not for another text, not for the same",
    guarantee: "lost",
  },
  {
    name: "version that is the text",
    breaks: comparing,
    clause: "an old version does not match a record that has its old text again",
    guarantee: "lost",
  },
  {
    name: "version that counts from one after each create",
    breaks: counting,
    clause: "an old version does not match a record that was deleted and made again",
  },
  {
    name: "touch that inserts",
    breaks: (store) => ({
      touch: (id, options) =>
        store.touch(id, options) || store.create(id, options.text, options) !== undefined,
    }),
    clause: "touch() never inserts",
    guarantee: "resurrected",
  },
  {
    name: "touch that ignores the version",
    breaks: (store) => ({
      touch: (id, options) => store.touch(id, { ...options, ...atAny(store, id) }),
    }),
    clause: "touch() changes nothing at another version",
    guarantee: "undoneLogins",
  },
  {
    name: "touch that writes the text back",
    breaks: (store) => ({
      touch: (id, options) =>
        store.replace(id, options.text, { ...options, ...atAny(store, id) }) !== undefined,
    }),
    clause: "touch() changes nothing at another version",
    guarantee: "lost",
  },
  {
    name: "touch that always returns true",
    breaks: (store) => ({ touch: (id, options) => store.touch(id, options) || true }),
    clause: "touch() never inserts",
    guarantee: "lost",
  },
  {
    name: "create that overwrites",
    breaks: (store) => ({
      create(id, text, options) {
        store.delete(id);
        return store.create(id, text, options);
      },
    }),
    clause: "create() writes nothing where there is a record, and changes nothing",
  },
  {
    name: "delete that ignores the version",
    breaks: (store) => ({ delete: (id) => store.delete(id) }),
    clause: "delete() changes nothing at another version",
  },
  {
    name: "delete that always returns true",
    breaks: (store) => ({ delete: (id, options) => store.delete(id, options) || true }),
    clause: "delete() answers false where there is no record",
    guarantee: "resurrected",
  },
  {
    name: "delete that needs a version",
    breaks: (store) => ({
      delete: (id, options) => options.version !== undefined && store.delete(id, options),
    }),
    clause: "delete() without a version removes the record at any",
  },
  {
    name: "replace that first reads and then writes",
    breaks: (store) => ({
      async replace(id, text, options) {
        if (store.read(id)?.version !== options.version) return undefined;
        await pause();
        return store.replace(id, text, { ...options, ...atAny(store, id) });
      },
    }),
    clause: "of many replace() at once at one version exactly one writes",
  },
  {
    name: "create that first reads and then writes",
    breaks: (store) => ({
      async create(id, text, options) {
        if (store.read(id) !== undefined) return undefined;
        await pause();
        store.delete(id);
        return store.create(id, text, options);
      },
    }),
    clause: "of many create() at once on one id exactly one writes",
  },
  {
    name: "delete that first reads and then removes",
    breaks: (store) => ({
      async delete(id, { version }) {
        if (version !== undefined && store.read(id)?.version !== version) return false;
        await pause();
        return store.delete(id);
      },
    }),
    clause: "of a delete() and a replace() at one version exactly one wins",
  },
  {
    name: "touch that first reads and then writes the whole record",
    breaks: (store) => ({
      async touch(id, options) {
        if (store.read(id)?.version !== options.version) return false;
        await pause();
        return store.replace(id, options.text, { ...options, ...atAny(store, id) }) !== undefined;
      },
    }),
    clause: "a touch() beside a replace() loses nothing",
  },
  {
    name: "read from a replica that lags behind",
    breaks(store) {
      const seen = new Map<string, StoredRecord>();
      return {
        read(id) {
          const record = store.read(id);
          const before = seen.get(id);
          if (record !== undefined) seen.set(id, record);
          return before ?? record;
        },
      };
    },
    clause: "whoever calls after an answer sees its effect",
    guarantee: "wrongAnswers",
  },
];
