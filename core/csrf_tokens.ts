/**
 * Tokens that prove that a request was made by a page of this session (CSRF). A token is a random
 * salt and a MAC of the salt and of what the session is, under the middleware's secret. Nothing is
 * stored. Each token is a different text, so that compression of the page reveals none of it (BREACH).
 */
import { toHex } from "../base/hex.ts";
import { hmacSha256 } from "../base/hmac_sha256.ts";
import { isId, keyOf } from "../base/id.ts";
import { isSameVerifier } from "../base/record_header.ts";
import { toUtf8 } from "../base/utf8.ts";

const SALT_BYTES = 12;
const SALT_DIGITS = 2 * SALT_BYTES;
const MAC_BYTES = 20;
/** Tells these MACs from others under the same secret. */
const LABEL = "@pagi/session csrf";

/**
 * Binds tokens to a session's key, which stays the same for its life, and to how often its ID was
 * regenerated. So a rotation leaves them valid, and a login does not.
 */
export function csrfBinding(id: string, regenerations: number): string {
  return `${isId(id) ? keyOf(id) : id} ${regenerations}`;
}

/** Makes and checks the tokens of one middleware. */
export class CsrfTokens {
  readonly #secrets: readonly string[];

  /** @param secrets The first makes tokens; all of them check tokens. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** Makes a token: 64 hex digits. */
  make(binding: string): string {
    const salt = toHex(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));
    return tokenOf(this.#secrets[0]!, salt, binding);
  }

  /** Whether a text that a client sent is a token of the session. */
  matches(text: unknown, binding: string): boolean {
    if (typeof text !== "string") return false;
    const salt = text.slice(0, SALT_DIGITS);
    return this.#secrets.some((secret) => isSameVerifier(text, tokenOf(secret, salt, binding)));
  }
}

function tokenOf(secret: string, salt: string, binding: string): string {
  const mac = hmacSha256(toUtf8(secret), toUtf8(`${LABEL} ${salt} ${binding}`));
  return salt + toHex(mac.subarray(0, MAC_BYTES));
}
