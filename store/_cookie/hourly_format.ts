/**
 * The cookie format of this package: base64url, without padding, of
 *
 * | bytes | content |
 * | --- | --- |
 * | 1 | the version, 1 |
 * | 3 | the hour of the encryption, counted from 1970, big-endian |
 * | 12 | the nonce, random |
 * | … | the session (see `payload.ts`) under AES-256-GCM |
 * | 16 | the authentication tag |
 *
 * The key is derived from the secret, the purpose and the hour. The associated data is `1 PURPOSE`,
 * or, if the value is bound to a name, the JSON of `[1, PURPOSE, NAME]`. These texts never
 * coincide.
 */
import { toUtf8 } from "../../base/utf8.ts";
import { decryptWithAny, IV_BYTES, TAG_BYTES } from "../../base/aes_gcm.ts";
import { type Awaitable, isPromise } from "../../base/awaitable.ts";
import { Base64 } from "../../base/base64.ts";
import { BoundedCache } from "../../base/bounded_cache.ts";
import { DerivedKeys } from "../../base/derived_keys.ts";
import { MAX_COOKIE_AGE, MAX_VALUE_BYTES } from "../../base/limits.ts";
import { toPlainData } from "../../base/record_text.ts";
import { recordFromPlainData } from "../_plain_methods.ts";
import type { SessionHash } from "../store.ts";
import {
  checkSize,
  type CookieFormat,
  type CookieFormatOptions,
  type CookieSession,
} from "./format.ts";
import { decodePayload, encodePayload } from "./payload.ts";

const VERSION = 1;
/** Bytes of the version and the hour. */
const HEAD_BYTES = 4;
/** Where the ciphertext starts. */
const BODY = HEAD_BYTES + IV_BYTES;
const OVERHEAD_BYTES = BODY + TAG_BYTES;
const HOUR = 3600;

/** The context of a key is an hour and the purpose, so no key encrypts too many values. */
const KEY_LABEL = "@pagi/session sealed session 1";
/** A value can be at most 9,600 hours old: 400 days. */
const CACHED_KEYS = 10_000;

/** The most by which the clocks of two servers may differ, in seconds. */
const CLOCK_SKEW = 300;

/** How many sessions a store caches at least, about 1 KB each, and 10 KB at most in one cookie. */
export const CACHED_SESSIONS = 500;
/** How many names have their associated data cached. A State has one, but an app may use many. */
const CACHED_NAMES = 100;

const encoding = new Base64("base64url");
/** The characters of a value. The first two contain the version, 1. */
const VALUE = /^A[Q-Za-f][\w-]*$/;
const MIN_SIZE = encoding.lengthOf(OVERHEAD_BYTES + 1);

/** Options of {@linkcode HourlyFormat}. */
export interface HourlyFormatOptions extends CookieFormatOptions {
  /** What the values are for. Values of another purpose are not accepted. */
  purpose: string;
  /** How many sessions are cached by their values; no cache if `undefined`. */
  cacheSize?: number;
}

/** A session in the cache, with the hour and the name of its value. */
interface CachedSession {
  session: CookieSession;
  hour: number;
  name: string | undefined;
}

/**
 * Encrypts sessions under a key of the hour. Sessions that it has encrypted or decrypted recently
 * come from a cache, because the cryptography costs far more than everything else.
 */
export class HourlyFormat implements CookieFormat {
  readonly #keys: readonly DerivedKeys[];
  readonly #purpose: string;
  /** The associated data of each name. */
  readonly #associatedData = new Map<string | undefined, Uint8Array<ArrayBuffer>>();
  readonly #cache: BoundedCache<CachedSession> | undefined;
  readonly #maxSize: number;
  readonly #now: () => number;

  constructor({ secrets, purpose, cacheSize, maxSize, now }: HourlyFormatOptions) {
    this.#keys = secrets.map((secret) => new DerivedKeys(secret, KEY_LABEL, CACHED_KEYS));
    this.#purpose = purpose;
    if (cacheSize !== undefined) this.#cache = new BoundedCache(cacheSize);
    this.#maxSize = maxSize;
    this.#now = now;
  }

  accepts(value: string): boolean {
    return value.length >= MIN_SIZE && value.length <= MAX_VALUE_BYTES && VALUE.test(value);
  }

