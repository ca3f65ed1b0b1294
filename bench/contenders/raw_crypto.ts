/** What AES-GCM alone costs for a session of a size: the floor for sessions in the cookie. */
import type { Lane } from "../measure.ts";
import { isWriting, type Scenario } from "../scenarios.ts";

const IV_BYTES = 12;

/** One decryption for a read, one more encryption for a write; undefined for other requests. */
export async function rawLanes(
  name: string,
  scenario: Scenario,
  bytes: number,
): Promise<Lane | undefined> {
  if (scenario !== "read" && scenario !== "write") return undefined;
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const algorithm = () => ({
    name: "AES-GCM",
    iv: crypto.getRandomValues(new Uint8Array(IV_BYTES)),
  });
  const first = algorithm();
  const plain = new Uint8Array(bytes);
  const sealed = await crypto.subtle.encrypt(first, key, plain);
  return {
    name,
    async run(count) {
      for (let at = 0; at < count; at++) {
        const opened = await crypto.subtle.decrypt(first, key, sealed);
        if (isWriting(scenario)) await crypto.subtle.encrypt(algorithm(), key, opened);
      }
    },
  };
}
