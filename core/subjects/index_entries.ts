/** Makes, reads and judges the entries of an index. */
import { findJson } from "../../base/record_header.ts";
import { decodeSession } from "../../base/record_text.ts";
import { TextSeal } from "../../base/text_seal.ts";
import type { SessionRecord } from "../backend/backend.ts";
import { unixNow } from "../lookup.ts";
import type { ResolvedOptions } from "../options.ts";
import { type Index, sealContext } from "./index_keys.ts";
import type { IndexContent, IndexEntry } from "./index_record.ts";
import { MAX_WRITE_SECONDS } from "./index_records.ts";

/** The most seconds of a session's age without a confirmation while it is used. */
const MAX_CONFIRM_SECONDS = 3600;
/** Seconds for which a record is kept at least. */
const MIN_KEPT = 7 * 86_400;
/** The store keeps the record of a session that has expired for at most this many seconds. */
const MAX_REMAINS = 3600;

/** The rules of the entries. */
export class IndexEntries {
  readonly #options: ResolvedOptions;
  readonly #seal: TextSeal;
  /** Unseals only what the first secret has sealed. */
  readonly #firstSeal: TextSeal;
  /**
   * A session that stays in use is confirmed once in so many seconds of its age. So the index of an
   * active session is used at least as often as a store keeps a session's record. A store that drops
   * what was used least recently then drops the indexes of expired sessions first.
   */
  readonly #confirm: number;
  /** Seconds for which a session can be active without being used. */
  readonly #idle: number;
  /** Seconds for which a session can be active without being confirmed. */
  readonly #maxActive: number;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#seal = new TextSeal(options.secrets);
    const [first, ...others] = options.secrets;
    this.#firstSeal = others.length === 0 ? this.#seal : new TextSeal([first!]);
    const { expire, touchInterval } = options;
    this.#idle = expire + touchInterval + MAX_WRITE_SECONDS;
    this.#confirm = Math.min(MAX_CONFIRM_SECONDS, expire);
    this.#maxActive = this.#idle + this.#confirm;
  }

  /** Seconds for which a record of entries is kept. */
  keptFor({ idle = 0 }: IndexContent): number {
    return Math.max(MIN_KEPT, 2 * (this.#maxActive + idle));
  }

  /** Makes an entry. */
  async make(
    index: Index,
    { tag, idle }: Pick<IndexEntry, "tag" | "idle">,
    sessionKey: string,
  ): Promise<IndexEntry> {
    const sealed = await this.#seal.seal(sealContext(index), sessionKey);
    return { tag, sealed, at: this.#now(), idle };
  }

  /** The session's key in an entry; `undefined` if it was not encrypted under one of the secrets. */
  async unseal(index: Index, { sealed }: IndexEntry): Promise<string | undefined> {
    return await this.#seal.unseal(sealContext(index), sealed);
  }

  /** Whether a session that is used now has to be confirmed. */
  isConfirmDue({ created, lastAccess }: { created: number; lastAccess: number }): boolean {
    // In the future, if another server's clock is wrong: that server has confirmed it.
    return lastAccess <= this.#now() &&
      Math.floor((this.#now() - created) / this.#confirm) !==
        Math.floor((lastAccess - created) / this.#confirm);
  }

  /** The entry of a session that is in use. */
  async confirm(index: Index, entry: IndexEntry, sessionKey: string): Promise<IndexEntry> {
    const now = this.#now();
    // Under another secret, the list could not be read once this server's first secret is the only
    // one.
    const isReadable =
      await this.#firstSeal.unseal(sealContext(index), entry.sealed) === sessionKey;
    if (!isReadable) return await this.make(index, entry, sessionKey);
    return entry.at >= now ? entry : { ...entry, at: now };
  }

  /**
   * The entry of a session whose record is there. A session that has expired here may still be
   * active on a server with a longer `expire`. It is examined again when the store will have removed
   * its record if it is not.
   */
  keep(entry: IndexEntry, { lastAccess }: SessionRecord): IndexEntry {
    const now = this.#now();
    const isActive = now - lastAccess <= this.#idle;
    const at = isActive ? now : now - this.#idle + Math.min(this.#options.expire, MAX_REMAINS);
    return { ...entry, at };
  }

  /** Whether the entry's session may not have been written yet. */
  mayBeUnwritten({ at }: IndexEntry): boolean {
    return this.#now() - at <= MAX_WRITE_SECONDS;
  }

  /** Whether the entry's session may have expired. */
  mayBeExpired({ at }: IndexEntry): boolean {
    return this.#now() - at > this.#idle;
  }

  /** Whether the entry's session can only be active if there is a newer entry for it. */
  isPast({ at, idle = 0 }: IndexEntry): boolean {
    return this.#now() - at > this.#maxActive + idle;
  }

  #now(): number {
    return unixNow(this.#options);
  }
}

/** The content without the entries that are meant. Without such entries, the same object. */
export function without(
  content: IndexContent,
  isMeant: (entry: IndexEntry) => boolean,
): IndexContent {
  const entries = content.entries.filter((entry) => !isMeant(entry));
  return entries.length === content.entries.length ? content : { ...content, entries };
}

/** Whether the record is a session of this subject. */
export function isSessionOf(subject: string, { text }: SessionRecord): boolean {
  return decodeSession(text.slice(findJson(text)))?._subject === subject;
}
