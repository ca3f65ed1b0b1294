/** Between PAGI's hash of a session, reserved keys and all, and the text that lifecycle works on. */
import { decodeSession, encodeSession } from "../base/record_text.ts";
import type { SealedSession } from "./_cookie/format.ts";
import type { SessionHash } from "./store.ts";

/** A session's hash; undefined when its text is no session's. */
export function hashOf({ id, text, lastAccess }: SealedSession): SessionHash | undefined {
  const values = decodeSession(text);
  return values && { _id: id, ...values, _last_access: lastAccess };
}

/** The session in a hash. What the hash does not say is as `defaults` has it. */
export function sessionOf(
  hash: SessionHash,
  defaults: { id: string; now: number },
): Omit<SealedSession, "lifetime"> {
  const { _id, _created, _last_access, _subject, _codec } = hash;
  const lastAccess = timeOf(_last_access) ?? timeOf(_created) ?? defaults.now;
  const created = timeOf(_created) ?? lastAccess;
  const text = encodeSession(hash, created, _subject as string | undefined, _codec);
  return { id: typeof _id === "string" ? _id : defaults.id, text, lastAccess };
}

/** A time, which Perl may have written as a string. */
function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" && value !== "" ? Number(value) : value;
  return Number.isFinite(time) ? time as number : undefined;
}
