/**
 * The index of a subject's sessions: one record for each subject, in the same store as the
 * sessions. Its key is a hash of the subject. It contains the sessions' keys encrypted, so that a
 * dump of the store does not tell whose sessions it holds.
 *
 * A session is added before its record is written, and again when it is used in another hour of its
 * age. So a session that was added more than an hour and `expire` ago is not active, and an index
 * that was lost is complete again after that time. Entries are kept longer, for servers with a
 * longer `expire`.
 */
import type { Awaitable } from "../../base/awaitable.ts";
import { KeyedQueue } from "../../base/keyed_queue.ts";
import { MAX_CLOCK_SKEW } from "../../base/limits.ts";
import { findJson } from "../../base/record_header.ts";
import { decodeSession, isSubjectIndex, SUBJECT_INDEX_PREFIX } from "../../base/record_text.ts";
import { sha256 } from "../../base/sha256.ts";
import { TextSeal } from "../../base/text_seal.ts";
import type { Backend, SessionRecord } from "../backend/backend.ts";
import { unixNow } from "../lookup.ts";
import type { ResolvedOptions } from "../options.ts";
import { retry } from "../race_errors.ts";

/** A session in the index. */
export interface IndexEntry {
  /** Its key, encrypted. */
  sealed: string;
  /** When it was added, in Unix seconds. */
  at: number;
}

/** How a session was added to the index. */
export interface Listing {
  /** The generation that the session belongs to. */
  generation: string;
  /** The session's key, encrypted, as it is in its entry. */
  sealed: string;
  /** Whether the index has so many entries that it should be pruned. */
  isPruningDue: boolean;
}

/** The content of a subject's record. */
interface IndexContent {
  /** A new value each time that all sessions of the subject are ended. */
  generation: string;
  entries: readonly IndexEntry[];
}

/** A session that stays in use is added again once in this many seconds of its age. */
const ADD_AGAIN_SECONDS = 3600;
/** Seconds that a server may take to write a session after it has listed it, by another's clock. */
const MAX_WRITE_SECONDS = 60 + MAX_CLOCK_SKEW;
/** Seconds for which an entry is kept at least. */
const MIN_KEPT = 7 * 86_400;
/** Number of entries at which the index is pruned; the next pruning is due at twice as many. */
const PRUNE_FROM = 16;

/** The indexes of all subjects, each under its key. */
export class SubjectIndex {
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  readonly #seal: TextSeal;
  readonly #queue: KeyedQueue;
  /** Seconds for which a session can be active without being added again. */
  readonly #maxActive: number;
  /** Seconds for which an entry is kept. */
  readonly #kept: number;

  constructor(backend: Backend, options: ResolvedOptions) {
    this.#backend = backend;
    this.#options = options;
    this.#seal = new TextSeal(options.secrets);
    this.#queue = new KeyedQueue(options.storeTimeout);
    const { expire, touchInterval } = options;
    this.#maxActive = expire + touchInterval + ADD_AGAIN_SECONDS + MAX_WRITE_SECONDS;
    this.#kept = Math.max(MIN_KEPT, 2 * this.#maxActive);
  }

