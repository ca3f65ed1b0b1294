/** `RESULTS.md`, `chart.svg` and `levels.json`, made from what has been measured. */
import { isMet, OURS, type Verdict, verdicts } from "./budgets.ts";
import { drawChart } from "./chart.ts";
import type { Environment } from "./environment.ts";
import { http } from "./http_report.ts";
import type { GroupResult } from "./in_process.ts";
import { LEVELS_FILE, levelsOf } from "./levels.ts";
import { heading, table } from "./markdown.ts";
import { median } from "./measure.ts";
import { mebibytes } from "./memory.ts";
import { profiles, spending } from "./profile_report.ts";
import type { RedisResult } from "./redis.ts";
import { type ByRuntime, entriesOf, type Measured, type Results } from "./results.ts";
import { NAMES, NONE, rangeOf, STORE_NAMES } from "./names.ts";
import { RUNTIMES } from "./runtimes.ts";
import type { ScaleCosts, ScaleResult } from "./scale.ts";
import type { SoakResult } from "./soak.ts";

const INTRODUCTION = `\
Made by \`deno task bench\`; [README.md](README.md) says how it is measured and how to repeat it. Ratios are what to look at: microseconds are those of one machine. From machine to machine a ratio, too, may double.`;

/** Writes all three, in the form that `deno fmt` gives them; nothing may be missing of the results. */
export async function writeReport(results: Results): Promise<void> {
  const found = verdicts(results);
  await write("RESULTS.md", report(results, found));
  await write(LEVELS_FILE, JSON.stringify(levelsOf(found)));
  await write("chart.svg", drawChart(results.inProcess.deno!));
}

async function write(name: string, text: string): Promise<void> {
  const file = new URL(name, import.meta.url);
  await Deno.writeTextFile(file, text);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", file.pathname],
    cwd: new URL("..", import.meta.url).pathname,
  }).spawn().status;
  if (code !== 0) throw new Error(`deno fmt ${name} ended with ${code}`);
}

/** The report. */
function report(results: Results, found: readonly Verdict[]): string {
  const { environments, redis } = results;
  return [
    "# What a session costs",
    INTRODUCTION,
    ...machines(environments),
    ...budgets(found),
    ...spending(found.filter((verdict) => !isMet(verdict)), results.profile),
    ...inProcess(results.inProcess),
    ...http(results.http),
    ...profiles(results.profile),
    ...(redis === undefined ? [] : ofRedis(redis)),
    ...scale(results.scale),
    ...soak(results.soak),
  ].join("\n\n") + "\n";
}

/** Where it was measured: once for all where that is the same, else for each of what was. */
export function machines(all: readonly Measured[]): string[] {
  const groups = Map.groupBy(all, ({ environment }) => environmentOf(environment));
  return [...groups].map(([text, those]) => {
    const dates = new Set(those.map(({ environment }) => environment.date));
    const measured = `Measured on ${[...dates].sort().join(" and ")}, on ${text}${commits(those)}`;
    if (groups.size === 1) return measured;
    return `${those.map(({ name }) => name).join(", ")}: ${measured}`;
  });
}

/** All but the day and the commit: a run goes on past midnight, and some parts may be of an earlier one. */
function environmentOf({ machine, runtimes, programs, packages }: Environment): string {
  const named = RUNTIMES.map((runtime) => `${NAMES[runtime]} ${runtimes[runtime]}`).join(", ");
  const others = Object.entries(packages).filter(([name]) => !(name in runtimes))
    .map(([name, version]) => `${name} ${version}`);
  return `a machine with ${machine}. ${named}. ${[...programs, ...others].join(", ")}.`;
}

function commits(all: readonly Measured[]): string {
  const groups = Map.groupBy(all, ({ environment }) => environment.commit ?? "unknown");
  if (groups.size === 1) return ` Commit ${[...groups.keys()][0]}.`;
  const list = [...groups].map(([commit, those]) => {
    return `${commit} (${those.map(({ name }) => name).join(", ")})`;
  });
  return ` Commits ${list.join(", ")}.`;
}

function budgets(found: readonly Verdict[]): string[] {
  return [
    heading("Budgets"),
    "Of sessions of 100 B, in MemoryStore where no other store is named. “By hand”: what a session comes to that is a Map of JSON and no more. Behind a server: the share of the bare handler's requests a second, in brackets what the middle half of the rounds lies between, and the processor time that a session adds.",
    table(
      ["what", "budget", "measured", "met"],
      found.map((verdict) => {
        const { name, limit, measured } = verdict;
        return [name, limit, measured, isMet(verdict) ? "yes" : "no"];
      }),
    ),
  ];
}

function inProcess(byRuntime: ByRuntime<GroupResult[]>): string[] {
  return [
    heading("In process"),
    "What a session adds to a request over the same framework without one: for `@pagi/session` in microseconds of this run, with what the middle half of the rounds lies between, for the others as a multiple of that. “–”: the library cannot do it, or it was not measured.",
    ...entriesOf(byRuntime).flatMap(([runtime, groups]) => {
      const stores = Object.keys(STORE_NAMES) as (keyof typeof STORE_NAMES)[];
      return stores.flatMap((store) => {
        const found = groups.filter((group) => group.store === store);
        if (found.length === 0) return [];
        return [heading(`${NAMES[runtime]}, ${STORE_NAMES[store]}`, 3), groupTable(found)];
      });
    }),
  ];
}

