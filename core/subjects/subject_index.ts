/**
 * The index of a subject's sessions, in the same store as the sessions. Its root is one record,
 * whose key is a hash of the subject. It contains the sessions' keys encrypted, so that a dump of
 * the store does not tell whose sessions it holds.
 *
 * The root has room for the sessions of most users. If there are more, the root's level is raised,
 * and sessions are added to the shards of that level: 16 records at level 1, 256 at level 2. A hash
 * of a session's key says which shard is its own. Entries are never moved, so the records of all
 * levels up to the root's count.
 *
 * A session is added before its record is written, and confirmed once in an hour of its age when it
 * is used. So an entry that was not confirmed for a certain time is not an active session's, and an
 * index that was lost is complete again after that time. Its entry is removed when the session's
 * record has expired, because another server may have a longer `expire`.
 */
import { mapConcurrently } from "../../base/concurrently.ts";
import { findJson } from "../../base/record_header.ts";
import { decodeSession, SUBJECT_INDEX_PREFIX } from "../../base/record_text.ts";
import { sha256 } from "../../base/sha256.ts";
import { TextSeal } from "../../base/text_seal.ts";
import type { Backend, SessionRecord } from "../backend/backend.ts";
import { unixNow } from "../lookup.ts";
import type { ResolvedOptions } from "../options.ts";
import { type IndexContent, type IndexEntry, MAX_LEVEL } from "./index_record.ts";
import { type IndexPlace, IndexRecords, MAX_WRITE_SECONDS } from "./index_records.ts";

/** An entry, and the record that has it. */
export interface PlacedEntry extends IndexEntry {
  readonly place: IndexPlace;
}

/** How a session was added to the index. */
export interface Listing {
  /** The generation that the session belongs to. */
  readonly generation: string;
  readonly place: IndexPlace;
  /** The session's key, encrypted, as it is in its entry. */
  readonly sealed: string;
}

/** The index of one subject. */
interface Index {
  readonly subject: string;
  readonly root: IndexPlace;
}

/** The content with a new entry, and what identifies the entry if there was room for it. */
type Added = readonly [content: IndexContent, sealed: string | undefined];

/** Ends a session, without removing it from the index. */
type EndSession = (key: string, isMeant: (record: SessionRecord) => boolean) => Promise<unknown>;

/** A session that stays in use is confirmed once in this many seconds of its age. */
const CONFIRM_SECONDS = 3600;
/** Seconds for which a record is kept at least. */
const MIN_KEPT = 7 * 86_400;
/** Number of entries in a record from which on sessions are added at the next level. */
const ROOM = 16;
/**
 * Number of entries in a shard of the last level. The record fits into the 64 KiB of Deno KV, also
 * if a SealedStore encrypts it.
 */
const LAST_ROOM = 256;
/** Number of entries that a sign-in, or a session that is confirmed, examines. */
const EXAMINED = 4;
const TAG_DIGITS = 16;
/** The store keeps the record of a session that has expired for at most this many seconds. */
const MAX_REMAINS = 3600;

/** The indexes of all subjects. */
export class SubjectIndex {
  readonly #backend: Backend;
  readonly #options: ResolvedOptions;
  readonly #endSession: EndSession;
  readonly #records: IndexRecords;
  readonly #seal: TextSeal;
  /** Unseals only what the first secret has sealed. */
  readonly #firstSeal: TextSeal;
  /** Seconds for which a session can be active without being used. */
  readonly #idle: number;
  /** Seconds for which a session can be active without being confirmed. */
  readonly #maxActive: number;

  constructor(backend: Backend, options: ResolvedOptions, endSession: EndSession) {
    this.#backend = backend;
    this.#options = options;
    this.#endSession = endSession;
    this.#seal = new TextSeal(options.secrets);
    const [first, ...others] = options.secrets;
    this.#firstSeal = others.length === 0 ? this.#seal : new TextSeal([first!]);
    const { expire, touchInterval } = options;
    this.#idle = expire + touchInterval + MAX_WRITE_SECONDS;
    this.#maxActive = this.#idle + CONFIRM_SECONDS;
    this.#records = new IndexRecords(backend, options, Math.max(MIN_KEPT, 2 * this.#maxActive));
  }