  /** Whether a session that is used now has to be added again. */
  isAddDue({ created, lastAccess }: { created: number; lastAccess: number }): boolean {
    // In the future, if another server's clock is wrong: that server has added it.
    return lastAccess <= this.#now() &&
      Math.floor((this.#now() - created) / ADD_AGAIN_SECONDS) !==
        Math.floor((lastAccess - created) / ADD_AGAIN_SECONDS);
  }

  /** Adds a session. */
  async add(key: string, sessionKey: string): Promise<Listing> {
    // Each attempt makes an entry of its own. An entry that somebody has removed must not count as
    // that of a later attempt.
    const { generation, entries } = await this.#change(key, async ({ generation, entries }) => {
      const sealed = await this.#seal.seal(sealContext(key), sessionKey);
      return { generation, entries: [...entries, { sealed, at: this.#now() }] };
    });
    const { length } = entries;
    const isPruningDue = length >= PRUNE_FROM && Number.isInteger(Math.log2(length));
    return { generation, sealed: entries.at(-1)!.sealed, isPruningDue };
  }

  /**
   * Makes sure that a session that was added and then written is listed. False if somebody has ended
   * all of the subject's sessions in the meantime.
   */
  async isListed(key: string, sessionKey: string, listing: Listing): Promise<boolean> {
    const record = await this.#backend.read(key);
    const content = record && parse(record.text);
    if (content?.generation !== listing.generation) return false;
    // A server whose clock is ahead may have removed it as the entry of a session that has ended.
    return content.entries.some(({ sealed }) => sealed === listing.sealed) ||
      (await this.add(key, sessionKey)).generation === listing.generation;
  }

  /** The entries of sessions that may be active. */
  async list(key: string): Promise<readonly IndexEntry[]> {
    return this.#contentOf(await this.#backend.read(key)).entries;
  }

  /**
   * Begins another generation: a session that was added before and is not written yet will be
   * refused. Resolves to the entries so far. They stay, so that a failed `destroyAll` can be called
   * again.
   */
  async bumpGeneration(key: string): Promise<readonly IndexEntry[]> {
    const bump = ({ entries }: IndexContent) => ({ generation: crypto.randomUUID(), entries });
    return (await this.#change(key, bump)).entries;
  }

  /** Removes entries of sessions that have ended. */
  async remove(key: string, ended: readonly IndexEntry[]): Promise<void> {
    const gone = new Set(ended.map(({ sealed }) => sealed));
    await this.#change(key, ({ generation, entries }) => ({
      generation,
      entries: entries.filter(({ sealed }) => !gone.has(sealed)),
    }));
  }

  /**
   * Removes the entries of sessions that have ended, and all but the newest entry of each session.
   */
  async prune(key: string, subject: string): Promise<void> {
    const seen = new Set<string>();
    const ended: IndexEntry[] = [];
    for (const entry of (await this.list(key)).toReversed()) {
      if (this.#mayBeUnwritten(entry)) continue;
      const sessionKey = await this.unseal(key, entry);
      if (sessionKey === undefined && !this.isPast(entry)) continue;
      const record = sessionKey === undefined ? undefined : await this.#backend.read(sessionKey);
      const isActive = record !== undefined && isSessionOf(subject, record);
      if (isActive && !seen.has(record.key)) seen.add(record.key);
      else ended.push(entry);
    }
    await this.remove(key, ended);
  }

  /** Whether the entry's session may not have been written yet. */
  #mayBeUnwritten({ at }: IndexEntry): boolean {
    return this.#now() - at <= MAX_WRITE_SECONDS;
  }

  /** Whether the entry's session can only be active if there is a newer entry for it. */
  isPast({ at }: IndexEntry): boolean {
    return this.#now() - at > this.#maxActive;
  }

  /** The session's key in an entry; `undefined` if it was not encrypted under one of the secrets. */
  async unseal(key: string, { sealed }: IndexEntry): Promise<string | undefined> {
    return await this.#seal.unseal(sealContext(key), sealed);
  }

  #now(): number {
    return unixNow(this.#options);
  }

  /** Reads, changes and writes the index until no other write comes between. */
  async #change(
    key: string,
    change: (content: IndexContent) => Awaitable<IndexContent>,
  ): Promise<IndexContent> {
    return await this.#queue.run(key, () =>
      retry(async () => {
        const record = await this.#backend.read(key);
        const next = await change(this.#contentOf(record));
        return await this.#write(key, record, next) ? next : undefined;
      }));
  }

  async #write(
    key: string,
    record: SessionRecord | undefined,
    content: IndexContent,
  ): Promise<boolean> {
    const { generation: epoch, entries } = content;
    const text = SUBJECT_INDEX_PREFIX + JSON.stringify({ epoch, entries });
    const expiry = { lastAccess: this.#now(), ttl: this.#kept };
    const written = record === undefined
      ? await this.#backend.create(key, text, expiry)
      : await this.#backend.replace(record, text, expiry);
    return written !== undefined;
  }

  /** The content of the record, without the entries that are too old. */
  #contentOf(record: SessionRecord | undefined): IndexContent {
    if (record === undefined) return { generation: crypto.randomUUID(), entries: [] };
    const now = this.#now();
    const content = parse(record.text);
    if (content === undefined) {
      this.#options.emit({
        type: "record-corrupt",
        message: "The store gave back what is no list of a subject's sessions; it is begun anew",
      });
      // An entry that cannot be decrypted: until all sessions are added again, the list is
      // incomplete.
      return { generation: crypto.randomUUID(), entries: [{ sealed: "", at: now }] };
    }
    return { ...content, entries: content.entries.filter(({ at }) => now - at <= this.#kept) };
  }
}

/** Whether the record is a session of this subject. */
export function isSessionOf(subject: string, { text }: SessionRecord): boolean {
  return decodeSession(text.slice(findJson(text)))?._subject === subject;
}

function parse(text: string): IndexContent | undefined {
  if (!isSubjectIndex(text)) return undefined;
  try {
    const { epoch, entries } = JSON.parse(text.slice(SUBJECT_INDEX_PREFIX.length));
    return Array.isArray(entries) ? { generation: epoch, entries } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The key of a subject's index. It does not depend on the secret, so that servers with different
 * secrets find the same record and notice the mistake.
 */
export function indexKeyOf(subject: string): Promise<string> {
  return sha256(`@pagi/session subject ${subject}`);
}

/**
 * Differs from the record's key, because a SealedStore may encrypt the record under the same
 * secret.
 */
function sealContext(key: string): string {
  return SUBJECT_INDEX_PREFIX + key;
}
