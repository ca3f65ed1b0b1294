/** The report's section on what the time of a request goes to. */
import type { Verdict } from "./budgets.ts";
import { heading, table } from "./markdown.ts";
import { NAMES, NONE, STORE_NAMES } from "./names.ts";
import type { ProfiledRequest, ProfileResult, RuntimeRequest } from "./profile.ts";
import { type GroupName, GROUPS, type Share, sharesOf, sum } from "./profile_groups.ts";
import { type ByRuntime, entriesOf } from "./results.ts";

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
    const columns = entriesOf(byRuntime).flatMap(([runtime, results]) =>
      results
        .filter((result) => isIn(result, section))
        .map((result) => columnOf(NAMES[runtime], result))
    );
    if (columns.length === 0) return [];
    return [heading(title, 3), ...(text === undefined ? [] : [text]), tableOf(columns)];
  });
  return [
    heading("Where the time goes"),
    "Of the time of a request to `@pagi/session`, its own making included, what each group of functions takes by itself; in brackets what the bare handler spends on the same, as a part of that same time: the difference is what the session adds. Sessions of 100 B. “–”: the profiler of the runtime does not show it, or nothing was seen of it.",
    ...tables,
  ];
}

/** A request that misses budgets, and how many times what each allows it takes. */
interface Missed {
  request: RuntimeRequest;
  levels: number[];
}

/** What the requests that miss a budget spend their time on. */
export function spending(
  missed: readonly Verdict[],
  byRuntime: ByRuntime<ProfileResult[]>,
): string[] {
  const requests = Map.groupBy(missed, ({ request }) => request);
  const all = [...requests].flatMap(([request, those]): Missed[] =>
    request === undefined ? [] : [{ request, levels: those.map(({ level }) => level) }]
  );
  if (all.length === 0) return [];
  const isOfGrowth = ({ request: { place } }: Missed) => place === "among a million";
  const [ofGrowth, ofAdded] = [all.filter(isOfGrowth), all.filter((one) => !isOfGrowth(one))];
  const tableFor = (those: readonly Missed[], what: string) =>
    those.length === 0 ? [] : [table(
      ["runtime", "session", "request", "times the budget", "µs", what],
      those.map((one) => rowOf(one, byRuntime[one.request.runtime])),
    )];
  return [
    heading("What the missed budgets are spent on", 3),
    "By profile: of the microseconds that stand beside it, in this run and with the profiler looking, what each group of [Where the time goes](#where-the-time-goes) takes. Parts below 3 in a hundred are left out; where one has become less, the others add up to more than 100. Among a million, a request may miss two budgets: with what a session adds, and as a whole.",
    ...tableFor(ofAdded, "what a session adds goes to"),
    ...tableFor(ofGrowth, "what is more than among 1,000 sessions goes to"),
  ];
}

function rowOf({ request, levels }: Missed, results: readonly ProfileResult[] = []): string[] {
  const { runtime, store, place, isSeenFirst, scenario } = request;
  const result = results.find((one) => one.scenario === scenario && isIn(one, request));
  const seen = store === "cookie" ? `, seen ${isSeenFirst ? "first" : "again"}` : "";
  return [
    NAMES[runtime],
    `${STORE_NAMES[store]}${seen}, ${place}`,
    scenario,
    levels.map((level) => `${level.toFixed(2)} ×`).join(", "),
    ...(result === undefined ? [NONE, NONE] : spent(result)),
  ];
}

/** By how much a request takes longer than what stands beside it, and what for. */
export function spent({ times, beside }: ProfileResult): [micros: string, parts: string] {
  const added = sum(times) - sum(beside);
  const micros = added.toFixed(1);
  // The two were measured in turns: noise may make the lesser the greater.
  if (added <= 0) return [micros, NONE];
  const parts = GROUPS
    .map((group) => ({ group, part: ((times[group] ?? 0) - (beside[group] ?? 0)) / added }))
    .filter(({ part }) => part >= MIN_NAMED)
    .sort((a, b) => b.part - a.part)
    .map(({ group, part }) => `${group} ${(part * 100).toFixed(0)} %`);
  return [micros, parts.join("; ")];
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
