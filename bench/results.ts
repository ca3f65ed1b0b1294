/** What the benchmark measures, part by part. */
import { BASELINE, CRYPTOGRAPHY, OURS, OURS_FIRST } from "./contenders/contender.ts";
import type { StoreName } from "./contenders/contender.ts";
import { httpShares } from "./http.ts";
import type { Costs, InProcessOptions } from "./in_process.ts";
import { type MeasureOptions, type Spread, spreadOf } from "./measure.ts";
import { run, type Runtime, runTimes } from "./runtimes.ts";
import type { ScaleResult } from "./scale.ts";
import type { Scenario } from "./scenarios.ts";
import { bundleSizes, importRatios } from "./weight.ts";

/** What a session adds to a request with this library, divided by the same for another library. */
export interface Ratio {
  runtime: Runtime;
  store: StoreName;
  scenario: Scenario;
  beside: string;
  ratio: Spread;
}

/** What the budgets limit. */
export interface BudgetResults {
  /** Beside the minimal baseline, beside the other libraries and beside bare cryptography. */
  ratios: Ratio[];
  /** Requests per second behind a server, as a share of the minimal baseline's. */
  servers: { runtime: Runtime; scenario: Scenario; share: Spread }[];
  /** With a million sessions. */
  scales: ({ runtime: Runtime } & { [name in keyof ScaleResult]: Spread })[];
  /** Minified and gzipped bytes of each bundle. */
  sizes: { [bundle: string]: number };
}

/** All that the report shows. */
export interface Results {
  budgets: BudgetResults;
  /** Beside all other libraries, on all stores: the ratios that no budget limits. */
  libraries: Ratio[];
  /** The processor time of a cold import, divided by that of another library. */
  imports: { runtime: Runtime; beside: string; ratio: Spread }[];
}

/** For the ratios to the minimal baseline and to bare cryptography. */
const CAREFUL: MeasureOptions = { slices: 30, sliceMs: 4 };
/** New sessions stay: each slice has to be long enough for the garbage collections that they cause. */
const CAREFUL_NEW: MeasureOptions = { slices: 8, sliceMs: 48 };
/** For the other libraries, which differ more from this one. */
const QUICK: MeasureOptions = { slices: 20, sliceMs: 4 };
const QUICK_NEW: MeasureOptions = { slices: 8, sliceMs: 24 };
/** The two that add least to a request in memory, apart from the minimal baseline. */
const CHEAPEST = ["hono-sessions", "@fastify/session"];
const SCALE: MeasureOptions = { slices: 30, sliceMs: 4 };
const IMPORTS = { repetitions: 5, processes: 3 };

/** Measures every budgeted ratio. */
export async function measureBudgets(
  runtimes: readonly Runtime[],
  processes: number,
): Promise<BudgetResults> {
  const ratios: Ratio[] = [];
  const servers: BudgetResults["servers"] = [];
  const scales: BudgetResults["scales"] = [];
  for (const runtime of runtimes) {
    for (const scenario of ["read", "write", "new"] as const) {
      const group = { runtime, store: "memory", scenario } as const;
      const effort = { ...scenario === "new" ? CAREFUL_NEW : CAREFUL, processes };
      ratios.push(...await measureRatios(group, effort, { contenders: [OURS, BASELINE] }));
      ratios.push(...await measureLibraries(group, processes, { contenders: CHEAPEST }));
      // Processes differ less here, because a session is a small part of the request.
      const shares = await httpShares(runtime, scenario, Math.ceil(processes / 2));
      servers.push({ runtime, scenario, share: spreadOf(shares) });
    }
    for (const scenario of ["read", "write"] as const) {
      const group = { runtime, store: "cookie", scenario } as const;
      const effort = { ...CAREFUL, processes };
      ratios.push(...await measureRatios(group, effort, { contenders: [OURS_FIRST] }));
    }
    const { bytes, read, write } = await run<ScaleResult>(runtime, "scale.ts", SCALE);
    const [memory, reads, writes] = [bytes, read, write].map((one) => spreadOf([one]));
    scales.push({ runtime, bytes: memory!, read: reads!, write: writes! });
  }
  return { ratios, servers, scales, sizes: Object.fromEntries(await bundleSizes()) };
}

/** Measures one kind of request on one store with this library and other libraries. */
export async function measureLibraries(
  group: Pick<Ratio, "runtime" | "store" | "scenario">,
  processes: number,
  { contenders, redisPort }: Pick<InProcessOptions, "contenders" | "redisPort">,
): Promise<Ratio[]> {
  const quick = group.scenario === "new" ? QUICK_NEW : QUICK;
  const effort = { ...quick, processes: Math.ceil(processes / 3) };
  return await measureRatios(group, effort, { contenders: [OURS, ...contenders], redisPort });
}

async function measureRatios(
  { runtime, store, scenario }: Pick<Ratio, "runtime" | "store" | "scenario">,
  { processes, slices, sliceMs }: MeasureOptions & { processes: number },
  { contenders, redisPort }: Pick<InProcessOptions, "contenders" | "redisPort">,
): Promise<Ratio[]> {
  const options: InProcessOptions = { store, scenario, contenders, redisPort, slices, sliceMs };
  const all = await runTimes<Costs>(processes, runtime, "in_process.ts", options);
  return Object.keys(all[0]!)
    .filter((name) => name !== OURS && name !== OURS_FIRST)
    .map((beside): Ratio => {
      // Bare cryptography is comparable only if each cookie has to be decrypted.
      const ours = beside === CRYPTOGRAPHY ? OURS_FIRST : OURS;
      const ratios = all.map((costs) => costs[ours]! / costs[beside]!);
      return { runtime, store, scenario, beside, ratio: spreadOf(ratios) };
    });
}

/** Measures cold imports. */
export async function measureImports(runtime: Runtime): Promise<Results["imports"]> {
  const all = await importRatios(runtime, IMPORTS);
  return [...all].map(([beside, ratios]) => ({ runtime, beside, ratio: spreadOf(ratios) }));
}