  /** Adds a session. */
  async add(subject: string, sessionKey: string): Promise<Listing> {
    const index = await indexOf(subject);
    const tag = await tagOf(index, sessionKey);
    const addTo = (place: IndexPlace, content: IndexContent, isRetry: boolean) =>
      this.#addTo(index, place, content, { tag, sessionKey, isRetry });
    for (let lowest = 0;; lowest++) {
      const { root } = index;
      const { generation, level, sealed } = await this.#records.change(
        root,
        async (before, isRetry) => {
          const { generation } = before;
          let [content, sealed]: Added = [before, undefined];
          let level = Math.max(before.level, lowest);
          if (level === 0) [content, sealed] = await addTo(root, before, isRetry);
          else if (!isRetry) content = await this.#prune(index, before);
          if (sealed === undefined) level = Math.max(level, 1);
          const next = level === content.level ? content : { ...content, level };
          return [next, { generation, level, sealed }];
        },
      );
      if (sealed !== undefined) return { generation, place: root, sealed };
      const shard = await shardOf(index, level, tag);
      const sealedInShard = await this.#records.change(
        shard,
        (content, isRetry) => addTo(shard, content, isRetry),
      );
      if (sealedInShard !== undefined) return { generation, place: shard, sealed: sealedInShard };
      // The shard has no room, but the one of the next level has.
      lowest = level;
    }
  }

  /**
   * Adds an entry to the content of a record if it has room.
   *
   * Each attempt makes an entry of its own. An entry that somebody has removed must not count as
   * that of a later attempt.
   */
  async #addTo(
    index: Index,
    place: IndexPlace,
    content: IndexContent,
    { tag, sessionKey, isRetry }: { tag: string; sessionKey: string; isRetry: boolean },
  ): Promise<Added> {
    // Other requests come first. To examine entries again would give them even more time.
    let pruned = isRetry ? content : await this.#prune(index, content);
    if (place.level < MAX_LEVEL) {
      if (pruned.entries.length >= ROOM) return [pruned, undefined];
    } else if (pruned.entries.length >= LAST_ROOM) {
      pruned = await this.#makeRoom(index, pruned);
    }
    const sealed = await this.#seal.seal(sealContext(index), sessionKey);
    const entry = { tag, sealed, at: this.#now() };
    return [{ ...pruned, entries: [...pruned.entries, entry] }, sealed];
  }

  /**
   * Makes sure that a session that was added and then written is listed. False if somebody has ended
   * all of the subject's sessions in the meantime.
   */
  async isListed(subject: string, sessionKey: string, listing: Listing): Promise<boolean> {
    const { root } = await indexOf(subject);
    const { generation, place, sealed } = listing;
    const [first, shard] = await Promise.all([
      this.#records.read(root),
      place.level > 0 ? this.#records.read(place) : undefined,
    ]);
    if (first?.generation !== generation) return false;
    const entries = (place.level > 0 ? shard : first)?.entries;
    if (entries?.some((entry) => entry.sealed === sealed)) return true;
    // A server whose clock is ahead may have removed it as the entry of a session that has ended.
    await this.add(subject, sessionKey);
    return (await this.#records.read(root))?.generation === generation;
  }

  /** Whether a session that is used now has to be confirmed. */
  isConfirmDue({ created, lastAccess }: { created: number; lastAccess: number }): boolean {
    // In the future, if another server's clock is wrong: that server has confirmed it.
    return lastAccess <= this.#now() &&
      Math.floor((this.#now() - created) / CONFIRM_SECONDS) !==
        Math.floor((lastAccess - created) / CONFIRM_SECONDS);
  }

  /** Makes sure that a session in use is listed for as long as it may be active. */
  async confirm(subject: string, sessionKey: string): Promise<void> {
    const index = await indexOf(subject);
    const tag = await tagOf(index, sessionKey);
    const confirmIn = (place: IndexPlace) =>
      this.#records.change(place, async (before, isRetry) => {
        const content = isRetry ? before : await this.#prune(index, before);
        const [entries, isFound] = await this.#confirmed(index, content.entries, tag, sessionKey);
        const isSame = entries === content.entries;
        return [isSame ? content : { ...content, entries }, { isFound, level: content.level }];
      });
    const { isFound, level } = await confirmIn(index.root);
    if (isFound) return;
    for (const place of await this.#shardsOf(index, level, tag)) {
      if ((await confirmIn(place)).isFound) return;
    }
    await this.add(subject, sessionKey);
  }

  /** The entries, with a session's confirmed. */
  async #confirmed(
    index: Index,
    entries: readonly IndexEntry[],
    tag: string,
    sessionKey: string,
  ): Promise<readonly [entries: readonly IndexEntry[], isFound: boolean]> {
    const own = entries.findLast((entry) => entry.tag === tag);
    if (own === undefined) return [entries, false];
    const context = sealContext(index);
    // Under another secret, the list could not be read once this server's first secret is the only
    // one.
    const isReadable = await this.#firstSeal.unseal(context, own.sealed) === sessionKey;
    const now = this.#now();
    if (isReadable && own.at >= now) return [entries, true];
    const sealed = isReadable ? own.sealed : await this.#seal.seal(context, sessionKey);
    const at = Math.max(own.at, now);
    return [entries.map((entry) => entry === own ? { tag, sealed, at } : entry), true];
  }

  /** The entries of one session. */
  async find(subject: string, sessionKey: string): Promise<readonly PlacedEntry[]> {
    const index = await indexOf(subject);
    const tag = await tagOf(index, sessionKey);
    const root = await this.#records.read(index.root);
    if (root === undefined) return [];
    const shards = await this.#entriesIn(await this.#shardsOf(index, root.level, tag));
    return [...placed(index.root, root), ...shards].filter((entry) => entry.tag === tag);
  }

  /** Removes all entries of a session that has ended. */
  async removeSession(subject: string, sessionKey: string): Promise<void> {
    const index = await indexOf(subject);
    const tag = await tagOf(index, sessionKey);
    const removeFrom = (place: IndexPlace) =>
      this.#records.change(
        place,
        (content) => [without(content, (entry) => entry.tag === tag), content.level],
      );
    const level = await removeFrom(index.root);
    const shards = await this.#shardsOf(index, level, tag);
    await Promise.all(shards.map(removeFrom));
  }

  /** Removes these entries. */
  async remove(entries: readonly PlacedEntry[]): Promise<void> {
    const gone = new Set(entries.map(({ sealed }) => sealed));
    const places = new Map(entries.map(({ place }) => [place.key, place]));
    await mapConcurrently([...places.values()], (place) =>
      this.#records.change(
        place,
        (content) => [without(content, ({ sealed }) => gone.has(sealed)), undefined],
      ));
  }

  /** The entries of sessions that may be active. */
  async list(subject: string): Promise<readonly PlacedEntry[]> {
    const index = await indexOf(subject);
    const root = await this.#records.read(index.root);
    return root === undefined ? [] : await this.#allEntries(index, root);
  }

  /**
   * Begins another generation: a session that was added before and is not written yet will be
   * refused. Resolves to the entries so far. They stay, so that a failed `destroyAll` can be called
   * again.
   */
  async bumpGeneration(subject: string): Promise<readonly PlacedEntry[]> {
    const index = await indexOf(subject);
    const root = await this.#records.change(index.root, (content) => {
      const next = { ...content, generation: crypto.randomUUID() };
      return [next, next];
    });
    return await this.#allEntries(index, root);
  }

  async #allEntries(index: Index, root: IndexContent): Promise<readonly PlacedEntry[]> {
    const places: IndexPlace[] = [];
    for (let level = 1; level <= root.level; level++) {
      for (let at = 0; at < 16 ** level; at++) {
        places.push(await shardAt(index, level, at.toString(16).padStart(level, "0")));
      }
    }
    return [...placed(index.root, root), ...await this.#entriesIn(places)];
  }

  async #entriesIn(places: readonly IndexPlace[]): Promise<readonly PlacedEntry[]> {
    const found = await mapConcurrently(places, async (place) => {
      const content = await this.#records.read(place);
      return content === undefined ? [] : placed(place, content);
    });
    return found.flat();
  }

  /** The shards that may have entries of a session, the most likely one first. */
  async #shardsOf(index: Index, level: number, tag: string): Promise<IndexPlace[]> {
    const places: IndexPlace[] = [];
    for (let one = level; one > 0; one--) places.push(await shardOf(index, one, tag));
    return places;
  }

  /**
   * Removes some entries that nobody needs: those of sessions that have ended, and all but the
   * newest of each session.
   */
  async #prune(index: Index, content: IndexContent): Promise<IndexContent> {
    const entries = this.#withoutOlder(content.entries);
    const examined: [entry: IndexEntry, sessionKey: string][] = [];
    const oldest = entries.filter(({ at }) => this.#now() - at > this.#idle)
      .sort((a, b) => a.at - b.at);
    const gone = new Set<IndexEntry>();
    for (const entry of oldest) {
      const sessionKey = await this.#unseal(index, entry);
      if (sessionKey !== undefined) examined.push([entry, sessionKey]);
      else if (this.isPast(entry)) gone.add(entry);
      if (examined.length === EXAMINED) break;
    }
    const confirmed = new Map<IndexEntry, IndexEntry>();
    try {
      await mapConcurrently(examined, async ([entry, sessionKey]) => {
        const record = await this.#backend.read(sessionKey);
        if (record === undefined || !isSessionOf(index.subject, record)) gone.add(entry);
        else confirmed.set(entry, { ...entry, at: this.#usedAt(record) });
      });
    } catch (cause) {
      this.#options.emit({
        type: "cleanup-failed",
        message: "A per-user session index could not be pruned; a later sign-in prunes it",
        cause,
      });
    }
    if (entries.length === content.entries.length && gone.size + confirmed.size === 0) {
      return content;
    }
    const left = entries.filter((entry) => !gone.has(entry));
    return { ...content, entries: left.map((entry) => confirmed.get(entry) ?? entry) };
  }

  /**
   * The time for the entry of a session. A session that has expired here may still be active on a
   * server with a longer `expire`. It is examined again when the store will have removed its record
   * if it is not.
   */
  #usedAt({ lastAccess }: SessionRecord): number {
    const now = this.#now();
    const isActive = now - lastAccess <= this.#idle;
    return isActive ? now : now - this.#idle + Math.min(this.#options.expire, MAX_REMAINS);
  }

  /** The entries without those of a session that has a newer one. */
  #withoutOlder(entries: readonly IndexEntry[]): readonly IndexEntry[] {
    const newest = new Map<string, IndexEntry>();
    for (const entry of entries) {
      const other = newest.get(entry.tag);
      if (other === undefined || other.at <= entry.at) newest.set(entry.tag, entry);
    }
    return entries.filter((entry) => {
      // The request that has added it still looks for it.
      return newest.get(entry.tag) === entry || this.mayBeUnwritten(entry);
    });
  }

  /** Ends the sessions that were used longest ago, so that a shard of the last level has room. */
  async #makeRoom(index: Index, content: IndexContent): Promise<IndexContent> {
    const isOurs = (record: SessionRecord) => isSessionOf(index.subject, record);
    const found = await mapConcurrently(content.entries, async (entry) => {
      const key = await this.#unseal(index, entry);
      const record = key === undefined ? undefined : await this.#backend.read(key);
      return { entry, key, record: record && isOurs(record) ? record : undefined };
    });
    const gone = new Set<IndexEntry>();
    for (const { entry, key, record } of found) {
      const isGone = key !== undefined && record === undefined;
      if (isGone && !this.mayBeUnwritten(entry)) gone.add(entry);
    }
    const tooMany = content.entries.length - gone.size - LAST_ROOM + 1;
    const ended = found.filter(({ record }) => record !== undefined)
      .sort((a, b) => a.record!.lastAccess - b.record!.lastAccess)
      .slice(0, Math.max(0, tooMany));
    for (const { entry, record } of ended) {
      await this.#endSession(record!.key, isOurs);
      gone.add(entry);
    }
    if (ended.length > 0) {
      this.#options.emit({
        type: "subject-full",
        message:
          "A subject had more active sessions than its index can hold, so the session that was used " +
          "longest ago was ended. Look for a client that keeps signing in",
      });
    }
    return without(content, (entry) => gone.has(entry));
  }

  /** Whether the entry's session may not have been written yet. */
  mayBeUnwritten({ at }: IndexEntry): boolean {
    return this.#now() - at <= MAX_WRITE_SECONDS;
  }

  /** Whether the entry's session can only be active if there is a newer entry for it. */
  isPast({ at }: IndexEntry): boolean {
    return this.#now() - at > this.#maxActive;
  }

  /** The session's key in an entry; `undefined` if it was not encrypted under one of the secrets. */
  async unseal(subject: string, { sealed }: IndexEntry): Promise<string | undefined> {
    return await this.#unseal(await indexOf(subject), { sealed });
  }

  async #unseal(index: Index, { sealed }: Pick<IndexEntry, "sealed">): Promise<string | undefined> {
    return await this.#seal.unseal(sealContext(index), sealed);
  }

  #now(): number {
    return unixNow(this.#options);
  }
}

