import process from "node:process";
/**
 * Measures by alternation: a slice of a few milliseconds of each lane, in random order, many times.
 * Other work on the machine then slows all lanes equally, and the median drops the outliers.
 */

/** Something to be measured. */
export interface Lane {
  name: string;
  /** Makes `count` requests, one after the other. */
  run(count: number): Promise<void>;
  /** Called before each slice, and not measured; may make what the slice uses up. */
  prepare?(count: number): Promise<void>;
  /** Requests in a slice at most; for what uses something up. */
  maxCount?: number;
}

/** How much to measure. */
export interface MeasureOptions {
  rounds: number;
  /** How many slices of each lane make up a round. @default {1} */
  slices?: number;
  /** The approximate length of a slice, in milliseconds. */
  sliceMs: number;
}

/** Where the middle half of some numbers begins and ends. */
export type Quartiles = [low: number, high: number];

/** The time for one request in microseconds, for each round. */
export type Series = number[];

/** Processor time of each lane before its times count, in milliseconds: its code has to be compiled. */
const WARM_UP_MS = 150;
const FIRST_COUNT = 16;
const CALIBRATIONS = 3;

/** Measures lanes against each other. */
export async function measure(
  lanes: readonly Lane[],
  { rounds, slices = 1, sliceMs }: MeasureOptions,
): Promise<Map<string, Series>> {
  const counts = new Map<Lane, number>();
  for (const lane of lanes) counts.set(lane, await calibrate(lane, sliceMs));
  const series = new Map(lanes.map((lane): [string, Series] => [lane.name, []]));
  for (let round = -Math.ceil(WARM_UP_MS / (slices * sliceMs)); round < rounds; round++) {
    const times = new Map(lanes.map((lane): [Lane, Series] => [lane, []]));
    for (let at = 0; at < slices; at++) {
      // A lane pays for its neighbor's garbage, so the neighbor must vary.
      for (const lane of shuffled(lanes)) {
        times.get(lane)!.push(await slice(lane, counts.get(lane)!));
      }
    }
    if (round < 0) continue;
    for (const lane of lanes) series.get(lane.name)!.push(median(times.get(lane)!));
  }
  return series;
}

/**
 * The processor time of one request, in microseconds, over `count` of them. Unlike time by the clock,
 * it does not grow when another process has the processor; it includes garbage collection and the
 * threads that encrypt.
 */
async function slice(lane: Lane, count: number): Promise<number> {
  await lane.prepare?.(count);
  const start = process.cpuUsage();
  await lane.run(count);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / count;
}

/** How many requests fill a slice, once the code has been compiled. */
async function calibrate(lane: Lane, sliceMs: number): Promise<number> {
  const { maxCount = Infinity } = lane;
  let count = Math.min(FIRST_COUNT, maxCount);
  while (true) {
    // The best of some: a pause of the machine must not make the slices too short.
    const times: number[] = [];
    while (times.length < CALIBRATIONS) times.push(await slice(lane, count));
    const time = Math.min(...times);
    if (count * time >= sliceMs * 500 || count === maxCount) {
      return Math.max(1, Math.min(maxCount, Math.round(sliceMs * 1000 / time)));
    }
    count = Math.min(maxCount, count * 4);
  }
}

/** A copy in an order of chance. */
export function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** The middle one. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** What `share` of the numbers lie below. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? NaN;
  return below + ((sorted[Math.ceil(at)] ?? NaN) - below) * (at % 1);
}

/** The middle half of the numbers lies between these. */
export function quartiles(numbers: readonly number[]): Quartiles {
  return [quantile(numbers, 0.25), quantile(numbers, 0.75)];
}

/** What one costs more than another: the median of the rounds' differences, each of one moment. */
export function added(series: Series, bare: Series): number {
  return median(differences(series, bare));
}

/** What one costs more than another in each round. */
export function differences(series: Series, bare: Series): Series {
  return series.map((time, round) => time - bare[round]!);
}
