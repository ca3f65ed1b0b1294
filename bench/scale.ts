/**
 * Measures this library with a million sessions in memory, in whatever runtime this is:
 * `scale.ts OPTIONS`, as JSON. Writes one line of JSON.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { type Event, type HeaderPair, MemoryStore, SessionMiddleware } from "../mod.ts";
import { type LocalApp, SECRET } from "./contenders/contender.ts";
import { baselineApps } from "./contenders/minimal_baseline.ts";
import { pagiApps } from "./contenders/pagi.ts";
import { measure, type MeasureOptions, type Task } from "./measure.ts";
import { content, SMALL } from "./scenarios.ts";
import { visits } from "./visit.ts";

/** What was measured. */
export interface ScaleResult {
  /** Bytes of memory that a session takes beside its data as JSON. */
  bytes: number;
  /** How many times as long a read takes with many sessions as with few, divided by the same for a Map. */
  read: number;
  /** The same for a write. */
  write: number;
}

const FEW = 1000;
const MANY = 1_000_000;
const ID_BYTES = 32;
const PREFIX = "pagi_session=";
const data = content(SMALL);

/** Apps with a number of sessions. */
interface Filled {
  apps: { [act in "new" | "read" | "write"]?: LocalApp };
  /** The Cookie header before the ID. */
  prefix: string;
  /** The bytes of all IDs, outside of the heap: they do not count as the store's memory. */
  ids: Buffer;
}

/** Creates sessions through PAGI's interface, which is faster than with Request and Response. */
async function fill(store: MemoryStore, size: number): Promise<Filled> {
  const ids = Buffer.alloc(size * ID_BYTES);
  let at = 0;
  const app = new SessionMiddleware({ secret: SECRET, store }).wrap(
    async (scope, _receive, send) => {
      Object.assign(scope["pagi.session"]!, data, { cart: data.cart.map((item) => ({ ...item })) });
      await send({ type: "http.response.start", status: 200, headers: [] });
    },
  );
  const receive = () => Promise.resolve({ type: "http.request" });
  const keepId = async ({ headers }: Event) => {
    const [, cookie] = (headers as HeaderPair[]).find(([name]) => /^set-cookie$/i.test(name))!;
    ids.write(cookie.slice(PREFIX.length), at++ * ID_BYTES, "hex");
    await undefined;
  };
  while (at < size) await app({ type: "http", headers: [] }, receive, keepId);
  return { apps: pagiApps(store, data), prefix: PREFIX, ids };
}

/** The same sessions in the minimal baseline's Map. */
function inMap({ ids }: Filled): Filled {
  const texts = new Map<string, string>();
  for (let at = 0; at < ids.length; at += ID_BYTES) {
    texts.set(ids.toString("hex", at, at + ID_BYTES), JSON.stringify(data));
  }
  return { apps: baselineApps(texts, data), prefix: "session=", ids };
}

/** Bytes in use after a garbage collection. */
function usedBytes(): number {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(isForced: boolean): void } };
  const collect = gc ?? (() => Bun!.gc(true));
  // Weak references and finalizers release some objects only after the first collection.
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Requests to sessions picked at random. */
function taskOf(name: string, { apps, prefix, ids }: Filled, act: "read" | "write"): Task {
  const go = visits(apps[act]!);
  let cookies: string[] = [];
  return {
    name,
    // New strings, like those that come from the network: the processor has them in its cache.
    async prepare(count) {
      cookies = Array.from({ length: count }, () => {
        const at = Math.floor(Math.random() * ids.length / ID_BYTES) * ID_BYTES;
        return prefix + ids.toString("hex", at, at + ID_BYTES);
      });
      await undefined;
    },
    async run() {
      for (const cookie of cookies) await go(cookie);
    },
  };
}

const options: MeasureOptions = JSON.parse(process.argv[2]!);
const few = await fill(new MemoryStore(), FEW);
const before = usedBytes();
const ours = await fill(new MemoryStore({ maxSessions: MANY }), MANY);
const bytes = (usedBytes() - before) / MANY - SMALL;
const filled = {
  "ours, many": ours,
  "ours, few": few,
  "baseline, many": inMap(ours),
  "baseline, few": inMap(few),
};

async function growth(act: "read" | "write"): Promise<number> {
  const tasks = Object.entries(filled).map(([name, one]) => taskOf(name, one, act));
  const times = await measure(tasks, options);
  const factor = (name: string) => times.get(`${name}, many`)! / times.get(`${name}, few`)!;
  return factor("ours") / factor("baseline");
}

const result: ScaleResult = { bytes, read: await growth("read"), write: await growth("write") };
console.log(JSON.stringify(result));
