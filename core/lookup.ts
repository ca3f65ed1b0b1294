/** Decides what an ID that a client sent stands for. */
import { MAX_CLOCK_SKEW } from "../base/limits.ts";
import {
  decodeHeader,
  findJson,
  isSameVerifier,
  type RecordHeader,
  type ReplacedVerifier,
} from "../base/record_header.ts";
import { isEnded, isSubjectIndex, type SessionValues } from "../base/record_text.ts";
import type { SessionState } from "../state/state.ts";
import type { SessionRecord } from "./backend/backend.ts";
import { absoluteOf, idleOf, lifetimeStart, touchIntervalOf } from "./lifetime.ts";
import type { ResolvedOptions } from "./options.ts";

/** An active session, as it was in the store. */
export interface LoadedSession extends SessionRecord {
  status: "active";
  /** The session's current ID. */
  id: string;
  header: RecordHeader;
  /** Where the JSON begins in the text. */
  jsonStart: number;
  json: string;
  /** When it was read, in Unix seconds. */
  readAt: number;
  created: number;
  subject: string | undefined;
  /** The values in the JSON. The reader of the record may change them. */
  data: SessionValues;
  /** The ID or the encrypted session that the client sent; `undefined` if there is no request. */
  presented: string | undefined;
  /** The verifier that the client sent, if `rotate` has replaced it and it is still valid. */
  oldVerifier: string | undefined;
  /**
   * True if the client does not know the ID yet. Then any write or touch that succeeds sends it.
   */
  mustInject: boolean;
}

/** A session whose client sent an ID that is not valid any more. */
export interface ReplacedSession {
  status: "replaced";
  /** The session's key. */
  key: string;
  /** Whether the record proves that this was an ID of the session. Only such an ID can end it. */
  isHeld: boolean;
  /** When the session's ID last changed, in Unix seconds. */
  replacedAt: number;
  /** The ID or the encrypted session that the client sent; `undefined` if there is no request. */
  presented: string | undefined;
}

/** There is no active session. */
export interface NoSession {
  status: "absent";
  reason: "none" | "unknown" | "expired";
}

/** The client sent IDs of more than one active session, or too many IDs. */
export interface AmbiguousIds {
  status: "ambiguous";
}

/** The result of looking up the ID that a client sent. */
export type Lookup = (LoadedSession | ReplacedSession | NoSession | AmbiguousIds) & {
  /** The State that answers the request, if the middleware's State consists of several. */
  state?: SessionState;
};

/** The client sent no ID. */
export const NONE: NoSession = { status: "absent", reason: "none" };
/** No session has the ID. */
export const UNKNOWN: NoSession = { status: "absent", reason: "unknown" };
const EXPIRED: NoSession = { status: "absent", reason: "expired" };

/** Seconds for which a request with a replaced ID counts as late. After that its ID is unknown. */
const LATE_REQUEST_SECONDS = 3600;

/** Now, in whole Unix seconds. */
export function unixNow(options: Pick<ResolvedOptions, "now">): number {
  return Math.floor(options.now() / 1000);
}

/**
 * Examines the record that a client's ID led to.
 *
 * @param verifier The verifier in the ID; `undefined` if finding the record proves the ID.
 */
export function examine(
  record: SessionRecord | undefined,
  verifier: string | undefined,
  options: ResolvedOptions,
  presented?: string,
): Lookup {
  const session = decodeRecord(record, options);
  if (session === undefined) return UNKNOWN;
  session.presented = presented;
  const { key, replacedAt } = record!;
  if (replacedAt !== undefined) {
    return isLate(replacedAt, session.readAt)
      ? { status: "replaced", key, isHeld: true, replacedAt, presented }
      : UNKNOWN;
  }
  const isActive = isSession(session, options);
  if (verifier === undefined || isSameVerifier(session.header.verifier, verifier)) {
    return isActive ? session : EXPIRED;
  }
  return isActive ? examineOld(session, verifier, options) : UNKNOWN;
}

