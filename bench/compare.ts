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
import { type Lane, measure, median, quartiles, shuffled } from "./measure.ts";
import { onOneProcessor } from "./one_processor.ts";
import { content, type SessionContent, SMALL } from "./scenarios.ts";

type Library = typeof import("../mod.ts");
type Handler = (request: Request) => Response | Promise<Response>;

/** The requests that one application answers. */
interface App {
  handle: { [act in Act]: Handler };
  /** Removes all sessions, so that their number does not grow from slice to slice. */
  clear?(): void;
}

type Act = "read" | "write" | "new" | "regenerate" | "destroy";

/** A request to measure, and what it needs. */
interface Scenario {
  name: string;
  act: Act;
  /** Opens an application on the store that the scenario is about. */
  open(library: Library): Promise<App> | App;
  /** The cookies of the requests: none, those of 64 sessions in turn, or a new one for each. */
  cookies: "none" | "shared" | "fresh";
  /** Whether another application with the same secret creates the sessions. */
  isForeign?: boolean;
}

/** What a process is to measure. */
interface Task {
  scenario: string;
  /** The folder of each version. */
  folders: { [version in "new" | "old" | "control"]: string };
  rounds: number;
}

/** Ratios to the old version, one a round. */
interface Ratios {
  changed: number[];
  same: number[];
}

const SECRET = "a secret of at least 32 bytes for the benchmark";
const SHARED_SESSIONS = 64;
/** A slice has at most this many requests if each needs a session of its own. */
const MAX_FRESH = 500;
const PROCESSES = 5;
const ROUNDS = 11;
const SLICES = 4;
const SLICE_MS = 4;
const NAME_WIDTH = 20;

const memory = (library: Library): App => {
  const store = new library.MemoryStore();
  return { ...appOn(library, store), clear: () => store.clear() };
};
const cookie = (library: Library) => appOn(library, new library.CookieStore({ secret: SECRET }));
const sqlite = async (library: Library) => {
  const store = new library.SqliteStore(new DatabaseSync(":memory:"));
  await store.setup();
  return appOn(library, store);
};

const SCENARIOS: readonly Scenario[] = [
  { name: "read", act: "read", open: memory, cookies: "shared" },
  { name: "write", act: "write", open: memory, cookies: "shared" },
  { name: "new", act: "new", open: memory, cookies: "none" },
  { name: "regenerate", act: "regenerate", open: memory, cookies: "fresh" },
  { name: "anonymous", act: "read", open: memory, cookies: "none" },
  { name: "destroy", act: "destroy", open: memory, cookies: "fresh" },
  { name: "cookie-read", act: "read", open: cookie, cookies: "shared" },
  { name: "cookie-write", act: "write", open: cookie, cookies: "shared" },
  { name: "cookie-first-read", act: "read", open: cookie, cookies: "fresh", isForeign: true },
  { name: "cookie-first-write", act: "write", open: cookie, cookies: "fresh", isForeign: true },
  { name: "sqlite-read", act: "read", open: sqlite, cookies: "shared" },
  { name: "sqlite-write", act: "write", open: sqlite, cookies: "shared" },
];

function appOn(
  { SessionMiddleware }: Library,
  store: InstanceType<Library["MemoryStore" | "CookieStore" | "SqliteStore"]>,
): App {
  const sessions = new SessionMiddleware<Partial<SessionContent>>({ secret: SECRET, store });
  const data = content(SMALL);
  return {
    handle: {
      read: sessions.handler((_request, session) =>
        new Response(session.get("user", undefined) ?? "nobody")
      ),
      write: sessions.handler((_request, session) => {
        const visits = session.get("visits", 0) + 1;
        session.set("visits", visits);
        return new Response(String(visits));
      }),
      new: sessions.handler((_request, session) => {
        session.set({ ...data, cart: data.cart.map((item) => ({ ...item })) });
        return new Response("ada");
      }),
      regenerate: sessions.handler((_request, session) => {
        session.regenerate();
        return new Response("ada");
      }),
      destroy: sessions.handler((_request, session) => {
        session.destroy();
        return new Response("ada");
      }),
    },
  };
}

