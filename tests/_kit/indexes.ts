/** A look into the indexes of subjects' sessions. */
import type { SessionMiddleware, VersionedStore } from "@pagi/session";
import { keyOf } from "../../base/id.ts";
import { sha256 } from "../../base/sha256.ts";
import { indexKeyOf } from "../../core/subjects/subject_index.ts";
import { around } from "./stores.ts";

/** An entry, as it is in a record. */
export interface Entry {
  tag: string;
  sealed: string;
  at: number;
}

/** A record of an index. */
export interface IndexRecord {
  key: string;
  generation: string;
  level: number;
  entries: Entry[];
}

/** How the text of an index's record starts. */
const PREFIX = "subject:";

/** Whether a text is a record of an index. */
export function isIndex(text: unknown): boolean {
  return String(text).startsWith(PREFIX);
}

/** The content of a record's text. */
export function contentOf(text: string): Omit<IndexRecord, "key"> {
  return JSON.parse(text.slice(PREFIX.length));
}

/** The text of a record. */
export function textOf(content: Partial<IndexRecord>): string {
  return PREFIX + JSON.stringify(content);
}

/** Watches which records of indexes a store is given. */
export function watchIndexes(inner: VersionedStore) {
  const keys = new Set<string>();
  const { signal } = new AbortController();
  const store = around(inner, (name, call, [key, text]) => {
    if ((name === "create" || name === "replace") && isIndex(text)) keys.add(String(key));
    return call();
  });
  /** Reads the records that are still there. */
  const records = async (): Promise<IndexRecord[]> => {
    const found: IndexRecord[] = [];
    for (const key of keys) {
      const record = await inner.read(key, { signal });
      if (record !== undefined) found.push({ key, ...contentOf(record.text) });
    }
    return found;
  };
  /** Counts the entries of all indexes. */
  const entries = async () => (await records()).flatMap(({ entries }) => entries).length;
  return { store, records, entries };
}

/**
 * Counts the entries of each active session of a subject. The list of sessions must have exactly
 * those with an entry.
 */
export async function countEntries(
  { records }: ReturnType<typeof watchIndexes>,
  subject: string,
  ids: readonly string[],
): Promise<number[]> {
  const entries = (await records()).flatMap(({ entries }) => entries);
  const counts: number[] = [];
  for (const id of ids) {
    const tag = await tagOf(subject, id);
    counts.push(entries.filter((entry) => entry.tag === tag).length);
  }
  return counts;
}

/** The tag of a session's entries in the index of a subject. */
export async function tagOf(subject: string, id: string): Promise<string> {
  const label = `@pagi/session entry ${await indexKeyOf(subject)} ${keyOf(id)}`;
  return (await sha256(label)).slice(0, 16);
}

/** Makes IDs of sessions that all belong into one shard of the subject's index. */
export function idsOfOneShard(subject: string): () => Promise<string> {
  let count = 0;
  return async () => {
    while (true) {
      const digits = (++count).toString(16);
      const id = digits.padStart(32, "f") + digits.padStart(32, "0");
      if ((await tagOf(subject, id)).startsWith("00")) return id;
    }
  };
}

/** The devices of a subject, as its list shows them. */
export async function devicesOf(sessions: SessionMiddleware, subject: string): Promise<string[]> {
  return (await sessions.list(subject)).map(({ session }) => String(session.get("device"))).sort();
}
