/** The ids that the server makes, a million of them. */
import { SessionMiddleware } from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";
import { looking, visit } from "./_visit.ts";

const BITS = 256;
const ID = /^[0-9a-f]{64}$/;
/** By which part of all ids a bit may differ from a half: at a million that is 0.25 %. */
const tolerance = (count: number) => 2.5 / Math.sqrt(count);

/** No id comes twice, and every bit is set in half of them. Chance is the system's: no seed repeats it. */
export const idsMade: Campaign = {
  name: "ids-made",
  counts: { long: 1_000_000, brief: 100_000 },
  async run(count) {
    const sessions = new SessionMiddleware({ secret: "s" });
    const ids = new Set<string>();
    const set = new Uint32Array(BITS);
    const app = sessions.wrap(looking(({ _id }) => {
      const id = String(_id);
      if (!ID.test(id) || ids.has(id)) {
        throw failure("An id of another form, or a second time", { id });
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
      if (off > tolerance(count)) throw failure("A bit that leans to one side", { bit, times });
      farthest = Math.max(farthest, off);
    }
    return `${ids.size} ids, the bit farthest from a half is ${(100 * farthest).toFixed(3)} % off`;
  },
};