/** Whether the record is a session of this subject. */
export function isSessionOf(subject: string, { text }: SessionRecord): boolean {
  return decodeSession(text.slice(findJson(text)))?._subject === subject;
}

/**
 * The key of the root of a subject's index. It does not depend on the secret, so that servers with
 * different secrets find the same record and notice the mistake.
 */
export function indexKeyOf(subject: string): Promise<string> {
  return sha256(`@pagi/session subject ${subject}`);
}

async function indexOf(subject: string): Promise<Index> {
  return { subject, root: { key: await indexKeyOf(subject), level: 0 } };
}

/**
 * The shard of a level that a session is added to. The tag says so, because it is evenly
 * distributed, whatever `generateId` returns.
 */
function shardOf(index: Index, level: number, tag: string): Promise<IndexPlace> {
  return shardAt(index, level, tag.slice(0, level));
}

async function shardAt({ root }: Index, level: number, digits: string): Promise<IndexPlace> {
  return { key: await sha256(`@pagi/session shard ${root.key} ${digits}`), level };
}

async function tagOf({ root }: Index, sessionKey: string): Promise<string> {
  return (await sha256(`@pagi/session entry ${root.key} ${sessionKey}`)).slice(0, TAG_DIGITS);
}

function placed(place: IndexPlace, { entries }: IndexContent): PlacedEntry[] {
  return entries.map((entry) => ({ ...entry, place }));
}

/** The content without the entries that are meant. Without such entries, the same object. */
function without(content: IndexContent, isMeant: (entry: IndexEntry) => boolean): IndexContent {
  const entries = content.entries.filter((entry) => !isMeant(entry));
  return entries.length === content.entries.length ? content : { ...content, entries };
}

/**
 * Differs from the record's key, because a SealedStore may encrypt the record under the same
 * secret.
 */
function sealContext({ root }: Index): string {
  return SUBJECT_INDEX_PREFIX + root.key;
}
