/** Between a session's data and its text: what may be in it, how it is written, how large it may be. */
import {
  decodeSession,
  encodeSession,
  MAX_DEPTH,
  type SessionValues,
  stringifyValues,
  STRUCTURED,
} from "../base/record_text.ts";
import type { Control, Shown } from "./working_copy.ts";
import { findFault, type Keeper } from "./unsupported_value.ts";
import { arePlain, isPlain } from "./json_values.ts";
import { hasTag, isMarked, pack, packValues, unpack } from "./structured_codec.ts";
import { MAX_BYTES_PER_UNIT } from "../base/utf8.ts";
import { SessionError } from "../errors.ts";

/** How values become text: as JSON, or as JSON with tags for what that does not carry. */
export type CodecName = "json" | "structured";

const KEEPERS: Record<CodecName, Keeper> = {
  json: { name: "JSON", hasCollections: false, keeps: (value) => isPlain(value, MAX_DEPTH) },
  structured: {
    name: "the codec",
    hasCollections: true,
    keeps: (value) => pack(value) !== undefined,
  },
};

/** One codec, with the limit of a middleware. */
export class DataCodec {
  readonly #name: CodecName;
  readonly #maxBytes: number;

  constructor(name: CodecName, maxBytes: number) {
    this.#name = name;
    this.#maxBytes = maxBytes;
  }

  /** The session that `text` holds, as the app sees it; undefined when it holds none. */
  decode(text: unknown): SessionValues | undefined {
    const values = decodeSession(text);
    if (values === undefined || !isMarked(values)) return values;
    // What its tags stand for only the other codec can say.
    if (this.#name === "json") return undefined;
    delete values._codec;
    try {
      return unpack(values) as SessionValues;
    } catch {
      return undefined;
    }
  }

  /**
   * The text of data that was made of a record. Where the app has left alone what is ours it is the
   * data's JSON, without the tail that the app is shown; so a read costs one JSON.stringify.
   *
   * @param base The record's text, if there is one.
   * @throws {SessionError} `ERR_SESSION_DATA` or `ERR_SESSION_TOO_LARGE`.
   */
  textOf(
    { data, isExposed }: Control,
    created: number,
    shown: Shown,
    base: string | undefined,
  ): string {
    const isOurs = data._created === created && data._regenerated === undefined &&
      data._destroyed === undefined && data._codec === undefined;
    const packed = this.#pack(data, base);
    if (isOurs && packed === data) {
      const json = stringifyValues(data);
      if (!isExposed) return this.#fit(json, base);
      const tail = `,"_id":${JSON.stringify(shown.id)},"_last_access":${shown.lastAccess}}`;
      if (json.endsWith(tail)) return this.#fit(`${json.slice(0, -tail.length)}}`, base);
    }
    const mark = packed === data ? undefined : STRUCTURED;
    return this.#fit(
      encodeSession(packed, created, data._subject as string | undefined, mark),
      base,
    );
  }

  /**
   * The text of data that replaces a record's.
   *
   * @throws {SessionError} `ERR_SESSION_DATA` or `ERR_SESSION_TOO_LARGE`.
   */
  encode(
    data: SessionValues,
    created: number,
    subject: string | undefined,
    base: string,
  ): string {
    const packed = this.#pack(data, base);
    const mark = packed === data ? undefined : STRUCTURED;
    return this.#fit(encodeSession(packed, created, subject, mark), base);
  }

  /**
   * The text of a merge's result.
   *
   * @throws {SessionError} `ERR_SESSION_TOO_LARGE`.
   */
  encodeTree(tree: SessionValues, created: number, subject: string | undefined): string {
    const mark = this.#name === "structured" && hasTag(tree) ? STRUCTURED : undefined;
    return this.#fit(encodeSession(tree, created, subject, mark), undefined);
  }

  /**
   * What the text of a session says as JSON, with tags and without a prototype: to a merge every key is
   * data, and two values are the same when they are written the same.
   */
  treeOf(text: string): SessionValues {
    const values = decodeSession(text)!;
    const isEscaped = this.#name === "json" || isMarked(values);
    // What looks like a tag in a text without any is the app's own.
    return Object.setPrototypeOf(isEscaped ? values : packValues(values)!, null);
  }

  /**
   * What functions make of a value in a tree, one after the other.
   *
   * @throws {SessionError} `ERR_SESSION_DATA`.
   */
  replay(
    key: string,
    value: unknown,
    functions: readonly ((value: unknown) => unknown)[],
  ): unknown {
    const known = this.#name === "structured" ? unpack(value) : value;
    const changed: SessionValues = Object.create(null);
    changed[key] = functions.reduce((value, change) => change(value), known);
    return this.#pack(changed, undefined)[key];
  }

  /** The JSON of a value; empty where there is none, which the commit will say. */
  fingerprint(value: unknown): string | undefined {
    try {
      if (this.#name === "json" || value === undefined) return JSON.stringify(value);
      return JSON.stringify(pack(value)) ?? "";
    } catch {
      return "";
    }
  }

  /** The data as JSON; `data` itself where it is that already. */
  #pack(data: SessionValues, base: string | undefined): SessionValues {
    let cause: unknown;
    try {
      const packed = this.#name === "json" ? arePlain(data) ? data : undefined : packValues(data);
      if (packed !== undefined) return packed;
      const keeper = this.#keeperFor(base);
      const fault = findFault(data, keeper);
      if (fault !== undefined) throw dataError(fault);
      if (keeper !== KEEPERS[this.#name]) return data;
    } catch (error) {
      if (error instanceof SessionError) throw error;
      // A getter's own, or of a stack that was nearly full before.
      cause = error;
    }
    throw dataError("its data cannot be read", cause);
  }

  /** JSON has numbers that are too large for a number: where a record came with one, it may stay. */
  #keeperFor(base: string | undefined): Keeper {
    const keeper = KEEPERS[this.#name];
    const stored = base === undefined ? undefined : decodeSession(base);
    if (this.#name !== "json" || stored === undefined || arePlain(stored)) return keeper;
    const isHuge = (value: unknown) => value === Infinity || value === -Infinity;
    return { ...keeper, keeps: (value) => isHuge(value) || keeper.keeps(value) };
  }

  /** `text`, if it is not too large; what stands in the store already may go on. */
  #fit(text: string, base: string | undefined): string {
    if (text.length * MAX_BYTES_PER_UNIT <= this.#maxBytes || text === base) return text;
    const bytes = new TextEncoder().encode(text).length;
    if (bytes <= this.#maxBytes) return text;
    throw new SessionError(
      "ERR_SESSION_TOO_LARGE",
      `Cannot save the session: it has ${bytes} bytes, and maxBytes is ${this.#maxBytes}`,
    );
  }
}

/** For data that no middleware keeps. */
export const PLAIN_CODEC = new DataCodec("json", Infinity);

function dataError(why: string, cause?: unknown): SessionError {
  return new SessionError("ERR_SESSION_DATA", `Cannot save the session: ${why}`, { cause });
}
