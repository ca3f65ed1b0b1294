/** The cryptography of an encrypted cookie without any session: the least that such a session costs. */
import type { Task } from "../measure.ts";
import { isWriting } from "../scenarios.ts";
import { visits } from "../visit.ts";
import { BARE_TEXT, CRYPTOGRAPHY } from "./contender.ts";

const IV_BYTES = 12;
const DIGITS_PER_BYTE = 4 / 3;

/** A bare handler that decrypts as many bytes as a session has; for a write it encrypts them, too. */
export async function cryptographyTask(
  scenario: "read" | "write",
  bytes: number,
): Promise<Task> {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const algorithm = () => ({
    name: "AES-GCM",
    iv: crypto.getRandomValues(new Uint8Array(IV_BYTES)),
  });
  const first = algorithm();
  const sealed = await crypto.subtle.encrypt(first, key, new Uint8Array(bytes));
  const go = visits({
    async fetch() {
      const opened = await crypto.subtle.decrypt(first, key, sealed);
      if (isWriting(scenario)) await crypto.subtle.encrypt(algorithm(), key, opened);
      return new Response(BARE_TEXT);
    },
  });
  const cookie = `session=${"A".repeat(sealed.byteLength * DIGITS_PER_BYTE)}`;
  return {
    name: CRYPTOGRAPHY,
    async run(count) {
      for (let at = 0; at < count; at++) await go(cookie);
    },
  };
}
