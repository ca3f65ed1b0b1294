/** What AES-GCM alone costs for a session of a size: the floor for sessions in the cookie. */
import type { Lane } from "../measure.ts";
import { isWriting, type Scenario } from "../scenarios.ts";
import { visits } from "../visit.ts";
import { BARE_TEXT } from "./contender.ts";

const IV_BYTES = 12;
const LETTERS_PER_BYTE = 4 / 3;

/** The cryptography of one request, over and over. */
export interface RawLanes {
  /** And nothing else. */
  alone: Lane;
  /**
   * In a handler that does nothing else. What a request does in between makes it dearer: the processor
   * has to go back and forth between it and the thread that encrypts.
   */
  inHandler: Lane;
}

/** One decryption for a read, one more encryption for a write; undefined for other requests. */
export async function rawLanes(scenario: Scenario, bytes: number): Promise<RawLanes | undefined> {
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
  const sealed = await crypto.subtle.encrypt(first, key, new Uint8Array(bytes));
  const work = async () => {
    const opened = await crypto.subtle.decrypt(first, key, sealed);
    if (isWriting(scenario)) await crypto.subtle.encrypt(algorithm(), key, opened);
  };
  const fetch = async () => {
    await work();
    return new Response(BARE_TEXT);
  };
  const go = visits({ fetch });
  const cookie = `session=${"A".repeat(sealed.byteLength * LETTERS_PER_BYTE)}`;
  return {
    alone: repeating("raw cryptography", work),
    inHandler: repeating("raw cryptography in a bare handler", () => go(cookie)),
  };
}

function repeating(name: string, work: () => unknown): Lane {
  return {
    name,
    async run(count) {
      for (let at = 0; at < count; at++) await work();
    },
  };
}
