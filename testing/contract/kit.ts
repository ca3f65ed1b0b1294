/** The tools with which the cases of the store contract are written. */
import { toHex } from "../../base/hex.ts";
import type { Awaitable, StoredRecord, VersionedStore } from "../../store/store.ts";

/** One rule of the contract. */
export interface Clause {
  /** The rule in words. */
  name: string;
  /** True if the case needs time to pass. */
  expires?: true;
  /** Throws if the store breaks the rule. */
  check(records: Records): Promise<void>;
}

/** Options of a write; {@linkcode Records} fills in those that a case leaves out. */
interface WriteTimes {
  lastAccess?: number;
  ttl?: number;
}

const LAST_ACCESS = 1_700_000_000;
const TTL = 3600;
/** The hex digits of a session's key, which is the `id` in the calls. */
export const KEY_DIGITS = 32;

/**
 * The store, with defaults for the options of its calls: a case names only those that it is about.
 */
export class Records {
  readonly store: VersionedStore;
  /** Lets this many seconds pass for the store. */
  readonly pass: (seconds: number) => Awaitable<void>;
  readonly #signal = new AbortController().signal;

  constructor(store: VersionedStore, pass: (seconds: number) => Awaitable<void>) {
    this.store = store;
    this.pass = pass;
  }

  async read(id: string): Promise<StoredRecord | undefined> {
    return await this.store.read(id, { signal: this.#signal }) ?? undefined;
  }

  async create(id: string, text: string, times: WriteTimes = {}): Promise<string | undefined> {
    return await this.store.create(id, text, this.#fill(times)) ?? undefined;
  }

  async replace(
    id: string,
    text: string,
    times: WriteTimes & { version: string },
  ): Promise<string | undefined> {
    const { version } = times;
    return await this.store.replace(id, text, { ...this.#fill(times), version }) ?? undefined;
  }

  /** `text` is the text that the caller has read at this version. */
  async touch(id: string, times: WriteTimes & { version: string; text: string }): Promise<boolean> {
    const { version, text } = times;
    return await this.store.touch(id, { ...this.#fill(times), version, text });
  }

  async delete(id: string, version?: string): Promise<boolean> {
    return await this.store.delete(id, { version, signal: this.#signal });
  }

  /** Creates a record and returns its version; throws if the store refuses. */
  async make(id: string, text = "{}", times: WriteTimes = {}): Promise<string> {
    const version = await this.create(id, text, times);
    check(version !== undefined, "create() wrote nothing, though there was no record");
    check(typeof version === "string", `create() answered with a ${typeof version}, no version`);
    return version;
  }

  /** Reads a record; throws if it does not exist. */
  async find(id: string): Promise<StoredRecord> {
    const record = await this.read(id);
    check(record !== undefined, "read() finds no record, though there must be one");
    return record;
  }

  /** Throws unless the record has exactly this text and this version. */
  async expect(id: string, text: string, version: string): Promise<void> {
    const record = await this.find(id);
    check(record.text === text, "the record has another text than it must have");
    check(record.version === version, "the record has another version than it must have");
  }

  /** Throws if there is a record. */
  async expectNone(id: string): Promise<void> {
    check(await this.read(id) === undefined, "read() finds a record, though there must be none");
  }

  #fill({ lastAccess = LAST_ACCESS, ttl = TTL }: WriteTimes) {
    return { lastAccess, ttl, signal: this.#signal };
  }
}

/** Throws unless `holds`; `otherwise` is the message. */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** The key of a new session. It is random, because the store may hold other data. */
export function newId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(KEY_DIGITS / 2)));
}

/** A whole session ID, as a client sends it: 64 hex digits that end with the key. */
export function newPresented(): string {
  return newId() + newId();
}
