/** Ids that nobody issued, and what only looks like one. */
import {
  type HeaderPair,
  MemoryStore,
  SessionMiddleware,
  type VersionedStore,
} from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";
import { looking, visit } from "./_visit.ts";

/** What may stand in the place of a digit. */
const STRANGE = [
  "A",
  "F",
  "g",
  "G",
  "z",
  " ",
  "-",
  "_",
  ".",
  "%",
  "\0",
  "é",
  "٣",
  "３",
  "\u{1d7d8}",
];

/** A store that counts what it is asked. */
class Counted extends MemoryStore {
  reads = 0;
  writes = 0;
  override read(id: string) {
    this.reads++;
    return super.read(id);
  }
  override create(...args: Parameters<VersionedStore["create"]>) {
    this.writes++;
    return super.create(...args as Parameters<MemoryStore["create"]>);
  }
}

/** No invented id is adopted; one that has no id's form costs no store call; nothing stays behind. */
export const idsInvented: Campaign = {
  name: "ids-invented",
  counts: { long: 1_000_000, brief: 50_000 },
  async run(count, seed) {
    const random = new Random(seed);
    const store = new Counted();
    const sessions = new SessionMiddleware({ secret: "s", store });
    let presented = "";
    const app = sessions.wrap(looking((data) => {
      if (data._id === presented) throw failure("An id was adopted", { presented });
    }));
    let malformed = 0;
    for (let at = 0; at < count; at++) {
      const isMalformed = random.chance(25);
      presented = isMalformed ? spoilt(random) : random.bytes(32).toHex();
      const before = store.reads;
      const answer = await visit(app, headersWith(random, presented));
      const asked = store.reads - before;
      if (answer.length > 0 || asked !== (isMalformed ? 0 : 1)) {
        throw failure("More than was due", { case: at, presented, answer, asked });
      }
      malformed += isMalformed ? 1 : 0;
    }
    if (store.writes + store.size > 0) {
      throw failure("Something stayed behind", { size: store.size });
    }
    return `${count - malformed} ids of the right form, ${malformed} of another; ` +
      `${store.reads} reads, ${store.writes} writes`;
  },
};

function headersWith(random: Random, id: string): HeaderPair[] {
  const others = random.chance(50) ? "theme=dark; " : "";
  return [["cookie", `${others}pagi_session=${id}`]];
}

/** An id with something wrong about it. */
function spoilt(random: Random): string {
  const id = random.bytes(32).toHex();
  const at = random.below(id.length);
  switch (random.below(4)) {
    case 0:
      return id.slice(0, at);
    case 1:
      return id + random.bytes(1 + random.below(40)).toHex();
    case 2: {
      const upper = id.toUpperCase();
      return upper === id ? "x" : upper;
    }
    default: {
      const letter = random.pick(STRANGE);
      // At an end a blank is none of the value.
      return letter === " "
        ? `${id.slice(0, 9)} ${id.slice(10)}`
        : id.slice(0, at) + letter + id.slice(at + 1);
    }
  }
}
