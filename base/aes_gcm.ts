/** AES-GCM: the sizes of its parts, and decryption with any of several keys. */
import { type Awaitable, isPromise } from "./awaitable.ts";

/** Bytes of a nonce: 96 random bits. */
export const IV_BYTES = 12;
/** Bytes of the authentication tag, at its full length. */
export const TAG_BYTES = 16;

/**
 * Decrypts with the first key that fits. Resolves to `undefined` if no key does. Later keys are
 * derived only if the earlier ones do not fit.
 *
 * @throws If a key cannot be derived, or if decryption fails before it compares the tag.
 */
export async function decryptWithAny(
  keys: readonly (() => Awaitable<CryptoKey>)[],
  parameters: AesGcmParams,
  sealed: BufferSource,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (const deriveKey of keys) {
    const pending = deriveKey();
    // A key that was derived before costs no turn of the event loop.
    const key = isPromise(pending) ? await pending : pending;
    try {
      return new Uint8Array(await crypto.subtle.decrypt(parameters, key, sealed));
    } catch (error) {
      // An OperationError means another key or a changed text; callers do not learn which. Any
      // other error is a failure of the machine, which must not make a client lose its session.
      if (!(error instanceof Error) || error.name !== "OperationError") throw error;
    }
  }
  return undefined;
}
