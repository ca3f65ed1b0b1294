/** The runtime's own sampling profiler, and what its samples come to. */
import { type Profiler as Protocol, Session } from "node:inspector";
import { type Frame, groupOfFrame, type Times } from "./profile_groups.ts";

/** With a shorter one the looking slows down what is looked at. */
const INTERVAL_MICROS = 250;
const MOST_OTHERS = 5;
const ROOT = new URL("..", import.meta.url);

/** A function that no group was found for, and its time in microseconds. */
export interface OtherTime {
  name: string;
  time: number;
}

/** The profiler of this process. */
export class Profiler {
  readonly #session = new Session();

  /** Makes the runtime ready for it. */
  static async open(): Promise<Profiler> {
    const profiler = new Profiler();
    profiler.#session.connect();
    await profiler.#post("Profiler.enable");
    await profiler.#post("Profiler.setSamplingInterval", { interval: INTERVAL_MICROS });
    return profiler;
  }

  /**
   * Starts to sample. It has to be on before code is compiled, too: what is compiled while it is off
   * counts to the function around it.
   */
  async start(): Promise<void> {
    await this.#post("Profiler.start");
  }

  /** Ends it, and hands out what was seen since the start. */
  async stop(): Promise<Protocol.Profile> {
    return (await this.#post("Profiler.stop") as Protocol.StopReturnType).profile;
  }

  #post(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#session.post(
        method,
        params,
        (error, result) => error ? reject(error) : resolve(result),
      );
    });
  }
}

/** The self times of profiles, by group. */
export class SelfTimes {
  readonly #groups = new Map<string, number>();
  readonly #others = new Map<string, number>();

  /** Adds a profile's. */
  add({ nodes, samples = [], timeDeltas = [] }: Protocol.Profile): void {
    const frames = framesOf(nodes);
    for (const [at, id] of samples.entries()) {
      const frame = frames.get(id)!;
      const group = groupOfFrame(frame);
      if (group === undefined) continue;
      const time = timeDeltas[at] ?? 0;
      increase(this.#groups, group, time);
      if (group === "Other") increase(this.#others, `${frame.name} ${frame.file}`.trim(), time);
    }
  }

  /** Microseconds for each of so many requests, by group. */
  times(requests: number): Times {
    return Object.fromEntries([...this.#groups].map(([group, time]) => [group, time / requests]));
  }

  /** What most of "Other" went to: what the table of groups may lack. */
  others(requests: number): OtherTime[] {
    return [...this.#others]
      .map(([name, time]) => ({ name, time: time / requests }))
      .sort((a, b) => b.time - a.time)
      .slice(0, MOST_OTHERS);
  }
}

function increase(sums: Map<string, number>, key: string, by: number): void {
  sums.set(key, (sums.get(key) ?? 0) + by);
}

/** The nodes of a profile by their ids, each with its caller. */
function framesOf(nodes: readonly Protocol.ProfileNode[]): Map<number, Frame> {
  const frames = new Map<number, Frame>();
  for (const { id, callFrame: { functionName: name, url } } of nodes) {
    frames.set(id, { name, file: fileOf(url), caller: undefined });
  }
  for (const { id, children = [] } of nodes) {
    for (const child of children) frames.get(child)!.caller = frames.get(id);
  }
  return frames;
}

/** Runtimes name a file by its path or by its URL. */
function fileOf(url: string): string {
  const path = url.startsWith(ROOT.href) ? url.slice(ROOT.href.length) : url;
  return path.startsWith(ROOT.pathname) ? path.slice(ROOT.pathname.length) : path;
}
