/** Sends valid cookies to a server with another secret, purpose, name, format or time. */
import { setUp } from "../_kit/forgeries.ts";
import { requestWith } from "../_kit/helpers.ts";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";

type Rig = ReturnType<typeof setUp>;

/** No server accepts the cookie of another server, of another cookie name, or of an earlier time. */
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
          throw failure(`A cookie of another ${what} is accepted`, {
            case: at,
            secret,
            purpose,
            seen,
          });
        }
      }
      const value = await here.seal();
      if (await here.outward(value) === nobody) {
        throw failure("A valid cookie is not accepted", { case: at });
      }
      const cookie = `${near(random, "sid")}=${value}`;
      if (await here.sessions.load(requestWith({ cookie })) !== undefined) {
        throw failure("A cookie of another name is accepted", { case: at, cookie });
      }
      here.clock.advance(3601 + random.below(500 * 86_400));
      if (await here.outward(value) !== nobody) {
        throw failure("An expired cookie is accepted", { case: at });
      }
    }
    return `${count} times another key, purpose, name, format and time, 0 accepted`;
  },
};

/** The text with one character changed or added. */
function near(random: Random, text: string): string {
  const at = random.below(text.length);
  const character = random.pick("abcxyzABC012_");
  const changed = random.chance(50)
    ? text.slice(0, at) + character + text.slice(at + 1)
    : text.slice(0, at) + character + text.slice(at);
  return changed === text ? `${text}${character}` : changed;
}