  decrypt(value: string, maxAge: number, name?: string): Awaitable<CookieSession | undefined> {
    const cached = this.#cache?.get(value);
    if (cached === undefined || cached.name !== name) return this.#decrypt(value, maxAge, name);
    return this.#canBeFrom(cached.hour, maxAge) ? this.#unlessExpired(cached.session) : undefined;
  }

  async #decrypt(value: string, maxAge: number, name?: string): Promise<CookieSession | undefined> {
    if (value.length > MAX_VALUE_BYTES) return undefined;
    const bytes = encoding.decode(value);
    if (bytes === undefined || bytes.length <= OVERHEAD_BYTES) return undefined;
    const hour = (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
    // Checked first, so that invalid values cannot make the server derive keys of arbitrary hours.
    if (bytes[0] !== VERSION || !this.#canBeFrom(hour, maxAge)) return undefined;
    const plain = await decryptWithAny(
      this.#keys.map((keys) => () => keys.for(this.#contextOf(hour))),
      this.#parameters(bytes, name),
      bytes.subarray(BODY),
    );
    if (plain === undefined) return undefined;
    const session = decodePayload(plain);
    // Encoded again: `value` may be a slice of a header, and would keep the whole header in memory.
    this.#cache?.set(encoding.encode(bytes), { session, hour, name });
    return this.#unlessExpired(session);
  }

  async encrypt(
    session: CookieSession,
    name?: string,
    maxSize: number = this.#maxSize,
  ): Promise<string> {
    const { text } = session;
    const bytes = encodePayload(session, { before: BODY, after: TAG_BYTES });
    checkSize(encoding.lengthOf(bytes.length), maxSize, text);
    const hour = Math.floor(this.#now() / 1000 / HOUR);
    bytes.set([VERSION, hour >> 16, hour >> 8, hour]);
    crypto.getRandomValues(bytes.subarray(HEAD_BYTES, BODY));
    const plain = bytes.subarray(BODY, -TAG_BYTES);
    // Decoded from the payload, which rounds the lifetime to seconds: the cache must not differ
    // from it.
    const cached = { session: decodePayload(plain), hour, name };
    const pending = this.#keys[0]!.for(this.#contextOf(hour));
    const key = isPromise(pending) ? await pending : pending;
    const sealed = await crypto.subtle.encrypt(this.#parameters(bytes, name), key, plain);
    bytes.set(new Uint8Array(sealed), BODY);
    const value = encoding.encode(bytes);
    this.#cache?.set(value, cached);
    return value;
  }

  async decryptPlain(value: string): Promise<SessionHash | undefined> {
    const session = await this.decrypt(value, Infinity);
    return session && toPlainData(session);
  }

  async encryptPlain(id: string, data: SessionHash, generation: string): Promise<string> {
    const now = Math.floor(this.#now() / 1000);
    const { text, lastAccess } = recordFromPlainData(data, { id, now });
    // PAGI's `set` is given no lifetime.
    const lifetime = Math.max(0, now - lastAccess) + MAX_COOKIE_AGE;
    return await this.encrypt({ id, text, lastAccess, lifetime, generation });
  }

  #contextOf(hour: number): string {
    return `${hour} ${this.#purpose}`;
  }

  #parameters(bytes: Uint8Array<ArrayBuffer>, name: string | undefined): AesGcmParams {
    const iv = bytes.subarray(HEAD_BYTES, BODY);
    const additionalData = this.#associatedData.get(name) ?? this.#associatedDataOf(name);
    return { name: "AES-GCM", iv, additionalData };
  }

  #associatedDataOf(name: string | undefined): Uint8Array<ArrayBuffer> {
    const associatedData = toUtf8(
      name === undefined
        ? `${VERSION} ${this.#purpose}`
        : JSON.stringify([VERSION, this.#purpose, name]),
    );
    if (this.#associatedData.size < CACHED_NAMES) this.#associatedData.set(name, associatedData);
    return associatedData;
  }

  #unlessExpired(session: CookieSession): CookieSession | undefined {
    return this.#now() / 1000 > session.lastAccess + session.lifetime ? undefined : session;
  }

  /** Whether a value of that hour can be valid: it is not from the future and not too old. */
  #canBeFrom(hour: number, maxAge: number): boolean {
    const now = this.#now() / 1000;
    const oldest = now - Math.min(maxAge, MAX_COOKIE_AGE) - CLOCK_SKEW;
    return hour >= Math.floor(oldest / HOUR) && hour <= Math.floor((now + CLOCK_SKEW) / HOUR);
  }
}