function groupTable(groups: readonly GroupResult[]): string {
  const names = new Set(groups.flatMap(({ costs }) => Object.keys(costs)));
  names.delete(OURS);
  const hasRaw = groups.some(({ raw }) => raw !== undefined);
  return table(
    [
      "request",
      "session",
      OURS,
      ...names,
      ...(hasRaw ? ["the cryptography alone", "it in a bare handler"] : []),
    ],
    groups.map(({ scenario, bytes, costs, raw }) => {
      const { added: ours, quartiles } = costs[OURS]!;
      const times = (added: number | undefined) =>
        added === undefined ? NONE : `${multiple(added / ours)} ×`;
      return [
        scenario,
        `${bytes.toLocaleString("en")} B`,
        `${ours.toFixed(1)} µs ${rangeOf(quartiles)}`,
        ...[...names].map((name) => times(costs[name]?.added)),
        ...(hasRaw ? [times(raw?.alone), times(raw?.inHandler)] : []),
      ];
    }),
  );
}

/** Two figures, which is what they are good for. */
function multiple(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(Math.abs(ratio) >= 1 ? 1 : 2);
}

function ofRedis({ roundTrips, shared }: RedisResult): string[] {
  return [
    heading("Redis"),
    "Round trips for one request, counted at the socket:",
    table(["request", "round trips"], Object.entries(roundTrips).map(([k, v]) => [k, String(v)])),
    "Servers in processes of their own on one Redis, which count visits in sessions that all of them write to at once. Requests that the load had not waited for when it ended are counted and not answered.",
    table(
      ["processes", "requests a second", "answered", "counted"],
      shared.map(({ processes, perSecond, requests, counted }) =>
        [processes, perSecond.toFixed(0), requests, counted].map(String)
      ),
    ),
  ];
}

function scale(byRuntime: ByRuntime<ScaleResult>): string[] {
  const found = entriesOf(byRuntime);
  const [, first] = found[0]!;
  const sizes = Object.keys(first.read.ours).map(Number).sort((a, b) => a - b);
  const costs = found.flatMap(([runtime, result]) =>
    (["read", "write"] as const).flatMap((act) => {
      const { bare, ours, byHand } = result[act];
      const times = (costs: ScaleCosts["ours"], bare = 0) =>
        sizes.map((size) => `${((bare + costs[size]!) / (bare + costs[1000]!)).toFixed(2)} ×`);
      return [
        [NAMES[runtime], act, ...times(ours)],
        [NAMES[runtime], `${act}, by hand`, ...times(byHand)],
        [NAMES[runtime], `${act}, the whole request`, ...times(ours, bare)],
      ];
    })
  );
  return [
    heading("Many sessions"),
    "What a session adds to a request, by how many there are in memory, beside 1,000; what a Map of JSON by hand adds; and a request to `@pagi/session` as a whole, to a handler that does nothing else.",
    table(["runtime", "request", ...sizes.map((size) => size.toLocaleString("en"))], costs),
    `Bytes of memory for a session beside its own JSON, at the most sessions; the longest request while all of them expire at one moment, and while none does; and what one request in a thousand exceeds. The middle one of ${first.pauses.length} runs, with the lowest and the highest.`,
    table(
      [
        "runtime",
        "bytes",
        "longest, expiring",
        "longest, quiet",
        "1/1000, expiring",
        "1/1000, quiet",
      ],
      found.map(([runtime, { bytesBeside, pauses }]) => [
        NAMES[runtime],
        bytesBeside.toFixed(0),
        runs(pauses.map(({ expiring }) => expiring.longest)),
        runs(pauses.map(({ quiet }) => quiet.longest)),
        runs(pauses.map(({ expiring }) => expiring.high)),
        runs(pauses.map(({ quiet }) => quiet.high)),
      ]),
    ),
  ];
}

/** Times of several runs: the middle one, and between which all are. */
function runs(all: readonly number[]): string {
  return `${median(all).toFixed(1)} ms ${rangeOf([Math.min(...all), Math.max(...all)])}`;
}

function soak(byRuntime: ByRuntime<SoakResult>): string[] {
  const found = entriesOf(byRuntime);
  if (found.length === 0) return [];
  const rows = found.flatMap(([runtime, { marks, endedAfterMs }]) => {
    // Start, middle and end; the first mark is where it has warmed up.
    const shown = [0, Math.floor((marks.length - 1) / 2), marks.length - 1];
    const ended = endedAfterMs === undefined
      ? "it was kept alive"
      : `after ${endedAfterMs.toFixed(0)} ms`;
    return shown.map((at) => {
      const { done, heap, resident, sessions } = marks[at]!;
      return [
        NAMES[runtime],
        done.toLocaleString("en"),
        mebibytes(heap),
        mebibytes(resident),
        sessions.toLocaleString("en"),
        at === marks.length - 1 ? ended : "",
      ];
    });
  });
  return [
    heading("Over many requests"),
    "Clients come, come again, sign in, sign out and stay away. The first, a middle and the last of the marks: memory in use after a collection, memory of the process, sessions in the store, and whether the process ends by itself when it is done:",
    table(["runtime", "requests", "heap", "process", "sessions", "ended"], rows),
  ];
}
