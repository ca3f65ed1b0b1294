/** The report's section on what the time of a request goes to. */
import { heading, table } from "./markdown.ts";
import { NAMES, NONE, STORE_NAMES } from "./names.ts";
import type { ProfiledRequest, ProfileResult, RuntimeRequest } from "./profile.ts";
import { type GroupName, GROUPS, type Share, sharesOf, sum } from "./profile_groups.ts";
import type { ByRuntime } from "./results.ts";
import { RUNTIMES } from "./runtimes.ts";

/** What is looked at, whatever the request. */
type Setting = Omit<ProfiledRequest, "scenario">;

/** The tables, and what is said before them. */
const SECTIONS: (Setting & { title: string; text?: string })[] = [
  { place: "in process", store: "memory", title: "Memory" },
  {
    place: "in process",
    store: "cookie",
    title: "Encrypted cookie, seen again",
    text: "A read decrypts nothing, a write encrypts, and some 8 in 100 writes also decrypt.",
  },
  {
    place: "in process",
    store: "cookie",
    isSeenFirst: true,
    title: "Encrypted cookie, seen for the first time",
  },
  {
    place: "behind a server",
    store: "memory",
    title: "Memory, behind a server under load",
    text:
      "Of the processor time of the server's process. The first row is the rest of that: the server itself, the system, and other threads of the process. Of Bun perf tells no more than which code it is: the system's, Bun's own (its server, Request, Response and Headers, JSON, garbage collection, what is interpreted), or what was made of JavaScript by its compilers.",
  },
  {
    place: "among a million",
    store: "memory",
    title: "Memory, among 1,000,000 sessions",
    text:
      "In brackets here what the same request spends among 1,000 sessions: the difference is what grows.",
  },
];

/** Parts that are smaller are not named one by one. */
const MIN_NAMED = 0.03;

interface Column {
  name: string;
  shares: Map<GroupName, Share>;
  /** All of what stands beside it, as a part of its own time. */
  beside: number;
}

/** A table for each place and store. */
export function profiles(byRuntime: ByRuntime<ProfileResult[]>): string[] {
  const tables = SECTIONS.flatMap((section) => {
    const { title, text } = section;
    const columns = RUNTIMES.flatMap((runtime) =>
      (byRuntime[runtime] ?? [])
        .filter((result) => isIn(result, section))
        .map((result) => columnOf(NAMES[runtime], result))
    );
    if (columns.length === 0) return [];
    return [heading(title, 3), ...(text === undefined ? [] : [text]), tableOf(columns)];
  });
  if (tables.length === 0) return [];
  return [
    heading("Where the time goes"),
    "Of the time of a request to `@pagi/session`, its own making included, what each group of functions takes by itself; in brackets what the bare handler spends on the same, as a part of that same time: the difference is what the session adds. Sessions of 100 B. “–”: the profiler of the runtime does not show it, or nothing was seen of it.",
    ...tables,
  ];
}

/** What a session adds to these requests, by what it is spent on. */
export function spending(
  requests: readonly RuntimeRequest[],
  byRuntime: ByRuntime<ProfileResult[]>,
): string[] {
  const rows = requests.map((request) => {
    const { runtime, store, place, isSeenFirst, scenario } = request;
    const result = byRuntime[runtime]?.find((one) =>
      one.scenario === scenario && isIn(one, request)
    );
    const spent = result === undefined ? NONE : ofAdded(result);
    const seen = store === "cookie" ? `, seen ${isSeenFirst ? "first" : "again"}` : "";
    return [NAMES[runtime], `${STORE_NAMES[store]}${seen}, ${place}`, scenario, spent];
  });
  if (rows.length === 0) return [];
  return [
    heading("What the missed budgets are spent on", 3),
    "By profile, of what a session adds to each request that misses a budget: the difference between the request and the bare handler's in [Where the time goes](#where-the-time-goes), among a million sessions that between the request there and among a thousand. Parts below 3 in a hundred are left out; where one has become less, the others add up to more than 100.",
    table(["runtime", "session", "request", "what is added goes to"], rows),
  ];
}

function ofAdded({ times, beside }: ProfileResult): string {
  const added = sum(times) - sum(beside);
  return GROUPS
    .map((group) => ({ group, part: ((times[group] ?? 0) - (beside[group] ?? 0)) / added }))
    .filter(({ part }) => part >= MIN_NAMED)
    .sort((a, b) => b.part - a.part)
    .map(({ group, part }) => `${group} ${(part * 100).toFixed(0)} %`)
    .join("; ");
}

function isIn(result: ProfileResult, { place, store, isSeenFirst = false }: Setting): boolean {
  return result.place === place && result.store === store && result.isSeenFirst === isSeenFirst;
}

function columnOf(runtime: string, { scenario, times, beside }: ProfileResult): Column {
  return {
    name: `${runtime}, ${scenario}`,
    shares: new Map(sharesOf(times, beside).map((share) => [share.group, share])),
    beside: sum(beside) / sum(times),
  };
}

function tableOf(columns: readonly Column[]): string {
  const rows = GROUPS.map((group) => [
    group,
    ...columns.map(({ shares }) => cell(shares.get(group)!.part, shares.get(group)!.beside)),
  ]).filter(([, ...cells]) => cells.some((one) => one !== NONE));
  return table(["what", ...columns.map(({ name }) => name)], [
    ...rows,
    ["In all", ...columns.map(({ beside }) => cell(1, beside))],
  ]);
}

function cell(part: number, beside: number): string {
  const percent = (share: number) => (share * 100).toFixed(0);
  if (percent(part) === "0" && percent(beside) === "0") return NONE;
  const own = `${percent(part)} %`;
  return percent(beside) === "0" ? own : `${own} (${percent(beside)} %)`;
}
