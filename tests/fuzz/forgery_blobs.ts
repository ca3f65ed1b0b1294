/** Sends random bytes instead of a sealed cookie. */
import { setUp } from "../_kit/forgeries.ts";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";

/** No blob is accepted. Half of them have a valid head, so that they reach the decryption. */
export const forgeryBlobs: Campaign = {
  name: "forgery-blobs",
  counts: { long: 1_000_000, brief: 20_000 },
  async run(count, seed) {
    const random = new Random(seed);
    const rigs = [setUp(), setUp({ format: "pagi" })];
    const nobody = await Promise.all(rigs.map((rig) => rig.outward(undefined)));
    let decrypted = 0;
    for (let at = 0; at < count; at++) {
      const which = at % rigs.length;
      const { clock, outward, store } = rigs[which]!;
      const bytes = random.bytes(20 + random.below(random.chance(5) ? 3000 : 200));
      if (random.chance(50)) {
        const hour = Math.floor(clock.seconds() / 3600) - random.below(3);
        bytes.set([1, hour >> 16, hour >> 8, hour]);
      }
      const forged = which === 0
        ? bytes.toBase64({ alphabet: "base64url", omitPadding: true })
        : bytes.toBase64();
      decrypted += store.accepts(forged) ? 1 : 0;
      const seen = await outward(forged);
      if (seen !== nobody[which]) {
        throw failure("The response to a blob differs from that to no cookie", {
          case: at,
          forged,
          seen,
        });
      }
    }
    return `${count} blobs, ${decrypted} of a value's form, 0 accepted`;
  },
};
