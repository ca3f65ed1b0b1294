/**
 * What is told of a store's error. Drivers quote what they failed on: ioredis hangs the command with
 * its key and record on the error, PostgreSQL's has the row in its detail. Whoever logs such an error
 * would log the session.
 */
import { isObject } from "../../base/check_options.ts";

/** A stretch of so many characters in common with an id or a record is a quotation of it. */
const QUOTATION = 12;
/**
 * An id, whoever's: behind a wrapper a store has other keys than the call. What is longer is a record in
 * hex, as PostgreSQL quotes a bytea.
 */
const ID = /[0-9a-f]{64,}/gi;
const REDACTED = "(redacted)";
/** Of a message, in characters: what is longer quotes something, and takes long to look through. */
const MAX_MESSAGE = 1000;
/** How many errors deep the causes are looked through. */
const MAX_DEPTH = 4;
const FRAMES = "\n    at ";
/** What is kept of an error that quotes: all who decide by errors decide by these. */
const KEPT = ["code", "errno", "syscall", "sqlState", "severity"] as const;

/**
 * The error itself where it quotes none of these texts. Otherwise a copy that does not: its name,
 * message, codes, stack and causes.
 */
export function withoutQuotations(error: unknown, texts: readonly string[]): unknown {
  // Some quote within quotes: what a record is made of is in pieces then, each of few characters.
  const escaped = texts.map((text) => JSON.stringify(text).slice(1, -1));
  return silenced(error, [...new Set([...texts, ...escaped])], 0);
}

function silenced(error: unknown, texts: readonly string[], depth: number): unknown {
  if (isClean(error, texts, depth)) return error;
  if (typeof error === "string") return redact(error, texts);
  if (!(error instanceof Error) || depth > MAX_DEPTH) return new Error(REDACTED);
  const { message, name, stack, cause, errors } = error as Partial<AggregateError>;
  const inner = (value: unknown) => silenced(value, texts, depth + 1);
  const copy = new Error(
    redact(String(message), texts),
    cause === undefined ? undefined : { cause: inner(cause) },
  );
  copy.name = redact(String(name), texts);
  // A message that has another error's stack in it looks as if it had frames.
  const frames = String(stack).split(FRAMES).slice(1).filter((frame) =>
    isClean(frame, texts, depth)
  );
  copy.stack = [`${copy.name}: ${copy.message}`, ...frames].join(FRAMES);
  if (Array.isArray(errors)) Object.assign(copy, { errors: errors.map(inner) });
  for (const key of KEPT) {
    const value = (error as unknown as Record<string, unknown>)[key];
    if (value !== undefined && isClean(value, texts, MAX_DEPTH)) {
      Object.assign(copy, { [key]: value });
    }
  }
  return copy;
}

/** Whether nothing in `value` quotes; what cannot be told for sure counts as if it did. */
function isClean(value: unknown, texts: readonly string[], depth: number): boolean {
  if (typeof value === "string") return value.length <= MAX_MESSAGE && !quotes(value, texts);
  if (!isObject(value)) return true;
  const isKnown = value instanceof Error || Array.isArray(value);
  if (!isKnown || depth > MAX_DEPTH) return false;
  return Reflect.ownKeys(value).every((key) => {
    if (quotes(String(key), texts)) return false;
    // Some engines have a getter for it. Its first lines are the message as it was at first.
    if (key === "stack") {
      return String(value.stack).split(FRAMES).every((part) => isClean(part, texts, depth));
    }
    const own = Object.getOwnPropertyDescriptor(value, key);
    return own !== undefined && "value" in own && isClean(own.value, texts, depth + 1);
  });
}

function quotes(line: string, texts: readonly string[]): boolean {
  if (line.search(ID) !== -1) return true;
  for (let at = 0; at + QUOTATION <= line.length; at++) {
    if (isIn(texts, line.slice(at, at + QUOTATION))) return true;
  }
  return false;
}

/** `line` without its quotations; what is too long to look through goes. */
function redact(line: string, texts: readonly string[]): string {
  let [rest, kept] = [line.slice(0, MAX_MESSAGE).replaceAll(ID, REDACTED), ""];
  while (rest !== "") {
    let length = QUOTATION;
    if (rest.length < length || !isIn(texts, rest.slice(0, length))) {
      kept += rest[0];
      rest = rest.slice(1);
      continue;
    }
    while (length < rest.length && isIn(texts, rest.slice(0, length + 1))) length++;
    kept += REDACTED;
    rest = rest.slice(length);
  }
  return kept;
}

const isIn = (texts: readonly string[], part: string) => texts.some((text) => text.includes(part));
