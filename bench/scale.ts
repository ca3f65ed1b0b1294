/**
 * Many sessions in memory, in whatever runtime this is: `scale.ts OPTIONS`, as JSON. Writes one line
 * of JSON.
 *
 * @module
 */
import process from "node:process";
import { MemoryStore, SessionMiddleware } from "../mod.ts";
import { handlerByHand, NAME } from "./contenders/by_hand.ts";
import { type FetchHandler, SECRET } from "./contenders/contender.ts";
import { fill, type Filled } from "./fill.ts";
import { added, type Lane, measure, median } from "./measure.ts";
import { usedBytes } from "./memory.ts";
import { measurePauses, type Pause } from "./pause.ts";
import { actions, content, plain, SMALL } from "./scenarios.ts";
import { visits } from "./visit.ts";

/** What this program is told. */
export interface ScaleOptions {
  /** How many sessions there are. */
  sizes: number[];
  rounds: number;
  sliceMs: number;
}

/** What a kind of request costs, in microseconds. */
export interface ScaleCosts {
  /** Without a session. */
  bare: number;
  /** What a session adds, by how many there are. */
  ours: { [size: number]: number };
  /** The same for a session by hand: a Map of JSON. */
  byHand: { [size: number]: number };
}

/** What it came to. */
export interface ScaleResult {
  read: ScaleCosts;
  write: ScaleCosts;
  /** Bytes of memory for a session beside its own JSON, where there are most. */
  bytesBeside: number;
  /** What a request waits at most while all of them expire. */
  expiring: Pause;
  /** The same for as many requests while none does: the collector's pauses, and the machine's. */
  quiet: Pause;
}

const DAY = 86_400;
const BYTES_PER_POINTER = 8;

const does = actions(plain, content(SMALL));

/** Requests that go to sessions at random. */
function laneOf(name: string, { store, ids }: Filled, act: "read" | "write"): Lane {
  const sessions = new SessionMiddleware<{ user: string; visits: number }>({
    secret: SECRET,
    store,
  });
  const fetch = act === "read"
    ? sessions.handler((_request, session) => new Response(session.get("user")))
    : sessions.handler((_request, session) => {
      session.set("visits", session.get("visits") + 1);
      return new Response("ok");
    });
  return laneTo(name, fetch, ids);
}

function laneByHand(name: string, ids: string[], act: "read" | "write"): Lane {
  const texts = new Map(ids.map((id) => [id, JSON.stringify(content(SMALL))]));
  return laneTo(name, handlerByHand(texts, act, does[act]), ids, NAME);
}

function laneTo(
  name: string,
  fetch: FetchHandler,
  ids: readonly string[],
  cookieName = "pagi_session=",
): Lane {
  const go = visits({ fetch });
  let cookies: string[] = [];
  return {
    name,
    // A header comes from the network: it is fresh, and so not among what is measured.
    async prepare(count) {
      const pick = () => ids[Math.floor(Math.random() * ids.length)];
      cookies = Array.from({ length: count }, () => cookieName + pick());
      await undefined;
    },
    async run() {
      for (const cookie of cookies) await go(cookie);
    },
  };
}

const options: ScaleOptions = JSON.parse(process.argv[2]!);
const most = Math.max(...options.sizes);

const pauses = await measurePauses(most);
const before = usedBytes();
const largest = fill(new MemoryStore({ maxSessions: most }), most, DAY);
// The ids are also the keys in the store: the array is the only thing here that is not the store's.
const bytesOfArray = most * BYTES_PER_POINTER;
const bytes = usedBytes() - before - bytesOfArray;
const stores = options.sizes.map((size) =>
  size === most ? largest : fill(new MemoryStore(), size, DAY)
);

async function measureCosts(act: "read" | "write"): Promise<ScaleCosts> {
  const lanes = stores.map((store) => laneOf(`ours ${store.ids.length}`, store, act));
  lanes.push(...stores.map(({ ids }) => laneByHand(`by hand ${ids.length}`, ids, act)));
  lanes.push(laneTo("bare", () => new Response("ada"), stores[0]!.ids));
  const series = await measure(lanes, options);
  const bare = series.get("bare")!;
  const bySize = (name: string) =>
    Object.fromEntries(
      options.sizes.map((size) => [size, added(series.get(`${name} ${size}`)!, bare)]),
    );
  return { bare: median(bare), ours: bySize("ours"), byHand: bySize("by hand") };
}

const result: ScaleResult = {
  read: await measureCosts("read"),
  write: await measureCosts("write"),
  bytesBeside: bytes / most - JSON.stringify(content(SMALL)).length,
  ...pauses,
};
console.log(JSON.stringify(result));
