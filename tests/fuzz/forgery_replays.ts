/** Good cookies in the wrong place: another secret, purpose, name, format or time. */
import { setUp } from "../_kit/forgeries.ts";
import { requestWith } from "../_kit/helpers.ts";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";

type Rig = ReturnType<typeof setUp>;

/** No server takes a cookie that another, or it itself at another time or under another name, made. */
export const forgeryReplays: Campaign = {
  name: "forgery-replays",
  counts: { long: 20_000, brief: 500 },
  async run(count, seed) {
    const random = new Random(seed);
    for (let at = 0; at < count; at++) {
      const secret = random.bytes(32).toHex();
      const purpose = random.bytes(random.below(4)).toHex();
      const here = setUp({ secret, purpose });
      const others: Record<string, () => Rig> = {
        key: () => setUp({ secret: near(random, secret), purpose }),
        purpose: () => setUp({ secret, purpose: near(random, `${purpose} `) }),
        name: () => setUp({ secret, purpose }, near(random, "sid")),
        format: () => setUp({ secret, format: "pagi" }),
      };
      const nobody = await here.outward(undefined);
      for (const [what, make] of Object.entries(others)) {
        const there = make();
        const [mine, theirs] = [await here.seal(), await there.seal()];
        const seen = [await here.outward(theirs), await there.outward(mine)];
        if (seen[0] !== nobody || seen[1] !== await there.outward(undefined)) {
          throw failure(`Another ${what}'s cookie is taken`, { case: at, secret, purpose, seen });
        }
      }
      const value = await here.seal();
      if (await here.outward(value) === nobody) throw failure("No cookie is taken", { case: at });
      const cookie = `${near(random, "sid")}=${value}`;
      if (await here.sessions.load(requestWith({ cookie })) !== undefined) {
        throw failure("A cookie of another name is taken", { case: at, cookie });
      }
      here.clock.advance(3601 + random.below(500 * 86_400));
      if (await here.outward(value) !== nobody) throw failure("An old one is taken", { case: at });
    }
    return `${count} times another key, purpose, name, format and time, 0 accepted`;
  },
};

/** `text` with another letter, one more, or one twice. */
function near(random: Random, text: string): string {
  const at = random.below(text.length);
  const letter = random.pick("abcxyzABC012_");
  const changed = random.chance(50)
    ? text.slice(0, at) + letter + text.slice(at + 1)
    : text.slice(0, at) + letter + text.slice(at);
  return changed === text ? `${text}${letter}` : changed;
}
