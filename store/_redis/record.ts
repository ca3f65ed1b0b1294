/** The record of a session in Redis, and the scripts that change it. */
import { SessionError } from "../../errors.ts";
import { RedisScript } from "./script.ts";
import type { StoredRecord } from "../store.ts";

// A record is one string: version, lastAccess and text, the first two with a fixed width. So one
// GET reads it, a touch overwrites its start in place, and SET sets its expiry in the same step. It
// also takes less memory than a Redis hash with three fields.
const VERSION_BYTES = 9;
/** Characters of Base64: four for each three bytes. */
const VERSION_WIDTH = 12;
/** The most characters that a JavaScript number takes. */
const TIME_WIDTH = 24;
const HEADER_WIDTH = VERSION_WIDTH + TIME_WIDTH;

/** Lua for the version of the record under the key; empty if there is no record. */
const VERSION = `redis.call("GETRANGE", KEYS[1], 0, ${VERSION_WIDTH - 1})`;
/** Lua for the last-access time of the record under the key, with its padding. */
const LAST_ACCESS = `redis.call("GETRANGE", KEYS[1], ${VERSION_WIDTH}, ${HEADER_WIDTH - 1})`;

/**
 * Writes the record ARGV[2] .. ARGV[3] if the existing one has version ARGV[1]; empty means that
 * there must be none. A client that lost its connection may send the same command again. Then the
 * record already has version ARGV[2].
 */
export const WRITE = new RedisScript(`
local version = ${VERSION}
if version ~= ARGV[1] and version ~= ARGV[2] then return 0 end
redis.call("SET", KEYS[1], ARGV[2] .. ARGV[3], "PX", ARGV[4])
return 1`);

/**
 * If the record has version ARGV[1], writes version ARGV[2]. It also writes the last-access time
 * ARGV[3] and the expiry after ARGV[4] milliseconds, each only if it is later than the record's. If
 * the record already has version ARGV[2], the client sent the same command again. PTTL is negative
 * for a key that never expires.
 */
export const TOUCH = new RedisScript(`
local version = ${VERSION}
if version == ARGV[2] then return 1 end
if version ~= ARGV[1] then return 0 end
local time = ${LAST_ACCESS}
if tonumber(ARGV[3]) > tonumber(time) then time = ARGV[3] end
redis.call("SETRANGE", KEYS[1], 0, ARGV[2] .. time)
local left = redis.call("PTTL", KEYS[1])
if left >= 0 and left < tonumber(ARGV[4]) then redis.call("PEXPIRE", KEYS[1], ARGV[4]) end
return 1`);

/** Deletes the record. If ARGV[1] is given, only a record of that version. */
export const DELETE = new RedisScript(`
if ARGV[1] and ${VERSION} ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])`);

/**
 * A random version. Redis could not count versions: it forgets them after a delete or a restart.
 */
export function newVersion(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(VERSION_BYTES))));
}

/** Whether `version` has the form of a version. To the scripts, an empty one means "no record". */
export function isVersion(version: string): boolean {
  return version.length === VERSION_WIDTH;
}

/** The last-access time, padded to its fixed width. */
export function toTimeField(lastAccess: number): string {
  return String(lastAccess).padEnd(TIME_WIDTH);
}

/** A lifetime in seconds as Redis expects it: whole milliseconds above 0. */
export function toTtlArgument(ttl: number): string {
  return String(Math.min(Math.max(1, Math.ceil(ttl * 1000)), Number.MAX_SAFE_INTEGER));
}

/** The record in the reply to GET. */
export function parseRecord(reply: unknown): StoredRecord | undefined {
  if (reply === null || reply === undefined) return undefined;
  const record = textOf(reply);
  return {
    text: record.slice(HEADER_WIDTH),
    version: record.slice(0, VERSION_WIDTH),
    lastAccess: Number(record.slice(VERSION_WIDTH, HEADER_WIDTH)),
  };
}

/** Whether a script changed the record. */
export function wasApplied(reply: unknown): boolean {
  const isNumber = typeof reply === "number" || typeof reply === "bigint";
  const result = isNumber ? String(reply) : textOf(reply);
  // Any other reply must not count as a failed comparison, which the caller would retry.
  if (result !== "1" && result !== "0") throw invalidReply(reply);
  return result === "1";
}

// A byte order mark at the start belongs to the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A reply as text. Some clients can be configured to return bytes. */
function textOf(reply: unknown): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Uint8Array) return decoder.decode(reply);
  throw invalidReply(reply);
}

function invalidReply(reply: unknown): SessionError {
  return new SessionError(
    "ERR_SESSION_STORE",
    `Cannot use RedisStore: its client answered with a ${typeof reply} that Redis does not send`,
  );
}
