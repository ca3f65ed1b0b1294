/**
 * This package's own format of a sealed session: base64url, without padding, of
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | the version, 1 |
 * | 3 | the hour in which it was sealed, from 1970, big-endian |
 * | 12 | the nonce, random |
 * | … | the session (`_cookie_payload.ts`) under AES-256-GCM |
 * | 16 | the tag |
 *
 * The key is derived from the secret, the purpose and the hour. The associated data is `1 PURPOSE`,
 * or where the value is carried under a name the JSON of `[1, PURPOSE, NAME]`: no two of these are
 * the same text.
 */
import { type Awaitable, isPromise } from "../../base/awaitable.ts";
import { Base64 } from "../../base/base64.ts";
import { hashOf, sessionOf } from "../_cookie_hash.ts";
import { pack, unpack } from "./payload.ts";
import { BoundedCache } from "../../base/bounded_cache.ts";
import {
  checkSize,
  MAX_COOKIE_BYTES,
  MAX_LIFETIME,
  type SealedSession,
  type SealFormat,
  type SealFormatOptions,
} from "./format.ts";
import { decryptWithAny, IV_BYTES, TAG_BYTES } from "../../base/aes_gcm.ts";
import { DerivedKeys } from "../../base/derived_keys.ts";
import type { SessionHash } from "../store.ts";

const VERSION = 1;
/** Version and hour. */
const HEAD_BYTES = 4;
/** Where the session begins. */
const BODY = HEAD_BYTES + IV_BYTES;
const OVERHEAD_BYTES = BODY + TAG_BYTES;
const HOUR = 3600;

/**
 * The context of a key is an hour and the purpose, so that no key encrypts too many values.
 */
const KEY_LABEL = "@pagi/session sealed session 1";
/** More hours than a value can be old. */
const CACHED_KEYS = 10_000;

/** How far the clocks of two servers may be apart, in seconds. */
const SKEW = 300;

/** How many values a store remembers, some 1 KB each and 10 KB at most; at times twice as many. */
export const REMEMBERED = 500;
/** How many names are remembered in bytes: a State has one, and one that makes them up gets no more. */
const MAX_NAMES = 100;

const encoding = new Base64("base64url");
const bytesOf = (text: string) => new TextEncoder().encode(text);
/** A value's letters, the first two of which say version 1. */
const FORM = /^A[Q-Za-f][\w-]*$/;
const MIN_SIZE = encoding.lengthOf(OVERHEAD_BYTES + 1);

/** Options of {@linkcode HourlySeal}. */
export interface HourlySealOptions extends SealFormatOptions {
  /** What the values are for; those of another purpose do not open. */
  purpose: string;
  /** How many values are remembered, each with its session; none where nothing is said. */
  remembered?: number;
}

/** A session whose value is remembered, with the hour and the name that it was sealed for. */
interface Remembered {
  session: SealedSession;
  hour: number;
  name: string | undefined;
}

/**
 * Seals sessions under a key of the hour. What it has sealed or decrypted lately it opens without
 * cryptography, which costs ten times as much as all the rest.
 */
export class HourlySeal implements SealFormat {
  readonly #keys: readonly DerivedKeys[];
  readonly #purpose: string;
  /** The associated data, by name. */
  readonly #associated = new Map<string | undefined, Uint8Array<ArrayBuffer>>();
  readonly #remembered: BoundedCache<Remembered> | undefined;
  readonly #maxSize: number;
  readonly #now: () => number;

  constructor({ secrets, purpose, remembered, maxSize, now }: HourlySealOptions) {
    this.#keys = secrets.map((secret) => new DerivedKeys(secret, KEY_LABEL, CACHED_KEYS));
    this.#purpose = purpose;
    if (remembered !== undefined) this.#remembered = new BoundedCache(remembered);
    this.#maxSize = maxSize;
    this.#now = now;
  }

  accepts(value: string): boolean {
    return value.length >= MIN_SIZE && value.length <= MAX_COOKIE_BYTES && FORM.test(value);
  }

  open(value: string, maxAge: number, name?: string): Awaitable<SealedSession | undefined> {
    const known = this.#remembered?.get(value);
    if (known === undefined || known.name !== name) return this.#decrypt(value, maxAge, name);
    return this.#canBeFrom(known.hour, maxAge) ? this.#unlessExpired(known.session) : undefined;
  }

