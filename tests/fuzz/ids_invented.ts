/** Sends IDs that the server did not issue, and malformed ones. */
import {
  type HeaderPair,
  MemoryStore,
  SessionMiddleware,
  type VersionedStore,
} from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";
import { looking, visit } from "./_visit.ts";

/** Characters to put in the place of a digit. */
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

/** A store that counts its calls. */
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

/** No invented ID is adopted, malformed IDs cost no store call, and nothing is stored. */
export const idsInvented: Campaign = {
  name: "ids-invented",
  counts: { long: 1_000_000, brief: 50_000 },
  async run(count, seed) {
    const random = new Random(seed);
    const store = new Counted();
    const sessions = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store,
    });
    let presented = "";
    const app = sessions.wrap(looking((data) => {
      if (data._id === presented) throw failure("An ID was adopted", { presented });
    }));
    let malformed = 0;
    for (let at = 0; at < count; at++) {
      const isMalformed = random.chance(25);
      presented = isMalformed ? spoilt(random) : random.bytes(32).toHex();
      const before = store.reads;
      const answer = await visit(app, headersWith(random, presented));
      const asked = store.reads - before;
      if (answer.length > 0 || asked !== (isMalformed ? 0 : 1)) {
        throw failure("There is a response header or another number of store calls", {
          case: at,
          presented,
          answer,
          asked,
        });
      }
      malformed += isMalformed ? 1 : 0;
    }
    if (store.writes + store.size > 0) {
      throw failure("Something was stored", { size: store.size });
    }
    return `${count - malformed} well-formed IDs, ${malformed} malformed ones; ` +
      `${store.reads} reads, ${store.writes} writes`;
  },
};

function headersWith(random: Random, id: string): HeaderPair[] {
  const others = random.chance(50) ? "theme=dark; " : "";
  return [["cookie", `${others}pagi_session=${id}`]];
}

/** A malformed ID. */
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
      const character = random.pick(STRANGE);
      // At the end a space would not be part of the value.
      return character === " "
        ? `${id.slice(0, 9)} ${id.slice(10)}`
        : id.slice(0, at) + character + id.slice(at + 1);
    }
  }
}
