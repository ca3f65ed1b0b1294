/** Checks many IDs that the server generates. */
import { SessionMiddleware } from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";
import { looking, visit } from "./_visit.ts";

const BITS = 256;
const ID = /^[0-9a-f]{64}$/;
/** The largest allowed distance of a bit from being set in half of the IDs. */
const tolerance = (count: number) => 2.5 / Math.sqrt(count);

/** No ID occurs twice, and each bit is set in about half of them. A seed does not repeat them. */
export const idsMade: Campaign = {
  name: "ids-made",
  counts: { long: 1_000_000, brief: 100_000 },
  async run(count) {
    const sessions = new SessionMiddleware({ secret: "the secret of the tests: 32 bytes or more" });
    const ids = new Set<string>();
    const set = new Uint32Array(BITS);
    const app = sessions.wrap(looking(({ _id }) => {
      const id = String(_id);
      if (!ID.test(id) || ids.has(id)) {
        throw failure("An ID is malformed or occurs twice", { id });
      }
      ids.add(id);
      for (let at = 0; at < id.length; at++) {
        const digit = parseInt(id[at]!, 16);
        for (let bit = 0; bit < 4; bit++) set[4 * at + bit]! += (digit >> bit) & 1;
      }
    }));
    for (let at = 0; at < count; at++) await visit(app);
    let farthest = 0;
    for (const [bit, times] of set.entries()) {
      const off = Math.abs(times / count - 0.5);
      if (off > tolerance(count)) {
        throw failure("A bit is not set in half of the IDs", { bit, times });
      }
      farthest = Math.max(farthest, off);
    }
    return `${ids.size} IDs, the bit farthest from a half is ${(100 * farthest).toFixed(3)} % off`;
  },
};
