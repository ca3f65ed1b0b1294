/** A session's record as Redis has it, and the scripts that change one. */
import { SessionError } from "../../errors.ts";
import { RedisScript } from "./script.ts";
import type { StoredRecord } from "../store.ts";

// A record is one string: version, lastAccess and text, the first two of fixed width. So one GET
// reads it, a touch writes 24 bytes in place, SET gives it its ttl in the same step, and it takes
// some 200 bytes less than a hash with three fields.
const VERSION_BYTES = 9;
/** Letters of base64, three bytes each four. */
const VERSION_WIDTH = 12;
/** The longest that JavaScript writes a number. */
const TIME_WIDTH = 24;
const HEADER_WIDTH = VERSION_WIDTH + TIME_WIDTH;

/** What the key's record has as its version; empty where there is none. */
const VERSION = `redis.call("GETRANGE", KEYS[1], 0, ${VERSION_WIDTH - 1})`;

/**
 * Writes the record ARGV[2] .. ARGV[3] over one at version ARGV[1], where empty means none. A client
 * that lost its connection may send the same command again: then the record is at ARGV[2] already.
 */
export const WRITE = new RedisScript(`
local version = ${VERSION}
if version ~= ARGV[1] and version ~= ARGV[2] then return 0 end
redis.call("SET", KEYS[1], ARGV[2] .. ARGV[3], "PX", ARGV[4])
return 1`);

/** Writes the time ARGV[2] into a record at version ARGV[1]. */
export const TOUCH = new RedisScript(`
if ${VERSION} ~= ARGV[1] then return 0 end
redis.call("SETRANGE", KEYS[1], ${VERSION_WIDTH}, ARGV[2])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
return 1`);

/** Removes the record; at version ARGV[1] where one is given. */
export const DELETE = new RedisScript(`
if ARGV[1] and ${VERSION} ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])`);

/** Random, from the caller: after a delete or a restart Redis itself knows of no earlier one. */
export function newVersion(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(VERSION_BYTES))));
}

/** What is none matches no record; to Redis an empty one would mean that there is no record. */
export function isVersion(version: string): boolean {
  return version.length === VERSION_WIDTH;
}

/** The time of the last use, as wide as any. */
export function timeOf(lastAccess: number): string {
  return String(lastAccess).padEnd(TIME_WIDTH);
}

/** Seconds as Redis takes them: whole milliseconds above 0, in digits. */
export function ttlOf(ttl: number): string {
  return String(Math.min(Math.max(1, Math.ceil(ttl * 1000)), Number.MAX_SAFE_INTEGER));
}

/** What a GET found. */
export function parseRecord(reply: unknown): StoredRecord | undefined {
  if (reply === null || reply === undefined) return undefined;
  const record = textOf(reply);
  return {
    text: record.slice(HEADER_WIDTH),
    version: record.slice(0, VERSION_WIDTH),
    lastAccess: Number(record.slice(VERSION_WIDTH, HEADER_WIDTH)),
  };
}

/** Whether a script did what it was to do. */
export function wasDone(reply: unknown): boolean {
  const isNumber = typeof reply === "number" || typeof reply === "bigint";
  const answer = isNumber ? String(reply) : textOf(reply);
  // Anything else must not pass for a compare that did not hold, which is made again.
  if (answer !== "1" && answer !== "0") throw strange(reply);
  return answer === "1";
}

// A mark in front is a letter of the text like any other.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A reply as text: a client may be set to give bytes. */
function textOf(reply: unknown): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Uint8Array) return decoder.decode(reply);
  throw strange(reply);
}

function strange(reply: unknown): SessionError {
  return new SessionError(
    "ERR_SESSION_STORE",
    `Cannot use RedisStore: its client answered with a ${typeof reply} that Redis does not send`,
  );
}
