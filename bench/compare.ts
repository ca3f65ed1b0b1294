/**
 * Compares two checkouts of this library in one process. README.md says how to read what it prints.
 *
 * `deno run -A bench/compare.ts ../other-checkout [--rounds=11] [--only=read,write]`
 *
 * @module
 */
import { cpSync } from "node:fs";
import { basename, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { SessionStore } from "../mod.ts";
import { type Opened, SECRET, type StoreName } from "./contenders/contender.ts";
import { pagiApps } from "./contenders/pagi.ts";
import { taskOf } from "./tasks.ts";
import { measure, quantile, shuffled, type Task } from "./measure.ts";
import { runTimes } from "./runtimes.ts";
import { content, type Scenario, SMALL } from "./scenarios.ts";
import { verify } from "./verify.ts";

type Library = typeof import("../mod.ts");

/** A request to measure. */
interface Compared {
  name: string;
  store: StoreName;
  act: Scenario | "destroy";
  /** Whether the server has to decrypt each cookie, because another one made it. */
  isFirstSight?: boolean;
}

/** What a process is to measure, and the folder of each version. */
interface Assignment {
  name: string;
  folders: { [version in "new" | "old" | "control"]: string };
}

/** The time of the new version and of the control, divided by that of the old version. */
type Ratios = [changed: number, same: number];

/** Each in a process of its own: every process compiles the same code in its own way. */
const ROUNDS = 11;
const SLICES = 50;
const SLICE_MS = 4;
const NAME_WIDTH = 20;

const ALL: readonly Compared[] = [
  { name: "read", store: "memory", act: "read" },
  { name: "write", store: "memory", act: "write" },
  { name: "new", store: "memory", act: "new" },
  { name: "regenerate", store: "memory", act: "regenerate" },
  { name: "anonymous", store: "memory", act: "anonymous" },
  { name: "destroy", store: "memory", act: "destroy" },
  { name: "cookie-read", store: "cookie", act: "read" },
  { name: "cookie-write", store: "cookie", act: "write" },
  { name: "cookie-first-read", store: "cookie", act: "read", isFirstSight: true },
  { name: "cookie-first-write", store: "cookie", act: "write", isFirstSight: true },
  { name: "sqlite-read", store: "sqlite", act: "read" },
  { name: "sqlite-write", store: "sqlite", act: "write" },
];

/** Apps on a store of a version. */
async function open(library: Library, { store, act, isFirstSight }: Compared): Promise<Opened> {
  const data = content(SMALL);
  const { SessionMiddleware } = library;
  const bare = { fetch: () => new Response() };
  const opened = (store: SessionStore): Opened => {
    const apps = pagiApps(store, data, SessionMiddleware);
    if (act !== "destroy") return { apps, bare };
    const sessions = new SessionMiddleware({ secret: SECRET, store });
    const fetch = sessions.handler((_request, session) => {
      session.destroy();
      return new Response("ada");
    });
    // Like a regeneration, each request needs a session of its own.
    return { apps: { ...apps, regenerate: { fetch } }, bare };
  };
  if (store === "memory") {
    const memory = new library.MemoryStore();
    return { ...opened(memory), clear: () => memory.clear() };
  }
  if (store === "sqlite") {
    const sqlite = new library.SqliteStore(new DatabaseSync(":memory:"));
    await sqlite.setup();
    return opened(sqlite);
  }
  const cookie = () => opened(new library.CookieStore({ secret: SECRET }));
  if (!isFirstSight) return cookie();
  return { bare, apps: { ...cookie().apps, new: cookie().apps.new }, needsFreshCookies: true };
}

/** Copies a checkout's sources, so that the runtime loads and compiles them a second time. */
function copy(folder: string): string {
  const target = Deno.makeTempDirSync({ prefix: "pagi-compare-" });
  const left = new Set(["bench", "docs", "tests", "node_modules", "coverage", ".git"]);
  const filter = (path: string) => path === folder || !left.has(basename(path));
  cpSync(folder, target, { recursive: true, filter });
  return target;
}

/** The median of some ratios, with the quartiles. */
function show(ratios: readonly number[]): string {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((at) => quantile(ratios, at).toFixed(3));
  return `${middle} (${low} to ${high})`;
}

/** Measures one kind of request in this process. */
async function measureHere({ name, folders }: Assignment): Promise<Ratios> {
  const compared = ALL.find((one) => one.name === name)!;
  const { act, store } = compared;
  const tasks: Task[] = [];
  // The order decides what the compiler sees first.
  for (const [version, folder] of shuffled(Object.entries(folders))) {
    const library: Library = await import(pathToFileURL(`${folder}/mod.ts`).href);
    const opened = await open(library, compared);
    if (act !== "destroy") await verify(version, store, opened.apps);
    tasks.push((await taskOf(version, opened, act === "destroy" ? "regenerate" : act))!);
  }
  const times = await measure(tasks, { slices: SLICES, sliceMs: SLICE_MS });
  const old = times.get("old")!;
  return [times.get("new")! / old, times.get("control")! / old];
}

async function main(args: readonly string[]): Promise<void> {
  const other = args.find((arg) => !arg.startsWith("--"));
  const option = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  if (other === undefined) {
    console.error("Name the other checkout: deno run -A bench/compare.ts ../other-checkout");
    Deno.exit(2);
  }
  const old = resolve(other);
  const rounds = Number(option("rounds") ?? ROUNDS);
  const only = option("only")?.split(",");
  const control = copy(old);
  try {
    const folders = { new: resolve(import.meta.dirname!, ".."), old, control };
    console.log("Processor time of a request. new: this checkout; control: a copy of old");
    console.log(`Median of ${rounds} rounds and, in brackets, their quartiles`);
    console.log(`\n${"".padEnd(NAME_WIDTH)} ${"new / old".padEnd(24)} control / old`);
    for (const { name } of ALL.filter(({ name }) => only?.includes(name) ?? true)) {
      const task: Assignment = { name, folders };
      const all = await runTimes<Ratios>(rounds, "deno", "compare.ts", task);
      const [changed, same] = [0, 1].map((at) => show(all.map((ratios) => ratios[at]!)));
      console.log(`${name.padEnd(NAME_WIDTH)} ${changed!.padEnd(24)} ${same}`);
    }
  } finally {
    Deno.removeSync(control, { recursive: true });
  }
}

const [first = ""] = Deno.args;
if (first.startsWith("{")) console.log(JSON.stringify(await measureHere(JSON.parse(first))));
else await main(Deno.args);
