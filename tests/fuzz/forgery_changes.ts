/** Changes sealed cookies: flips every bit, cuts at every position. */
import { bitFlips, cuts, setUp } from "../_kit/forgeries.ts";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";

/** No changed cookie is accepted, and the response is that to no cookie. A case is one sealed cookie. */
export const forgeryChanges: Campaign = {
  name: "forgery-changes",
  counts: { long: 1000, brief: 6 },
  async run(count, seed) {
    const random = new Random(seed);
    const rigs = [
      { rig: setUp(), alphabet: "base64url" },
      { rig: setUp({ format: "pagi" }), alphabet: "base64" },
    ] as const;
    let tried = 0;
    for (let at = 0; at < count; at++) {
      const { rig, alphabet } = rigs[at % rigs.length]!;
      const nobody = await rig.outward(undefined);
      const value = await rig.seal({ pad: random.bytes(random.below(90)).toHex() });
      if (await rig.outward(value) === nobody) {
        throw failure("A sealed cookie is not accepted", { value });
      }
      for (const changes of [bitFlips, cuts]) {
        for (const forged of changes(value, alphabet)) {
          const seen = await rig.outward(forged);
          if (seen !== nobody) {
            throw failure("The response to a forgery differs from that to no cookie", {
              case: at,
              value,
              forged,
              seen,
            });
          }
          tried++;
        }
      }
    }
    return `${tried} changes of ${count} cookies, 0 accepted, all with the same response`;
  },
};
