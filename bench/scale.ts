/**
 * Many sessions in memory, in whatever runtime this is: `scale.ts OPTIONS`, as JSON. Writes one line
 * of JSON.
 *
 * @module
 */
import process from "node:process";
import { MemoryStore } from "../mod.ts";
import { fill, type Filled } from "./fill.ts";
import { added, measure, median } from "./measure.ts";
import { usedBytes } from "./memory.ts";
import { measurePauses, type Pauses } from "./pause.ts";
import { laneByHand, laneToBare, scaleLane } from "./scale_lanes.ts";
import { content, SMALL } from "./scenarios.ts";

/** What this program is told. */
export interface ScaleOptions {
  /** How many sessions there are. */
  sizes: number[];
  /** How often it is measured what requests wait while the most of them expire. */
  pauses: number;
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
  /** What requests wait while all of them expire, each time that it was measured. */
  pauses: Pauses[];
}

const BYTES_PER_POINTER = 8;

const options: ScaleOptions = JSON.parse(process.argv[2]!);
const most = Math.max(...options.sizes);

/** All that is measured of stores that are there at one time; they are let go of afterwards. */
async function measureSizes(): Promise<Omit<ScaleResult, "pauses">> {
  const before = usedBytes();
  const largest = fill(new MemoryStore({ maxSessions: most }), most);
  // The ids are also the keys in the store: the array is the only thing here that is not the store's.
  const bytesOfArray = most * BYTES_PER_POINTER;
  const bytes = usedBytes() - before - bytesOfArray;
  const stores = options.sizes.map((size) =>
    size === most ? largest : fill(new MemoryStore(), size)
  );
  return {
    read: await measureCosts(stores, "read"),
    write: await measureCosts(stores, "write"),
    bytesBeside: bytes / most - JSON.stringify(content(SMALL)).length,
  };
}

async function measureCosts(
  stores: readonly Filled[],
  act: "read" | "write",
): Promise<ScaleCosts> {
  const lanes = stores.map((store) => scaleLane(`ours ${store.ids.length}`, store, act));
  lanes.push(...stores.map(({ ids }) => laneByHand(`by hand ${ids.length}`, ids, act)));
  lanes.push(laneToBare("bare", stores[0]!.ids));
  const series = await measure(lanes, options);
  const bare = series.get("bare")!;
  const bySize = (name: string) =>
    Object.fromEntries(
      options.sizes.map((size) => [size, added(series.get(`${name} ${size}`)!, bare)]),
    );
  return { bare: median(bare), ours: bySize("ours"), byHand: bySize("by hand") };
}

const sizes = await measureSizes();
const pauses: Pauses[] = [];
while (pauses.length < options.pauses) pauses.push(await measurePauses(most));
const result: ScaleResult = { ...sizes, pauses };
console.log(JSON.stringify(result));