  async #decrypt(value: string, maxAge: number, name?: string): Promise<SealedSession | undefined> {
    if (value.length > MAX_COOKIE_BYTES) return undefined;
    const bytes = encoding.decode(value);
    if (bytes === undefined || bytes.length <= OVERHEAD_BYTES) return undefined;
    const hour = (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
    // Before any crypto: junk must not make us derive the keys of hours that never were.
    if (bytes[0] !== VERSION || !this.#canBeFrom(hour, maxAge)) return undefined;
    const plain = await decryptWithAny(
      this.#keys.map((keys) => () => keys.for(this.#contextOf(hour))),
      this.#parameters(bytes, name),
      bytes.subarray(BODY),
    );
    if (plain === undefined) return undefined;
    const session = unpack(plain);
    // The same letters, but not cut out of a header, which would stay in memory with them.
    this.#remembered?.set(encoding.encode(bytes), { session, hour, name });
    return this.#unlessExpired(session);
  }

  async seal(session: SealedSession, name?: string): Promise<string> {
    // At least: what is far too large is not even packed.
    checkSize(encoding.lengthOf(OVERHEAD_BYTES + session.text.length), this.#maxSize);
    const bytes = pack(session, { before: BODY, after: TAG_BYTES });
    checkSize(encoding.lengthOf(bytes.length), this.#maxSize);
    const hour = Math.floor(this.#now() / 1000 / HOUR);
    bytes.set([VERSION, hour >> 16, hour >> 8, hour]);
    crypto.getRandomValues(bytes.subarray(HEAD_BYTES, BODY));
    const plain = bytes.subarray(BODY, -TAG_BYTES);
    // What is sealed, which is not all that was handed in: a lifetime has whole seconds.
    const remembered = { session: unpack(plain), hour, name };
    const pending = this.#keys[0]!.for(this.#contextOf(hour));
    const key = isPromise(pending) ? await pending : pending;
    const sealed = await crypto.subtle.encrypt(this.#parameters(bytes, name), key, plain);
    bytes.set(new Uint8Array(sealed), BODY);
    const value = encoding.encode(bytes);
    this.#remembered?.set(value, remembered);
    return value;
  }

  async openHash(value: string): Promise<SessionHash | undefined> {
    const session = await this.open(value, Infinity);
    return session && hashOf(session);
  }

  async sealHash(id: string, hash: SessionHash): Promise<string> {
    const now = Math.floor(this.#now() / 1000);
    const { text, lastAccess } = sessionOf(hash, { id, now });
    // PAGI's `set` says nothing of how long.
    const lifetime = Math.max(0, now - lastAccess) + MAX_LIFETIME;
    return await this.seal({ id, text, lastAccess, lifetime });
  }

  #contextOf(hour: number): string {
    return `${hour} ${this.#purpose}`;
  }

  #parameters(bytes: Uint8Array<ArrayBuffer>, name: string | undefined): AesGcmParams {
    const iv = bytes.subarray(HEAD_BYTES, BODY);
    const additionalData = this.#associated.get(name) ?? this.#associate(name);
    return { name: "AES-GCM", iv, additionalData };
  }

  #associate(name: string | undefined): Uint8Array<ArrayBuffer> {
    const associated = bytesOf(
      name === undefined
        ? `${VERSION} ${this.#purpose}`
        : JSON.stringify([VERSION, this.#purpose, name]),
    );
    if (this.#associated.size < MAX_NAMES) this.#associated.set(name, associated);
    return associated;
  }

  #unlessExpired(session: SealedSession): SealedSession | undefined {
    return this.#now() / 1000 > session.lastAccess + session.lifetime ? undefined : session;
  }

  /** Not from the future, and not from so long ago that nothing from then still lives. */
  #canBeFrom(hour: number, maxAge: number): boolean {
    const now = this.#now() / 1000;
    const oldest = now - Math.min(maxAge, MAX_LIFETIME) - SKEW;
    return hour >= Math.floor(oldest / HOUR) && hour <= Math.floor((now + SKEW) / HOUR);
  }
}
