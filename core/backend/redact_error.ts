/**
 * Keeps session IDs and session data out of a store's errors. Drivers quote what they failed on:
 * ioredis attaches the command with its key and record, PostgreSQL's details contain the row. A log
 * of such an error would contain the session.
 */
import { isObject } from "../../base/check_options.ts";

/** This many characters in common with an ID or a record count as a quotation. */
const QUOTATION_LENGTH = 12;
/**
 * Any half of an ID: a wrapper or a CookieStore calls the store behind it with other keys than that
 * of the call. A longer run of hex digits is a record, as PostgreSQL quotes a bytea. The stores on SQL
 * write a record with such escapes, so that its text in an error is not the text of the call.
 */
const ID_OR_RECORD = /[0-9a-f]{32,}|\\u[0-9a-f]{4}/i;
const WITHHELD = "(withheld: it contains the session's ID or data)";
/** Longer messages quote something, and searching them takes long. */
const MAX_MESSAGE_LENGTH = 1000;
/** Levels of causes that are searched. */
const MAX_DEPTH = 4;
const FRAMES = "\n    at ";
/** Properties that a redacted error keeps, because callers decide by them. */
const KEPT = ["code", "errno", "syscall", "sqlState", "severity"] as const;

/**
 * `error` itself if it contains none of these texts. Otherwise a copy without its message, with the
 * name, codes, stack frames and causes that contain none of them.
 */
export function redactError(error: unknown, secrets: readonly string[]): unknown {
  // Some drivers quote a record as a string, with its quotes escaped.
  const escaped = secrets.map((text) => JSON.stringify(text).slice(1, -1));
  return redact(error, [...new Set([...secrets, ...escaped])], 0);
}

function redact(error: unknown, secrets: readonly string[], depth: number): unknown {
  if (isClean(error, secrets, depth)) return error;
  if (!(error instanceof Error) || depth > MAX_DEPTH) return new Error(WITHHELD);
  const { message, name, stack, cause, errors } = error as Partial<AggregateError>;
  const inner = (value: unknown) => redact(value, secrets, depth + 1);
  const ifClean = (text: string, instead: string) => isClean(text, secrets, depth) ? text : instead;
  const copy = new Error(
    ifClean(String(message), WITHHELD),
    cause === undefined ? undefined : { cause: inner(cause) },
  );
  copy.name = ifClean(String(name), "Error");
  // Without the message: if it contains another error's stack, it looks as if it had frames.
  const frames = String(stack).replace(String(message), "").split(FRAMES).slice(1)
    .filter((frame) => isClean(frame, secrets, depth));
  copy.stack = [`${copy.name}: ${copy.message}`, ...frames].join(FRAMES);
  if (Array.isArray(errors)) Object.assign(copy, { errors: errors.map(inner) });
  for (const key of KEPT) {
    const value = (error as unknown as Record<string, unknown>)[key];
    if (value !== undefined && isClean(value, secrets, MAX_DEPTH)) {
      Object.assign(copy, { [key]: value });
    }
  }
  return copy;
}

/**
 * Whether nothing in `value` contains a secret. A value that cannot be searched counts as if it
 * did.
 */
function isClean(value: unknown, secrets: readonly string[], depth: number): boolean {
  if (typeof value === "string") {
    return value.length <= MAX_MESSAGE_LENGTH && !quotes(value, secrets);
  }
  if (!isObject(value)) return true;
  const isKnown = value instanceof Error || Array.isArray(value);
  if (!isKnown || depth > MAX_DEPTH) return false;
  return Reflect.ownKeys(value).every((key) => {
    if (quotes(String(key), secrets)) return false;
    // A getter in some engines. Its first lines are the message as it was at first.
    if (key === "stack") {
      return String(value.stack).split(FRAMES).every((part) => isClean(part, secrets, depth));
    }
    const own = Object.getOwnPropertyDescriptor(value, key);
    return own !== undefined && "value" in own && isClean(own.value, secrets, depth + 1);
  });
}

function quotes(line: string, secrets: readonly string[]): boolean {
  if (ID_OR_RECORD.test(line)) return true;
  for (let at = 0; at + QUOTATION_LENGTH <= line.length; at++) {
    const part = line.slice(at, at + QUOTATION_LENGTH);
    if (secrets.some((secret) => secret.includes(part))) return true;
  }
  return false;
}