/** Requests of one scenario to one library. */
async function laneOf(name: string, library: Library, scenario: Scenario): Promise<Lane> {
  const { act, cookies: kind } = scenario;
  const app = await scenario.open(library);
  const maker = scenario.isForeign === true ? await scenario.open(library) : app;
  const handler = app.handle[act];
  const shared = kind === "shared" ? await newCookies(maker, SHARED_SESSIONS) : [undefined];
  await check(name, scenario, app, kind === "none" ? undefined : await newCookies(maker, 1));
  let cookies: readonly (string | undefined)[] = shared;
  return {
    name,
    maxCount: kind === "shared" ? undefined : MAX_FRESH,
    async prepare(count) {
      if (kind === "shared") return;
      app.clear?.();
      if (kind === "fresh") cookies = await newCookies(maker, count);
    },
    async run(count) {
      for (let at = 0; at < count; at++) {
        await handler(requestWith(cookies[at % cookies.length]));
      }
    },
  };
}

/** Throws unless the application answers the scenario's request as a session library should. */
async function check(
  name: string,
  { act, cookies, name: scenario }: Scenario,
  app: App,
  made: readonly string[] | undefined,
): Promise<void> {
  const response = await app.handle[act](requestWith(made?.[0]));
  const body = await response.text();
  const expected = act === "write" ? "1" : act === "read" && cookies === "none" ? "nobody" : "ada";
  if (response.status !== 200 || body !== expected) {
    throw new Error(`${scenario} with ${name} answered ${response.status} "${body}"`);
  }
}

async function newCookies({ handle }: App, count: number): Promise<string[]> {
  const cookies: string[] = [];
  while (cookies.length < count) {
    const response = await handle.new(requestWith(undefined));
    cookies.push(response.headers.getSetCookie()[0]!.split(";", 1)[0]!);
  }
  return cookies;
}

function requestWith(cookie: string | undefined): Request {
  return cookie === undefined
    ? new Request("http://localhost/")
    : new Request("http://localhost/", { headers: { cookie } });
}

/** Copies a checkout's sources, so that the runtime loads and compiles them a second time. */
function copy(folder: string): string {
  const target = Deno.makeTempDirSync({ prefix: "pagi-compare-" });
  const left = new Set(["bench", "docs", "tests", "node_modules", "coverage", ".git"]);
  const filter = (path: string) => path === folder || !left.has(basename(path));
  cpSync(folder, target, { recursive: true, filter });
  return target;
}

/** A ratio with its quartiles. */
function show(ratios: readonly number[]): string {
  const [low, high] = quartiles(ratios);
  return `${median(ratios).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

/** Measures a scenario in this process: the ratios of each round. */
async function measureHere({ scenario: name, folders, rounds }: Task): Promise<Ratios> {
  const scenario = SCENARIOS.find((one) => one.name === name)!;
  const lanes: Lane[] = [];
  // The order decides what the compiler sees first.
  for (const [version, folder] of shuffled(Object.entries(folders))) {
    const { href } = pathToFileURL(`${folder}/mod.ts`);
    lanes.push(await laneOf(version, await import(href), scenario));
  }
  const series = await measure(lanes, { rounds, slices: SLICES, sliceMs: SLICE_MS });
  const ratios = (version: string) =>
    series.get(version)!.map((time, round) => time / series.get("old")![round]!);
  return { changed: ratios("new"), same: ratios("control") };
}

/** Measures a scenario in several processes, since each compiles the same code in its own way. */
async function measureInProcesses(task: Task): Promise<Ratios> {
  const all: Ratios = { changed: [], same: [] };
  const [path, ...args] = [...await onOneProcessor(), Deno.execPath()];
  for (let process = 0; process < PROCESSES; process++) {
    const { code, stdout } = await new Deno.Command(path!, {
      args: [...args, "run", "-A", "--no-check", "-q", import.meta.filename!, JSON.stringify(task)],
      stderr: "inherit",
    }).output();
    if (code !== 0) throw new Error(`Measuring ${task.scenario} ended with ${code}`);
    const { changed, same }: Ratios = JSON.parse(new TextDecoder().decode(stdout));
    all.changed.push(...changed);
    all.same.push(...same);
  }
  return all;
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
    console.log(`Medians of ${PROCESSES} × ${rounds} rounds, and their quartiles`);
    console.log(`\n${"".padEnd(NAME_WIDTH)} ${"new / old".padEnd(24)} control / old`);
    for (const { name } of SCENARIOS.filter(({ name }) => only?.includes(name) ?? true)) {
      const { changed, same } = await measureInProcesses({ scenario: name, folders, rounds });
      console.log(`${name.padEnd(NAME_WIDTH)} ${show(changed).padEnd(24)} ${show(same)}`);
    }
  } finally {
    Deno.removeSync(control, { recursive: true });
  }
}

const [first = ""] = Deno.args;
if (first.startsWith("{")) console.log(JSON.stringify(await measureHere(JSON.parse(first))));
else await main(Deno.args);
