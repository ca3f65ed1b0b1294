/**
 * Measuring by alternation: a slice of a few milliseconds of each, one after the other, many times
 * over. Whatever else the machine does meets all alike, and the median leaves out what it met.
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

/** How long is measured. */
export interface MeasureOptions {
  /** How often each lane has its turn. */
  rounds: number;
  /** For about how long a turn goes, in milliseconds. */
  sliceMs: number;
}

/** Where the middle half of some numbers begins and ends. */
export type Quartiles = [low: number, high: number];

/** The time for one request in microseconds, for each round. */
export type Series = number[];

const WARM_UP_ROUNDS = 3;
const FIRST_COUNT = 16;
const CALIBRATIONS = 3;

/** Measures lanes against each other. */
export async function measure(
  lanes: readonly Lane[],
  { rounds, sliceMs }: MeasureOptions,
): Promise<Map<string, Series>> {
  const counts = new Map<Lane, number>();
  for (const lane of lanes) counts.set(lane, await calibrate(lane, sliceMs));
  const series = new Map(lanes.map((lane): [string, Series] => [lane.name, []]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    // Not always after the same neighbour: one's garbage is collected in the other's time.
    for (const lane of shuffled(lanes)) {
      const time = await slice(lane, counts.get(lane)!);
      if (round >= 0) series.get(lane.name)!.push(time);
    }
  }
  return series;
}

/** The time for one request, in microseconds, over `count` of them. */
async function slice(lane: Lane, count: number): Promise<number> {
  await lane.prepare?.(count);
  const start = performance.now();
  await lane.run(count);
  return (performance.now() - start) * 1000 / count;
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
