/** How a write changes the header of a session's record. */
import { MAX_MESSAGES } from "../base/flash_message.ts";
import type { SessionLifetime } from "../base/lifetime.ts";
import { MAX_CLOCK_SKEW } from "../base/limits.ts";
import type { RecordHeader, ReplacedVerifier } from "../base/record_header.ts";
import type { MetadataChange } from "../data/metadata_change.ts";
import {
  holds,
  isGraceRunning,
  isLate,
  isUnconfirmed,
  type LoadedSession,
  validUntil,
} from "./lookup.ts";
import type { ResolvedOptions } from "./options.ts";
import { repeated } from "./race_errors.ts";

/** The most replaced verifiers that a record holds. */
const MAX_REPLACED = 8;
/** The most write tokens that a record holds: one's own, and those of 32 other writes. */
const MAX_TOKENS = 33;
/** Seconds for which a client may send a call again. */
const RESEND_SECONDS = 30;

/** The parts of a request's change that concern the header. */
interface HeaderRelevant {
  subject: string | undefined;
  isSignIn: boolean;
  isCleared?: boolean;
  metadata?: MetadataChange | undefined;
}

/** The properties of a write that decide how the header changes. */
interface HeaderChange {
  /** Unix seconds. */
  now: number;
  /** Whether the request came with the current ID. */
  isPresented: boolean;
  /** Whether the response sends the ID again. */
  isSent: boolean;
  /** Whether the time of sending is noted: not if every response sends the ID. */
  notesSending: boolean;
  /** The values' change, if the write is a request's. */
  change: HeaderRelevant | undefined;
  /** The verifier of the new ID; `undefined` if the ID stays the same. */
  newVerifier: string | undefined;
  /** Whether the old ID stays valid for a while. */
  isRotation: boolean;
}

/**
 * The header after a write.
 *
 * @throws {TypeError} If the session has had the new verifier before.
 */
export function nextHeader(
  { header, subject, lastAccess }: Pick<LoadedSession, "header" | "subject" | "lastAccess">,
  { now, isPresented, isSent, notesSending, change, newVerifier, isRotation }: HeaderChange,
  options: ResolvedOptions,
): RecordHeader {
  const isNewSubject = change !== undefined && change.subject !== subject;
  const isNoted = (isSent && notesSending) || (isPresented && isUnconfirmed(header));
  const messages = nextMessages(header.messages, change);
  const lifetime = nextLifetime(isNewSubject ? undefined : header.lifetime, change);
  const isValuesOnly = newVerifier === undefined && !isNoted && !isNewSubject &&
    !change?.isSignIn && messages === header.messages && lifetime === header.lifetime;
  // Most writes are, and need no other header.
  if (isValuesOnly && header.replaced.length === 0) return header;
  const next = {
    ...header,
    subjectChanges: header.subjectChanges + (isNewSubject ? 1 : 0),
    signedInAt: change?.isSignIn ? now : header.signedInAt,
    replaced: withoutOld(header, Math.min(now, lastAccess), options),
    messages,
    lifetime,
  };
  if (newVerifier === undefined) {
    if (isPresented && isUnconfirmed(header)) next.presentedAt = now;
    if (isSent && notesSending) next.sentAt = now;
    return next;
  }
  // By the clock of whichever server is ahead: a request with the old ID that is still on its way
  // must count as late on all of them.
  const at = Math.max(now, lastAccess);
  next.replacedAt = at;
  next.presentedAt = next.sentAt = undefined;
  if (!isRotation) next.regenerations++;
  if (newVerifier === "") {
    // Not every store without versions keeps the time of the change.
    if (notesSending) next.sentAt = now;
    return next;
  }
  if (holds(header, newVerifier)) throw repeated();
  // An ID that `rotate` replaced was valid until the client sent the ID after it, or until now.
  const earlier = next.replaced.map((one) => ({ ...one, at: validUntil(header, one, now) }));
  const replaced = { verifier: header.verifier, isRotated: isRotation, at };
  next.replaced = [...earlier, replaced].slice(-MAX_REPLACED);
  next.verifier = newVerifier;
  return next;
}

/** The lifetime after a write: the last one that a request has set. */
export function nextLifetime(
  lifetime: SessionLifetime | undefined,
  change: Partial<HeaderRelevant> | undefined,
): SessionLifetime | undefined {
  const set = change?.metadata?.lifetime;
  return set === undefined ? lifetime : set.value;
}

/** The messages after a write: those that others have added stay. */
export function nextMessages(
  messages: readonly string[],
  { metadata, isCleared = false }: Partial<HeaderRelevant> = {},
): readonly string[] {
  if (!isCleared && metadata === undefined) return messages;
  const left = isCleared ? [] : messages.filter((one) => !metadata?.taken.has(one));
  return [...left, ...metadata?.added ?? []].slice(-MAX_MESSAGES);
}

/**
 * The replaced verifiers that requests may still come with.
 *
 * @param now Now, or when the session was last used, if that is earlier: a server whose clock is
 * ahead must not drop what other servers need.
 */
function withoutOld(
  header: RecordHeader,
  now: number,
  options: ResolvedOptions,
): readonly ReplacedVerifier[] {
  const { replaced } = header;
  if (replaced.length === 0) return replaced;
  const inGrace = isGraceRunning(header, now, options) ? replaced.at(-1) : undefined;
  return replaced.filter((one) => one === inGrace || isLate(validUntil(header, one, now), now));
}

/**
 * The header with the token of a write.
 *
 * @param lastAccess When the session was last used. If that is earlier than `now`, tokens that were
 * still recent then stay for one more write: a server whose clock is ahead must not drop those of
 * other servers.
 */
export function withToken(
  header: RecordHeader,
  token: string,
  now: number,
  { storeTimeout }: ResolvedOptions,
  lastAccess: number = now,
): RecordHeader {
  const life = Math.max(RESEND_SECONDS + MAX_CLOCK_SKEW, 2 * storeTimeout);
  const recent = header.tokens.filter(({ at }) => Math.min(now, lastAccess) - at <= life);
  return { ...header, tokens: [...recent, { token, at: now }].slice(-MAX_TOKENS) };
}
