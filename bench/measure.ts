/**
 * Measures tasks against each other: a slice of a few milliseconds of each, in random order, many
 * times. Whatever slows the machine down then slows all tasks alike.
 */
import process from "node:process";

/** Something to measure. */
export interface Task {
  name: string;
  /** Makes `count` requests, one after the other. */
  run(count: number): Promise<void>;
  /** Runs before each slice, unmeasured; creates what the slice uses up. */
  prepare?(count: number): Promise<void>;
  /** The most requests in a slice, for tasks that use something up. */
  maxCount?: number;
}

/** How much to measure. */
export interface MeasureOptions {
  /** How many slices of each task count. */
  slices: number;
  /** The processor time of a slice, in milliseconds. */
  sliceMs: number;
}

/** The median of several processes, with the lowest and the highest. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** Processor time of each task before its slices count, in milliseconds: its code has to be compiled. */
const WARM_UP_MS = 150;
/**
 * The slice that counts. Other programs on the machine make slices longer and never shorter, so the
 * lower half is more repeatable than the median; the shortest depends on luck.
 */
const LOWER_QUARTILE = 0.25;
const FIRST_COUNT = 16;
const CALIBRATIONS = 3;

/** Measures tasks; returns the processor time of a request in each, in microseconds. */
export async function measure(
  tasks: readonly Task[],
  { slices, sliceMs }: MeasureOptions,
): Promise<Map<string, number>> {
  const counts = new Map<Task, number>();
  for (const task of tasks) counts.set(task, await calibrate(task, sliceMs));
  const times = new Map(tasks.map((task): [Task, number[]] => [task, []]));
  for (let at = -Math.ceil(WARM_UP_MS / sliceMs); at < slices; at++) {
    // A task pays for garbage that its neighbor left, so the neighbor must vary.
    for (const task of shuffled(tasks)) {
      const time = await slice(task, counts.get(task)!);
      if (at >= 0) times.get(task)!.push(time);
    }
  }
  return new Map(tasks.map((task) => [task.name, quantile(times.get(task)!, LOWER_QUARTILE)]));
}

/**
 * The processor time of one request, in microseconds, over `count` of them. Unlike time by the clock,
 * it does not grow while another process has the processor. It includes garbage collection and the
 * threads that encrypt.
 */
async function slice(task: Task, count: number): Promise<number> {
  await task.prepare?.(count);
  const start = process.cpuUsage();
  await task.run(count);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / count;
}

/** How many requests fill a slice, once the code has been compiled. */
async function calibrate(task: Task, sliceMs: number): Promise<number> {
  const { maxCount = Infinity } = task;
  let count = Math.min(FIRST_COUNT, maxCount);
  while (true) {
    // The best of some: one long garbage collection must not make all slices too short.
    const times: number[] = [];
    while (times.length < CALIBRATIONS) times.push(await slice(task, count));
    const time = Math.min(...times);
    if (count * time >= sliceMs * 500 || count === maxCount) {
      return Math.max(1, Math.min(maxCount, Math.round(sliceMs * 1000 / time)));
    }
    count = Math.min(maxCount, count * 4);
  }
}

/** A copy in random order. */
export function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** The middle one of the numbers. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** The number that `share` of the numbers lie below. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? NaN;
  return below + ((sorted[Math.ceil(at)] ?? NaN) - below) * (at % 1);
}

/** Sums up what several processes measured. */
export function spreadOf(numbers: readonly number[]): Spread {
  return { median: median(numbers), low: Math.min(...numbers), high: Math.max(...numbers) };
}

/** How far the highest number is above the lowest, as a share of the median. */
export function differenceOf({ median, low, high }: Spread): number {
  return (high - low) / median;
}

/** A median in three digits, with the lowest and the highest number unless they are equal. */
export function showSpread({ median, low, high }: Spread, unit = ""): string {
  const range = low === high ? "" : ` (${digits(low)} to ${digits(high)})`;
  return `${digits(median)}${unit === "" ? "" : ` ${unit}`}${range}`;
}

/** A number in three digits. */
export function digits(number: number): string {
  if (Math.abs(number) >= 100) return number.toFixed(0);
  if (Math.abs(number) >= 10) return number.toFixed(1);
  return number.toFixed(Math.abs(number) >= 0.1 ? 2 : 3);
}