/** A session whose current verifier is another one. */
function examineOld(session: LoadedSession, verifier: string, options: ResolvedOptions): Lookup {
  const { header, readAt, key, presented } = session;
  const old = findReplaced(header, verifier);
  if (old !== undefined && isInGrace(header, verifier, readAt, options)) {
    session.oldVerifier = old.verifier;
    return session;
  }
  const { replacedAt = -Infinity, presentedAt = -Infinity } = header;
  // The end of a grace counts like a replacement.
  const last = Math.max(replacedAt, presentedAt + options.rotateGrace);
  if (!isLate(last, readAt)) return UNKNOWN;
  const isHeld = old !== undefined && isLate(validUntil(header, old, readAt), readAt);
  return { status: "replaced", key, isHeld, replacedAt: last, presented };
}

/** Whether a request with an ID that was valid until then may still be on its way. */
export function isLate(until: number, now: number): boolean {
  return now - until <= LATE_REQUEST_SECONDS + MAX_CLOCK_SKEW;
}

/**
 * Until when a replaced ID was valid, in Unix seconds, without the grace. An ID that `rotate`
 * replaced is valid until the client sends the ID after it.
 */
export function validUntil(
  { replaced, presentedAt }: RecordHeader,
  one: ReplacedVerifier,
  now: number,
): number {
  return one === replaced.at(-1) && one.isRotated ? presentedAt ?? now : one.at;
}

/** The verifier as the record holds it. Takes the same time wherever it is in the list. */
function findReplaced(
  { replaced }: RecordHeader,
  verifier: string,
): ReplacedVerifier | undefined {
  let found: ReplacedVerifier | undefined;
  for (const one of replaced) {
    if (isSameVerifier(one.verifier, verifier)) found = one;
  }
  return found;
}

/** Whether the header holds the verifier, as the current one or a replaced one. */
export function holds(header: RecordHeader, verifier: string): boolean {
  return isSameVerifier(header.verifier, verifier) || findReplaced(header, verifier) !== undefined;
}

/** Whether `rotate` made the current ID and its client may not have received it yet. */
export function isUnconfirmed({ replaced, presentedAt }: RecordHeader): boolean {
  return replaced.at(-1)?.isRotated === true && presentedAt === undefined;
}

/** Whether an ID that `rotate` replaced is still valid beside the current one. */
export function isGraceRunning(
  header: RecordHeader,
  now: number,
  { rotateGrace }: ResolvedOptions,
): boolean {
  const last = header.replaced.at(-1);
  if (last?.isRotated !== true) return false;
  const { presentedAt } = header;
  return presentedAt === undefined || now - presentedAt <= rotateGrace + MAX_CLOCK_SKEW;
}

/** Whether this is the ID that `rotate` replaced and that is still valid. */
export function isInGrace(
  header: RecordHeader,
  verifier: string,
  now: number,
  options: ResolvedOptions,
): boolean {
  const last = header.replaced.at(-1);
  return last !== undefined && isSameVerifier(last.verifier, verifier) &&
    isGraceRunning(header, now, options);
}

/** The session in a record, whether or not it has expired; `undefined` if it is not a session's. */
export function decodeRecord(
  record: SessionRecord | undefined,
  options: ResolvedOptions,
): LoadedSession | undefined {
  if (record === undefined) return undefined;
  const { key, text, version, lastAccess, replacedAt } = record;
  const start = findJson(text);
  const json = start < 0 ? "" : text.slice(start);
  const data = options.codec.decode(json);
  const header = data && decodeHeader(text, start);
  if (data === undefined || header === undefined) {
    if (!isEnded(text) && !isSubjectIndex(text)) {
      options.emit({
        type: "record-corrupt",
        message: "The store returned a record that is not a valid session. The client gets a new " +
          "session. Check what else writes to this table or key prefix",
      });
    }
    return undefined;
  }
  return {
    status: "active",
    key,
    id: header.verifier + key,
    text,
    version,
    lastAccess,
    replacedAt,
    header,
    jsonStart: start,
    json,
    readAt: unixNow(options),
    created: data._created as number,
    subject: data._subject as string | undefined,
    data,
    presented: undefined,
    oldVerifier: undefined,
    mustInject: false,
  };
}

/**
 * Whether the session has not expired. The last request may have come `touchInterval` after the
 * time that is stored.
 */
export function isSession(
  { readAt, lastAccess, created, header }: LoadedSession,
  options: ResolvedOptions,
): boolean {
  // An expired record is not deleted here: a request that is saving it would lose the race. The
  // store's TTL removes it.
  return readAt - lastAccess <= idleOf(header, options) + touchIntervalOf(header, options) &&
    readAt - lifetimeStart(header, created, readAt) <= absoluteOf(header, options);
}
