/**
 * Converts between a session's values and its text: which values are allowed, and how large it may
 * be.
 */
import {
  decodeSession,
  encodeSession,
  MAX_DEPTH,
  type SessionValues,
  stringifyValues,
  STRUCTURED,
} from "../base/record_text.ts";
import { MAX_BYTES_PER_UNIT } from "../base/utf8.ts";
import { SessionError } from "../errors.ts";
import { arePlain, isPlain } from "./json_values.ts";
import { fromTagged, hasTag, isTagged, toTagged, toTaggedValues } from "./structured_codec.ts";
import { findUnsupportedValue, type ValueRule } from "./unsupported_value.ts";

/** How values become text: as JSON, or as JSON with tags for what JSON cannot hold. */
export type CodecName = "json" | "structured";

const RULES: Record<CodecName, ValueRule> = {
  json: { name: "JSON", hasCollections: false, allows: (value) => isPlain(value, MAX_DEPTH) },
  structured: {
    name: "the codec",
    hasCollections: true,
    allows: (value) => toTagged(value) !== undefined,
  },
};

/** The part of a working copy that is encoded. */
export interface EncodableSession {
  readonly data: SessionValues;
  /** Whether the values are complete with ID and last-access time, as the app sees them. */
  readonly isMaterialized: boolean;
  /** The ID in the values; `undefined` if they have none. */
  readonly id: string | undefined;
  readonly lastAccess: number;
}

/** One codec, with the size limit of one middleware. */
export class DataCodec {
  readonly #name: CodecName;
  readonly #maxBytes: number;

  constructor(name: CodecName, maxBytes: number) {
    this.#name = name;
    this.#maxBytes = maxBytes;
  }

  /** The session in `text`, as the app sees it; `undefined` if the text is not a valid session. */
  decode(text: unknown): SessionValues | undefined {
    const values = decodeSession(text);
    if (values === undefined || !isTagged(values)) return values;
    // Only the codec that wrote the tags knows what they stand for.
    if (this.#name === "json") return undefined;
    delete values._codec;
    try {
      return fromTagged(values) as SessionValues;
    } catch {
      return undefined;
    }
  }

  /**
   * The text of a request's session. If the app left the reserved keys alone, it is the JSON of the
   * values without the ID and the last-access time at their end. So most requests stringify once.
   *
   * @param base The record's text, if there is a record.
   * @throws {SessionError} `ERR_SESSION_DATA` or `ERR_SESSION_TOO_LARGE`.
   */
  encodeSession(session: EncodableSession, created: number, base: string | undefined): string {
    const { data } = session;
    const isUntouched = data._created === created && data._regenerated === undefined &&
      data._destroyed === undefined && data._codec === undefined;
    const tree = this.#toTree(data, base);
    if (isUntouched && tree === data) {
      const json = stringifyValues(data);
      if (!session.isMaterialized) return this.#checkSize(json, base);
      const tail = `,"_id":${JSON.stringify(session.id)},"_last_access":${session.lastAccess}}`;
      if (json.endsWith(tail)) return this.#checkSize(`${json.slice(0, -tail.length)}}`, base);
    }
    return this.#encodeTree(tree, data, created, data._subject as string | undefined, base);
  }

  /**
   * The text of values that replace those of a record.
   *
   * @throws {SessionError} `ERR_SESSION_DATA` or `ERR_SESSION_TOO_LARGE`.
   */
  encodeValues(
    values: SessionValues,
    created: number,
    subject: string | undefined,
    base: string,
  ): string {
    return this.#encodeTree(this.#toTree(values, base), values, created, subject, base);
  }

  /**
   * The text of a merge's result.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE`.
   */
  encodeJsonTree(tree: SessionValues, created: number, subject: string | undefined): string {
    const codec = this.#name === "structured" && hasTag(tree) ? STRUCTURED : undefined;
    return this.#checkSize(encodeSession(tree, created, subject, codec), undefined);
  }

  /**
   * The JSON of a session's text, with tags and without a prototype. To a merge every key is data,
   * and two values are equal if they are written in the same way.
   */
  toJsonTree(text: string): SessionValues {
    const values = decodeSession(text)!;
    const hasTags = this.#name === "json" || isTagged(values);
    // In a text without tags, what looks like a tag belongs to the app and has to be escaped.
    return Object.setPrototypeOf(hasTags ? values : toTaggedValues(values)!, null);
  }

  /**
   * Applies functions to a value of a JSON tree, one after the other.
   *
   * @throws {SessionError} `ERR_SESSION_DATA`.
   */
  replay(
    key: string,
    value: unknown,
    functions: readonly ((value: unknown) => unknown)[],
  ): unknown {
    const known = this.#name === "structured" ? fromTagged(value) : value;
    const changed: SessionValues = Object.create(null);
    changed[key] = functions.reduce((value, change) => change(value), known);
    return this.#toTree(changed, undefined)[key];
  }

  /** The JSON of a value. Empty if the codec cannot hold the value; the commit reports that. */
  fingerprint(value: unknown): string | undefined {
    try {
      if (this.#name === "json" || value === undefined) return JSON.stringify(value);
      return JSON.stringify(toTagged(value)) ?? "";
    } catch {
      return "";
    }
  }

  #encodeTree(
    tree: SessionValues,
    data: SessionValues,
    created: number,
    subject: string | undefined,
    base: string | undefined,
  ): string {
    const codec = tree === data ? undefined : STRUCTURED;
    return this.#checkSize(encodeSession(tree, created, subject, codec), base);
  }

  /** The values as JSON; `data` itself if they are JSON already. */
  #toTree(data: SessionValues, base: string | undefined): SessionValues {
    let cause: unknown;
    try {
      const tree = this.#name === "json" ? arePlain(data) ? data : undefined : toTaggedValues(data);
      if (tree !== undefined) return tree;
      const rule = this.#ruleFor(base);
      const found = findUnsupportedValue(data, rule);
      if (found !== undefined) throw dataError(found);
      if (rule !== RULES[this.#name]) return data;
    } catch (error) {
      if (error instanceof SessionError) throw error;
      // A getter threw, or the stack was nearly full before.
      cause = error;
    }
    throw dataError("its data cannot be read", cause);
  }

  /** JSON can hold numbers that parse as Infinity. A record that came with one may keep it. */
  #ruleFor(base: string | undefined): ValueRule {
    const rule = RULES[this.#name];
    const stored = base === undefined ? undefined : decodeSession(base);
    if (this.#name !== "json" || stored === undefined || arePlain(stored)) return rule;
    const isInfinite = (value: unknown) => value === Infinity || value === -Infinity;
    return { ...rule, allows: (value) => isInfinite(value) || rule.allows(value) };
  }

  /** Returns `text` unless it is too large. A text that is in the store already may stay. */
  #checkSize(text: string, base: string | undefined): string {
    if (text.length * MAX_BYTES_PER_UNIT <= this.#maxBytes || text === base) return text;
    const bytes = new TextEncoder().encode(text).length;
    if (bytes <= this.#maxBytes) return text;
    throw new SessionError(
      "ERR_SESSION_TOO_LARGE",
      `Cannot save the session: it has ${bytes} bytes, and maxBytes is ${this.#maxBytes}`,
    );
  }
}

/** For values that no middleware saves. */
export const PLAIN_CODEC = new DataCodec("json", Infinity);

function dataError(why: string, cause?: unknown): SessionError {
  return new SessionError("ERR_SESSION_DATA", `Cannot save the session: ${why}`, { cause });
}
