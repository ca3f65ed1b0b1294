/** The report's section on what the time of a request goes to. */
import { heading, table } from "./markdown.ts";
import { NAMES, NONE, STORE_NAMES } from "./names.ts";
import type { ProfileResult } from "./profile.ts";
import { type GroupName, GROUPS, type Share, sharesOf, sum } from "./profile_groups.ts";
import type { ByRuntime } from "./results.ts";
import { RUNTIMES } from "./runtimes.ts";

interface Column {
  name: string;
  shares: Map<GroupName, Share>;
  /** The bare handler's whole request, as a part of ours. */
  bare: number;
}

/** A table for each store. */
export function profiles(byRuntime: ByRuntime<ProfileResult[]>): string[] {
  const tables = (["memory", "cookie"] as const).flatMap((store) => {
    const columns = RUNTIMES.flatMap((runtime) =>
      (byRuntime[runtime] ?? []).filter((result) => result.store === store)
        .map((result) => columnOf(NAMES[runtime], result))
    );
    return columns.length === 0 ? [] : [heading(STORE_NAMES[store], 3), tableOf(columns)];
  });
  if (tables.length === 0) return [];
  return [
    heading("Where the time goes"),
    "Of the time of a request to `@pagi/session`, its own making included, what each group of functions takes by itself; in brackets what the bare handler spends on the same, as a part of that same time: the difference is what the session adds. Sessions of 100 B. “–”: the profiler of the runtime does not show it, or nothing was seen of it.",
    ...tables,
  ];
}

function columnOf(runtime: string, { scenario, ours, bare }: ProfileResult): Column {
  return {
    name: `${runtime}, ${scenario}`,
    shares: new Map(sharesOf(ours, bare).map((share) => [share.group, share])),
    bare: sum(bare) / sum(ours),
  };
}

function tableOf(columns: readonly Column[]): string {
  const rows = GROUPS.map((group) => [
    group,
    ...columns.map(({ shares }) => cell(shares.get(group)!.ours, shares.get(group)!.bare)),
  ]).filter(([, ...cells]) => cells.some((one) => one !== NONE));
  return table(["what", ...columns.map(({ name }) => name)], [
    ...rows,
    ["In all", ...columns.map(({ bare }) => cell(1, bare))],
  ]);
}

function cell(ours: number, bare: number): string {
  const percent = (share: number) => (share * 100).toFixed(0);
  if (percent(ours) === "0" && percent(bare) === "0") return NONE;
  return percent(bare) === "0" ? `${percent(ours)} %` : `${percent(ours)} % (${percent(bare)} %)`;
}
