/** A million seals under one key, and the nonces that they took. */
import { RecordSeal } from "../../store/_at_rest_seal.ts";
import { SECRET, setUp } from "../_forgeries.ts";
import { idOf } from "../_helpers.ts";
import { type Campaign, failure } from "./_campaign.ts";

/** No two seals under one key share a nonce. Chance is the system's: no seed repeats it. */
export const forgeryNonces: Campaign = {
  name: "forgery-nonces",
  counts: { long: 1_000_000, brief: 30_000 },
  async run(count) {
    const { seal } = setUp();
    const record = new RecordSeal([SECRET]);
    // Where the nonce stands in a value: behind version and hour, or behind the version.
    const kinds = [
      { name: "CookieStore, in one hour", make: () => seal(), from: 4 },
      { name: "SealedStore, under one id", make: () => record.seal(idOf("5"), "{}"), from: 1 },
    ];
    for (const { name, make, from } of kinds) {
      const nonces = new Set<string>();
      for (let at = 0; at < count; at++) {
        const bytes = Uint8Array.fromBase64(await make(), { alphabet: "base64url" });
        nonces.add(bytes.subarray(from, from + 12).toBase64());
      }
      if (nonces.size !== count) {
        throw failure("A nonce comes twice", { name, nonces: nonces.size });
      }
    }
    return `${count} nonces under each of ${kinds.length} keys, none twice`;
  },
};
