/**
 * Measures in this process, in whatever runtime this is: `in_process.ts OPTIONS`, as JSON. Writes
 * one line of JSON for each group.
 *
 * @module
 */
import process from "node:process";
import { CONTENDERS } from "./contenders/all.ts";
import type { Contender } from "./contenders/contender.ts";
import { rawLanes } from "./contenders/raw_crypto.ts";
import { type Group, groupsOf, type Narrowing } from "./groups.ts";
import { bareLane, laneOf } from "./lanes.ts";
import {
  added,
  differences,
  type Lane,
  measure,
  median,
  type Quartiles,
  quartiles,
  type Series,
} from "./measure.ts";
import { content } from "./scenarios.ts";
import { verify } from "./verify.ts";

/** What this program is told. */
export interface InProcessOptions extends Narrowing {
  rounds: number;
  sliceMs: number;
  redisPort?: number;
}

/** What one contender's request costs, in microseconds. */
export interface Cost {
  framework: string;
  /** The framework's own request. */
  bare: number;
  /** What comes on top with sessions: the median of the rounds. */
  added: number;
  /** The middle half of what the rounds came to lies between these. */
  quartiles: Quartiles;
}

/** What a group came to. */
export interface GroupResult extends Group {
  costs: { [contender: string]: Cost };
  /** What the cryptography costs on the encrypted cookie, alone and in a bare handler. */
  raw?: { alone: number; inHandler: number };
}

async function measureGroup(group: Group, options: InProcessOptions): Promise<GroupResult> {
  const { store, scenario, bytes } = group;
  const setup = { store, data: content(bytes), redisPort: options.redisPort };
  const isIn = ({ name, stores }: Contender) =>
    stores.includes(store) && (options.contenders?.includes(name) ?? true);
  const lanes: Lane[] = [];
  const frameworks = new Map<string, string>();
  const closes: (() => unknown)[] = [];
  for (const contender of CONTENDERS.filter(isIn)) {
    const opened = await contender.open(setup);
    closes.push(() => opened.close?.());
    await verify(contender.name, store, opened.apps);
    const lane = await laneOf(contender.name, opened, scenario);
    if (lane === undefined) continue;
    const { framework } = contender;
    if (![...frameworks.values()].includes(framework)) {
      lanes.push(await bareLane(bareName(framework), opened, scenario));
    }
    frameworks.set(contender.name, framework);
    lanes.push(lane);
  }
  const raw = store === "cookie" ? await rawLanes(scenario, bytes) : undefined;
  if (raw !== undefined) lanes.push(raw.alone, raw.inHandler);
  const series = await measure(lanes, options);
  for (const close of closes) await close();
  const costs = [...frameworks].map(([name, framework]): [string, Cost] => [
    name,
    costOf(framework, series.get(name)!, series.get(bareName(framework))!),
  ]);
  const seriesOf = (lane: Lane) => series.get(lane.name)!;
  return {
    ...group,
    costs: Object.fromEntries(costs),
    ...(raw && {
      raw: {
        alone: median(seriesOf(raw.alone)),
        inHandler: added(seriesOf(raw.inHandler), series.get(bareName("fetch"))!),
      },
    }),
  };
}

function bareName(framework: string): string {
  return `bare ${framework}`;
}

function costOf(framework: string, series: Series, bare: Series): Cost {
  const more = differences(series, bare);
  return { framework, bare: median(bare), added: median(more), quartiles: quartiles(more) };
}

const options: InProcessOptions = JSON.parse(process.argv[2] ?? "{}");
const hasRedis = options.redisPort !== undefined;
for (const group of groupsOf(options)) {
  if (group.store === "redis" && !hasRedis) continue;
  console.log(JSON.stringify(await measureGroup(group, options)));
}
