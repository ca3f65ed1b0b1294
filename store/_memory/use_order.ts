/** The records of a MemoryStore, in the order of their last use. */
import type { StoredRecord } from "../store.ts";

/** A record, and its neighbors in the order of use. */
export class MemoryRecord implements StoredRecord {
  readonly id: string;
  text: string;
  version: string;
  lastAccess: number;
  /** When the record expires, by the store's clock, in milliseconds. */
  expiresAt: number;
  older: MemoryRecord | undefined = undefined;
  newer: MemoryRecord | undefined = undefined;

  constructor(id: string, text: string, version: string, lastAccess: number, expiresAt: number) {
    this.id = id;
    this.text = text;
    this.version = version;
    this.lastAccess = lastAccess;
    this.expiresAt = expiresAt;
  }
}

/** A linked list of records. */
export class UseOrder {
  #size = 0;
  #oldest: MemoryRecord | undefined;
  #newest: MemoryRecord | undefined;
  /** The record that `next` returns. After the newest record it starts over. */
  #cursor: MemoryRecord | undefined;

  /** The number of records. */
  get size(): number {
    return this.#size;
  }

  /** The record that was used least recently. */
  get oldest(): MemoryRecord | undefined {
    return this.#oldest;
  }

  /** Returns another record with each call, until it has returned all of them. */
  next(): MemoryRecord | undefined {
    const record = this.#cursor ?? this.#oldest;
    this.#cursor = record?.newer;
    return record;
  }

  /** Adds a record as the one that was used last. */
  add(record: MemoryRecord): void {
    this.#size++;
    this.#append(record);
  }

  remove(record: MemoryRecord): void {
    this.#size--;
    this.#unlink(record);
  }

  markUsed(record: MemoryRecord): void {
    if (record === this.#newest) return;
    this.#unlink(record);
    this.#append(record);
  }

  clear(): void {
    this.#size = 0;
    this.#oldest = this.#newest = this.#cursor = undefined;
  }

  #append(record: MemoryRecord): void {
    record.older = this.#newest;
    record.newer = undefined;
    if (this.#newest === undefined) this.#oldest = record;
    else this.#newest.newer = record;
    this.#newest = record;
  }

  #unlink(record: MemoryRecord): void {
    const { older, newer } = record;
    if (record === this.#cursor) this.#cursor = newer;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
