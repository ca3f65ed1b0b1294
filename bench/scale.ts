/**
 * Many sessions in memory, in whatever runtime this is: `scale.ts OPTIONS`, as JSON. Writes one line
 * of JSON.
 *
 * @module
 */
import process from "node:process";
import { MemoryStore, SessionMiddleware } from "../mod.ts";
import { SECRET } from "./contenders/contender.ts";
import { fill, type Filled } from "./fill.ts";
import { added, type Lane, measure } from "./measure.ts";
import { usedBytes } from "./memory.ts";
import { measurePauses, type Pause } from "./pause.ts";
import { content, SMALL } from "./scenarios.ts";
import { visits } from "./visit.ts";

/** What this program is told. */
export interface ScaleOptions {
  /** How many sessions there are. */
  sizes: number[];
  rounds: number;
  sliceMs: number;
}

/** What it came to. */
export interface ScaleResult {
  /** What a session adds to a request, in microseconds, by how many there are. */
  read: { [size: number]: number };
  write: { [size: number]: number };
  /** Bytes of memory for a session beside its own JSON, where there are most. */
  bytesBeside: number;
  /** What a request waits at most while all of them expire. */
  expiring: Pause;
  /** The same for as many requests while none does: the collector's pauses, and the machine's. */
  quiet: Pause;
}

const DAY = 86_400;
const BYTES_PER_POINTER = 8;

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

function laneTo(name: string, fetch: (request: Request) => unknown, ids: string[]): Lane {
  const go = visits({ fetch: fetch as (request: Request) => Response });
  let cookies: string[] = [];
  return {
    name,
    // A header comes from the network: it is fresh, and so not among what is measured.
    async prepare(count) {
      const pick = () => ids[Math.floor(Math.random() * ids.length)];
      cookies = Array.from({ length: count }, () => `pagi_session=${pick()}`);
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
const result: ScaleResult = {
  read: {},
  write: {},
  bytesBeside: bytes / most - JSON.stringify(content(SMALL)).length,
  ...pauses,
};
const stores = options.sizes.map((size) =>
  size === most ? largest : fill(new MemoryStore(), size, DAY)
);
for (const act of ["read", "write"] as const) {
  const bare = laneTo("bare", () => new Response("ada"), stores[0]!.ids);
  const lanes = stores.map((store) => laneOf(String(store.ids.length), store, act));
  const series = await measure([bare, ...lanes], options);
  for (const size of options.sizes) {
    result[act][size] = added(series.get(String(size))!, series.get("bare")!);
  }
}
console.log(JSON.stringify(result));
