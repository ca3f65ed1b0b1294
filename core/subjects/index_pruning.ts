/** Removes entries from the records of an index: those that nobody needs, and others for lack of room. */
import { mapConcurrently } from "../../base/concurrently.ts";
import type { Backend, SessionRecord } from "../backend/backend.ts";
import type { ResolvedOptions } from "../options.ts";
import { type IndexEntries, isSessionOf, without } from "./index_entries.ts";
import type { Index } from "./index_keys.ts";
import type { IndexContent, IndexEntry } from "./index_record.ts";

/** Ends a session, without removing it from the index. */
export type EndSession = (
  key: string,
  isMeant: (record: SessionRecord) => boolean,
) => Promise<unknown>;

/** Number of entries that are examined at a time. */
const EXAMINED = 4;

/** Prunes the records of all indexes. */
export class IndexPruning {
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  readonly #entries: IndexEntries;
  readonly #endSession: EndSession;

  constructor(
    backend: Backend,
    options: ResolvedOptions,
    entries: IndexEntries,
    endSession: EndSession,
  ) {
    this.#backend = backend;
    this.#options = options;
    this.#entries = entries;
    this.#endSession = endSession;
  }

  /**
   * Removes some entries that nobody needs: those of sessions that have ended, and all but the
   * newest of each session.
   */
  async prune(index: Index, content: IndexContent): Promise<IndexContent> {
    const pruned = this.#withoutOlder(content);
    const gone = new Set<IndexEntry>();
    const kept = new Map<IndexEntry, IndexEntry>();
    const examined: [entry: IndexEntry, sessionKey: string][] = [];
    const oldest = pruned.entries.filter((entry) => this.#entries.mayBeExpired(entry))
      .sort((a, b) => a.at - b.at);
    for (const entry of oldest) {
      const sessionKey = await this.#entries.unseal(index, entry);
      if (sessionKey !== undefined) examined.push([entry, sessionKey]);
      else if (this.#entries.isPast(entry)) gone.add(entry);
      if (examined.length === EXAMINED) break;
    }
    try {
      await mapConcurrently(examined, async ([entry, sessionKey]) => {
        const record = await this.#backend.read(sessionKey);
        if (record === undefined || !isSessionOf(index.subject, record)) gone.add(entry);
        else kept.set(entry, this.#entries.keep(entry, record));
      });
    } catch (cause) {
      this.#options.emit({
        type: "cleanup-failed",
        message: "A per-user session index could not be pruned; a later sign-in prunes it",
        cause,
      });
    }
    const left = without(pruned, (entry) => gone.has(entry));
    if (kept.size === 0) return left;
    return { ...left, entries: left.entries.map((entry) => kept.get(entry) ?? entry) };
  }

  /** The content without entries of a session that has a newer one. */
  #withoutOlder(content: IndexContent): IndexContent {
    const newest = new Map<string, IndexEntry>();
    for (const entry of content.entries) {
      const other = newest.get(entry.tag);
      if (other === undefined || other.at <= entry.at) newest.set(entry.tag, entry);
    }
    return without(content, (entry) => {
      // The request that has added it may still look for it.
      return newest.get(entry.tag) !== entry && !this.#entries.mayBeUnwritten(entry);
    });
  }

  /**
   * Makes room for one more entry in a record that is full. Removes the entries of all sessions that
   * have ended. If that is not enough, it ends those that were used longest ago.
   *
   * @param room The number of entries that the record may have.
   */
  async makeRoom(index: Index, content: IndexContent, room: number): Promise<IndexContent> {
    const isOurs = (record: SessionRecord) => isSessionOf(index.subject, record);
    const gone = new Set<IndexEntry>();
    const found = await mapConcurrently(content.entries, async (entry) => {
      const key = await this.#entries.unseal(index, entry);
      if (key === undefined) return undefined;
      const record = await this.#backend.read(key);
      if (record !== undefined && isOurs(record)) return { entry, ...record };
      if (!this.#entries.mayBeUnwritten(entry)) gone.add(entry);
      return undefined;
    });
    const tooMany = Math.max(0, content.entries.length - gone.size - room + 1);
    const oldest = found.filter((one) => one !== undefined)
      .sort((a, b) => a.lastAccess - b.lastAccess);
    for (const { entry, key } of oldest.slice(0, tooMany)) {
      await this.#endSession(key, isOurs);
      gone.add(entry);
      this.#options.emit({
        type: "subject-full",
        message:
          "A subject had more active sessions than its index can hold, so the session that was used " +
          "longest ago was ended. Look for a client that keeps signing in",
      });
    }
    return without(content, (entry) => gone.has(entry));
  }
}
