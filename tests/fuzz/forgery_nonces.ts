/** Encrypts many times under each kind of key and compares the nonces. */
import { TextSeal } from "../../base/text_seal.ts";
import { SECRET, setUp } from "../_kit/forgeries.ts";
import { idOf } from "../_kit/helpers.ts";
import { type Campaign, failure } from "./_campaign.ts";

/** No two encryptions under one key share a nonce. The nonces are random, so a seed does not repeat them. */
export const forgeryNonces: Campaign = {
  name: "forgery-nonces",
  counts: { long: 1_000_000, brief: 30_000 },
  async run(count) {
    const [hourly, pagi] = [setUp(), setUp({ format: "pagi" })];
    const record = new TextSeal([SECRET]);
    // The position of the nonce: after version and hour, at the start, or after the version.
    const url = "base64url";
    const kinds = [
      { name: "CookieStore, in one hour", make: () => hourly.seal(), from: 4, alphabet: url },
      { name: "CookieStore, as PAGI", make: () => pagi.seal(), from: 0, alphabet: "base64" },
      { name: "SealedStore", make: () => record.seal(idOf("5"), "{}"), from: 1, alphabet: url },
    ] as const;
    for (const { name, make, from, alphabet } of kinds) {
      const nonces = new Set<string>();
      for (let at = 0; at < count; at++) {
        const bytes = Uint8Array.fromBase64(await make(), { alphabet });
        nonces.add(bytes.subarray(from, from + 12).toBase64());
      }
      if (nonces.size !== count) {
        throw failure("A nonce occurs twice", { name, nonces: nonces.size });
      }
    }
    return `${count} nonces under each of ${kinds.length} keys, none twice`;
  },
};
