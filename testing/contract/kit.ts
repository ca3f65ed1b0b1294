/** What the cases of the store contract are written with. */
import { toHex } from "../../base/hex.ts";
import type { Awaitable, StoredRecord, VersionedStore } from "../../store/store.ts";

/** One clause of the contract. */
export interface Clause {
  /** The clause, in plain words. */
  name: string;
  /** Whether time has to pass. */
  expires?: true;
  /** Throws where the store does not keep it. */
  check(records: Records): Promise<void>;
}

/** How a record is written; what a case does not say is filled in. */
interface Written {
  lastAccess?: number;
  ttl?: number;
}

const LAST_ACCESS = 1_700_000_000;
const TTL = 3600;
const ID_BYTES = 32;

/** The store, with its options filled in: a case says only what it is about. */
export class Records {
  readonly store: VersionedStore;
  /** Lets seconds pass. */
  readonly pass: (seconds: number) => Awaitable<void>;
  readonly #signal = new AbortController().signal;

  constructor(store: VersionedStore, pass: (seconds: number) => Awaitable<void>) {
    this.store = store;
    this.pass = pass;
  }

  async read(id: string): Promise<StoredRecord | undefined> {
    return await this.store.read(id, { signal: this.#signal }) ?? undefined;
  }

  async create(id: string, text: string, written: Written = {}): Promise<string | undefined> {
    return await this.store.create(id, text, this.#fill(written)) ?? undefined;
  }

  async replace(
    id: string,
    text: string,
    written: Written & { version: string },
  ): Promise<string | undefined> {
    const { version } = written;
    return await this.store.replace(id, text, { ...this.#fill(written), version }) ?? undefined;
  }

  /** `text` is what the record has at the version, as far as the caller knows. */
  async touch(id: string, written: Written & { version: string; text: string }): Promise<boolean> {
    const { version, text } = written;
    return await this.store.touch(id, { ...this.#fill(written), version, text });
  }

  async delete(id: string, version?: string): Promise<boolean> {
    return await this.store.delete(id, { version, signal: this.#signal });
  }

  /** Makes a record; its version. */
  async make(id: string, text = "{}", written: Written = {}): Promise<string> {
    const version = await this.create(id, text, written);
    check(version !== undefined, "create() wrote nothing, though there was no record");
    check(typeof version === "string", `create() answered with a ${typeof version}, no version`);
    return version;
  }

  /** Finds a record; throws where there is none. */
  async find(id: string): Promise<StoredRecord> {
    const record = await this.read(id);
    check(record !== undefined, "read() finds no record, though there must be one");
    return record;
  }

  /** Demands that the record has this text and this version, and no other. */
  async expect(id: string, text: string, version: string): Promise<void> {
    const record = await this.find(id);
    check(record.text === text, "the record has another text than it must have");
    check(record.version === version, "the record has another version than it must have");
  }

  /** Demands that there is no record. */
  async expectNone(id: string): Promise<void> {
    check(await this.read(id) === undefined, "read() finds a record, though there must be none");
  }

  #fill({ lastAccess = LAST_ACCESS, ttl = TTL }: Written) {
    return { lastAccess, ttl, signal: this.#signal };
  }
}

/** Throws unless `holds`; `otherwise` says in plain words what is wrong. */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** An id that no other case has: the server may be shared. */
export function newId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}
