/** Decides whether the record under an ID is an active session. */
import { MAX_ATTEMPTS } from "../base/limits.ts";
import { decodeTombstone, isSubjectIndex, type SessionValues } from "../base/record_text.ts";
import type { Backend, SessionRecord } from "./backend/backend.ts";
import type { ResolvedOptions } from "./options.ts";
import { conflict } from "./race_errors.ts";

/** An active session, as it was in the store. */
export interface LoadedSession extends SessionRecord {
  status: "active";
  /** When it was read, in Unix seconds. */
  readAt: number;
  created: number;
  subject: string | undefined;
  /** The values in the text. The reader of the record may change them. */
  data: SessionValues;
  /**
   * True if the client does not know the ID yet. Then any write or touch that succeeds sends it.
   */
  mustInject: boolean;
}

/** The result of looking up the ID that a client sent. */
export type Lookup =
  | LoadedSession
  /** The ID was replaced: the session has the ID `id` now. */
  | { status: "replaced"; id: string }
  | { status: "absent" }
  /** The client sent IDs of more than one active session, or too many IDs. */
  | { status: "ambiguous" };

/** There is no session. */
export const ABSENT: Lookup = { status: "absent" };
/** For this many seconds, a request with a replaced ID is refused. Later it gets a new session. */
const LATE_REQUEST_SECONDS = 60;

/** Now, in whole Unix seconds. */
export function unixNow(options: Pick<ResolvedOptions, "now">): number {
  return Math.floor(options.now() / 1000);
}

/** Examines a record at this time. */
export function examine(record: SessionRecord | undefined, options: ResolvedOptions): Lookup {
  if (record === undefined) return ABSENT;
  const data = options.codec.decode(record.text);
  if (data === undefined) return examineOther(record, options);
  const created = data._created as number;
  const now = unixNow(options);
  const isActive = now - record.lastAccess <= options.expire &&
    now - created <= options.absoluteExpire;
  // Not deleted here: a request that is saving it would lose the race. The store's TTL removes it.
  if (!isActive) return ABSENT;
  const { id, text, version, lastAccess } = record;
  const subject = data._subject as string | undefined;
  return {
    status: "active",
    id,
    text,
    version,
    lastAccess,
    readAt: now,
    created,
    subject,
    data,
    mustInject: false,
  };
}

/** A record that is not a session: a tombstone, a subject's index, or invalid. */
function examineOther(record: SessionRecord, options: ResolvedOptions): Lookup {
  const id = decodeTombstone(record.id, String(record.text));
  if (id !== undefined) {
    const age = unixNow(options) - record.lastAccess;
    return age > LATE_REQUEST_SECONDS ? ABSENT : { status: "replaced", id };
  }
  if (!isSubjectIndex(record.text)) {
    options.emit({
      type: "record-corrupt",
      message: "The store gave back what is no session; its client is treated as new",
    });
  }
  return ABSENT;
}

/**
 * The record of the session that once had this ID. Follows all tombstones.
 *
 * @throws {SessionError} `ERR_SESSION_CONFLICT` if there are too many.
 */
export async function follow(backend: Backend, id: string): Promise<SessionRecord | undefined> {
  for (let hop = 0; hop < MAX_ATTEMPTS; hop++) {
    const record = await backend.read(id);
    const next = record && decodeTombstone(id, String(record.text));
    if (next === undefined) return record;
    id = next;
  }
  throw conflict();
}
