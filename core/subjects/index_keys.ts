/** Where the records of a subject's index lie, and what identifies a session in them. */
import { SUBJECT_INDEX_PREFIX } from "../../base/record_text.ts";
import { sha256 } from "../../base/sha256.ts";

/** Where a record of an index lies. */
export interface IndexPlace {
  readonly key: string;
  /** The level of a shard; 0 for the root. */
  readonly level: number;
}

/** The index of one subject. */
export interface Index {
  readonly subject: string;
  readonly root: IndexPlace;
}

/** Number of shards of a level for each one of the level below: the values of a hex digit. */
const SHARDS = 16;
const TAG_DIGITS = 16;

/**
 * The key of the root of a subject's index. It does not depend on the secret, so that servers with
 * different secrets find the same record and notice the mistake.
 */
export function indexKeyOf(subject: string): Promise<string> {
  return sha256(`@pagi/session subject ${subject}`);
}

/** The index of a subject. */
export async function indexOf(subject: string): Promise<Index> {
  return { subject, root: { key: await indexKeyOf(subject), level: 0 } };
}

/** The tag of a session's entries. */
export async function tagOf({ root }: Index, sessionKey: string): Promise<string> {
  return (await sha256(`@pagi/session entry ${root.key} ${sessionKey}`)).slice(0, TAG_DIGITS);
}

/**
 * The shard of a level that a session is added to. The tag says so, because it is evenly
 * distributed, whatever `generateId` returns.
 */
export function shardOf(index: Index, level: number, tag: string): Promise<IndexPlace> {
  return shardAt(index, level, tag.slice(0, level));
}

/** The shards up to a level that may have entries of a session, the most likely one first. */
export async function shardsOf(index: Index, level: number, tag: string): Promise<IndexPlace[]> {
  const places: IndexPlace[] = [];
  for (let one = level; one > 0; one--) places.push(await shardOf(index, one, tag));
  return places;
}

/** All shards up to a level. */
export async function allShards(index: Index, level: number): Promise<IndexPlace[]> {
  const places: IndexPlace[] = [];
  for (let one = 1; one <= level; one++) {
    for (let at = 0; at < SHARDS ** one; at++) {
      places.push(await shardAt(index, one, at.toString(SHARDS).padStart(one, "0")));
    }
  }
  return places;
}

async function shardAt({ root }: Index, level: number, digits: string): Promise<IndexPlace> {
  return { key: await sha256(`@pagi/session shard ${root.key} ${digits}`), level };
}

/**
 * Binds an encrypted key to its index. Differs from the record's key, because a SealedStore may
 * encrypt the record under the same secret.
 */
export function sealContext({ root }: Index): string {
  return SUBJECT_INDEX_PREFIX + root.key;
}
