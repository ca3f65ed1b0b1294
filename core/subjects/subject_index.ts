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
 * A session is added before its record is written. When it is used, it is confirmed once in an hour
 * of its age, or in `expire` if that is shorter. So an entry that was not confirmed for a certain
 * time is not an active session's, and an index that was lost is complete again after that time. Its
 * entry is removed when the session's record has expired, because another server may have a longer
 * `expire`.
 */
import { mapConcurrently } from "../../base/concurrently.ts";
import type { Backend } from "../backend/backend.ts";
import type { ResolvedOptions } from "../options.ts";
import { IndexEntries, without } from "./index_entries.ts";
import {
  allShards,
  type Index,
  indexOf,
  type IndexPlace,
  shardOf,
  shardsOf,
  tagOf,
} from "./index_keys.ts";
import { type EndSession, IndexPruning } from "./index_pruning.ts";
import { type IndexContent, type IndexEntry, MAX_LEVEL, withIdle } from "./index_record.ts";
import { IndexRecords } from "./index_records.ts";

export { indexKeyOf } from "./index_keys.ts";

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

/** The content with a new entry, and what identifies the entry if there was room for it. */
type Added = readonly [content: IndexContent, sealed: string | undefined];

/** Number of entries in a record from which on sessions are added at the next level. */
const ROOM = 16;
/**
 * Number of entries in a shard of the last level. The record fits into the 64 KiB of Deno KV, also
 * if a SealedStore encrypts it.
 */
const LAST_ROOM = 256;

/** The indexes of all subjects. */
export class SubjectIndex {
  /** The rules of the entries. */
  readonly entries: IndexEntries;
  readonly #records: IndexRecords;
  readonly #pruning: IndexPruning;

  constructor(backend: Backend, options: ResolvedOptions, endSession: EndSession) {
    this.entries = new IndexEntries(options);
    this.#records = new IndexRecords(backend, options, (content) => this.entries.keptFor(content));
    this.#pruning = new IndexPruning(backend, options, this.entries, endSession);
  }

  /**
   * Adds a session.
   *
   * @param idle Seconds for which the session can be idle, if it has a lifetime of its own.
   */
  async add(subject: string, sessionKey: string, idle?: number): Promise<Listing> {
    const index = await indexOf(subject);
    const tag = await tagOf(index, sessionKey);
    const addTo = (place: IndexPlace, content: IndexContent, isRetry: boolean) =>
      this.#addTo(index, place, withIdle(content, idle), { tag, idle, sessionKey, isRetry });
    for (let lowest = 0;; lowest++) {
      const { root } = index;
      const { generation, level, sealed } = await this.#records.change(
        root,
        async (before, isRetry) => {
          const { generation } = before;
          let [content, sealed]: Added = [before, undefined];
          let level = Math.max(before.level, lowest);
          if (level === 0) [content, sealed] = await addTo(root, before, isRetry);
          else if (!isRetry) content = await this.#pruning.prune(index, before);
          if (sealed === undefined) level = Math.max(level, 1);
          const next = level === content.level ? content : { ...content, level };
          return [withIdle(next, idle), { generation, level, sealed }];
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
    { sessionKey, isRetry, ...session }: Pick<IndexEntry, "tag" | "idle"> & {
      sessionKey: string;
      isRetry: boolean;
    },
  ): Promise<Added> {
    // Other requests come first. To examine entries again would give them even more time.
    let pruned = isRetry ? content : await this.#pruning.prune(index, content);
    if (place.level < MAX_LEVEL) {
      if (pruned.entries.length >= ROOM) return [pruned, undefined];
    } else if (pruned.entries.length >= LAST_ROOM) {
      pruned = await this.#pruning.makeRoom(index, pruned, LAST_ROOM);
    }
    const entry = await this.entries.make(index, session, sessionKey);
    return [{ ...pruned, entries: [...pruned.entries, entry] }, entry.sealed];
  }

  /**
   * Makes sure that a session that was added and then written is listed. False if somebody has ended
   * all of the subject's sessions in the meantime.
   */
  async isListed(
    subject: string,
    sessionKey: string,
    listing: Listing,
    idle?: number,
  ): Promise<boolean> {
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
    await this.add(subject, sessionKey, idle);
    return (await this.#records.read(root))?.generation === generation;
  }

  /** Makes sure that a session in use is listed for as long as it may be active. */
  async confirm(subject: string, sessionKey: string, idle?: number): Promise<void> {
    const index = await indexOf(subject);
    const tag = await tagOf(index, sessionKey);
    const confirmIn = (place: IndexPlace) =>
      this.#records.change(place, async (content, isRetry) => {
        const known = withIdle(content, idle);
        const pruned = isRetry ? known : await this.#pruning.prune(index, known);
        const { level, entries } = pruned;
        const own = entries.findLast((entry) => entry.tag === tag);
        if (own === undefined) return [pruned, { isFound: false, level }];
        const confirmed = await this.entries.confirm(index, withIdle(own, idle), sessionKey);
        const next = confirmed === own ? pruned : {
          ...pruned,
          entries: entries.map((entry) => entry === own ? confirmed : entry),
        };
        return [next, { isFound: true, level }];
      });
    const { isFound, level } = await confirmIn(index.root);
    if (isFound) return;
    for (const shard of await shardsOf(index, level, tag)) {
      if ((await confirmIn(shard)).isFound) return;
    }
    await this.add(subject, sessionKey, idle);
  }

  /** The entries of one session. */
  async find(subject: string, sessionKey: string): Promise<readonly PlacedEntry[]> {
    const index = await indexOf(subject);
    const tag = await tagOf(index, sessionKey);
    const root = await this.#records.read(index.root);
    if (root === undefined) return [];
    const shards = await this.#entriesIn(await shardsOf(index, root.level, tag));
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
    const shards = await shardsOf(index, level, tag);
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
    const shards = await allShards(index, root.level);
    return [...placed(index.root, root), ...await this.#entriesIn(shards)];
  }

  async #entriesIn(places: readonly IndexPlace[]): Promise<readonly PlacedEntry[]> {
    const found = await mapConcurrently(places, async (place) => {
      const content = await this.#records.read(place);
      return content === undefined ? [] : placed(place, content);
    });
    return found.flat();
  }

  /** The session's key in an entry; `undefined` if it was not encrypted under one of the secrets. */
  async unseal(subject: string, entry: IndexEntry): Promise<string | undefined> {
    return await this.entries.unseal(await indexOf(subject), entry);
  }
}

function placed(place: IndexPlace, { entries }: IndexContent): PlacedEntry[] {
  return entries.map((entry) => ({ ...entry, place }));
}
