/** The texts of a subject's index: its root record and its shards. */
import { isObject } from "../../base/check_options.ts";
import { isSubjectIndex, SUBJECT_INDEX_PREFIX } from "../../base/record_text.ts";

/** The highest level. The shards of a level are sixteen times as many as those of the level below. */
export const MAX_LEVEL = 2;

/** A session in the index. */
export interface IndexEntry {
  /** A hash of the session's key. It finds the entries of a session, whatever the secret was. */
  readonly tag: string;
  /**
   * The session's key, encrypted. It identifies the entry: the same key is encrypted to another
   * text each time.
   */
  readonly sealed: string;
  /** When the session was last known to be active, in Unix seconds. */
  readonly at: number;
  /** Seconds for which the session can be idle, if it has a lifetime of its own. */
  readonly idle?: number | undefined;
}

/** The content of one record of an index. */
export interface IndexContent {
  /**
   * In the root, a new value each time that all sessions of the subject are ended. Empty in a shard.
   */
  readonly generation: string;
  /** The level of a shard; in the root, the level at which sessions are added. */
  readonly level: number;
  readonly entries: readonly IndexEntry[];
  /** The longest `idle` of a session in this record or, in the root, in any. */
  readonly idle?: number | undefined;
}

/** The content, which then knows of a session that can be idle for so long. */
export function withIdle<Content extends { readonly idle?: number | undefined }>(
  content: Content,
  idle: number | undefined,
): Content {
  return idle === undefined || idle <= (content.idle ?? 0) ? content : { ...content, idle };
}

/** The text of a record. */
export function encodeIndex({ generation, level, idle, entries }: IndexContent): string {
  return SUBJECT_INDEX_PREFIX + JSON.stringify({ generation, level, idle, entries });
}

/** The content in a text; `undefined` if it is not that of a subject's index. */
export function decodeIndex(text: string): IndexContent | undefined {
  if (!isSubjectIndex(text)) return undefined;
  try {
    const { generation, level, idle, entries } = JSON.parse(
      text.slice(SUBJECT_INDEX_PREFIX.length),
    );
    const isValid = typeof generation === "string" && isLevel(level) && isIdle(idle) &&
      Array.isArray(entries) && entries.every(isEntry);
    return isValid ? { generation, level, idle, entries } : undefined;
  } catch {
    return undefined;
  }
}

function isLevel(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_LEVEL;
}

function isIdle(value: unknown): boolean {
  return value === undefined || Number.isFinite(value);
}

function isEntry(value: unknown): value is IndexEntry {
  if (!isObject(value)) return false;
  const { tag, sealed, at, idle } = value as Partial<IndexEntry>;
  return typeof tag === "string" && typeof sealed === "string" && Number.isFinite(at) &&
    isIdle(idle);
}
