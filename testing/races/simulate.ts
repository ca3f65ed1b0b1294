/**
 * {@linkcode simulateRaces}: requests that run at once, in every order, held to what the library
 * promises about them.
 *
 * @module
 */
import { checkNumber, checkOptions } from "../../base/check_options.ts";
import type { Awaitable, SessionStore } from "../../store/store.ts";
import { describe } from "./describe.ts";
import { everySchedule, numberedPair, pairNumber, PAIRS, type Runner } from "./schedules.ts";
import { type Guarantee, judge } from "./oracle.ts";
import { type Choose, type Program, randomProgram, REQUESTS } from "./program.ts";
import { type Run, run } from "./run.ts";
import { shrink } from "./shrink.ts";

export type { Guarantee };

/** Options of {@linkcode simulateRaces}. */
export interface RaceOptions {
  /**
   * Opens the store, once for each run. It may be the same one each time, a real server's too: no
   * two runs use the same ids.
   */
  open: () => Awaitable<SessionStore>;
  /** Closes a store that `open` opened. */
  close?: (store: SessionStore) => Awaitable<void>;
  /**
   * How many random schedules are run.
   *
   * @default {1000}
   */
  runs?: number;
  /**
   * The number of the first random schedule; the others follow.
   *
   * @default {0}
   */
  from?: number;
  /**
   * How many requests a random schedule has, 2 to 6.
   *
   * @default {as its number says}
   */
  requests?: number;
  /**
   * Whether every schedule of every pair of requests is run too: about 12,000, two seconds in
   * memory and minutes on a server.
   *
   * @default {true}
   */
  exhaustive?: boolean;
  /** Runs this one alone, the number of a failure; `requests` must be what it was then. */
  number?: number;
}

/** A guarantee that did not hold. */
export interface RaceFailure {
  /** What replays it: `simulateRaces({ open, number })`. */
  number: number;
  /** Which one. */
  guarantee: Guarantee;
  /** What was wrong in the shortest schedule. */
  why: string;
  /** The shortest schedule that shows it: the requests, then what happened, step by step. */
  schedule: string[];
}

/**
 * What the races showed. Each count is of runs, and a run counts once in each. All but `runs` and
 * `replaced` are 0 when every guarantee held.
 */
export interface RaceReport {
  /** How many schedules were run. */
  runs: number;
  /** An acknowledged change is missing, or one that was refused is there. */
  lost: number;
  /** A session was usable, or written to, after its acknowledged logout. */
  resurrected: number;
  /** A late request's response replaced or removed the cookie of the newer login. */
  undoneLogins: number;
  /** More than one id of a session was usable, those included that were never sent. */
  extraIds: number;
  /** Nobody had logged out, and the id that was sent last was not usable. */
  deadSessions: number;
  /**
   * An answer was wrong: a reader of an ended session was sent its id, a request was refused
   * without cause or not with `ERR_SESSION_INTERRUPTED`, or answered before its commit or twice.
   */
  wrongAnswers: number;
  /** The fewest and the most usable ids that a session had which nobody ended; 1 and 1. */
  liveIds: {
    /** The fewest. */
    fewest: number;
    /** The most. */
    most: number;
  };
  /**
   * A request with the id of a session that had ended started a new one, or cleared the cookie, when
   * its browser had a newer session by then. To the server it is a visitor without a session: this
   * is no broken guarantee, and no failure.
   */
  replaced: number;
  /** The first failure of each guarantee that was broken, with its shortest schedule. */
  failures: RaceFailure[];
  /** What happened, step by step, where one number was run. */
  trace?: string[];
}

const DEFAULT_RUNS = 1000;
/** The numbers of random schedules end here. */
const MAX_NUMBER = 2 ** 40;

/**
 * Runs two to six requests of one browser at once, again and again, each time in another order, and
 * checks after each run what the library promises: no acknowledged update lost, no session
 * resurrected, no login undone, one live id. The requests go through `SessionMiddleware.wrap` and
 * CookieState, each with a middleware of its own, as if every one had reached another server on the
 * same store; each store call, and each moment in a handler, happens when the schedule says so.
 *
 * The schedule follows from a number, and so does everything in it. There is no timer in it and
 * nothing random, so a failure can be replayed from its number.
 *
 * A store with PAGI's three methods alone can be run too, and a `CookieStore`; neither will pass.
 * What the latter shows is the replay of an ended session (`resurrected`), which `revocations` ends.
 *
 * @throws {TypeError} When an option is unknown or of the wrong kind.
 * @throws {RangeError} When a number is out of its range.
 *
 * @example Sessions in memory
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { simulateRaces } from "@pagi/session/testing";
 * import { MemoryStore } from "@pagi/session/store/memory";
 *
 * const report = await simulateRaces({
 *   open: () => new MemoryStore(),
 *   runs: 100,
 *   exhaustive: false,
 * });
 * assertEquals(report.failures, []);
 * assertEquals(report.liveIds, { fewest: 1, most: 1 });
 * ```
 */
export async function simulateRaces(options: RaceOptions): Promise<RaceReport> {
  check(options);
  const { runs = DEFAULT_RUNS, from = 0, exhaustive = true, requests, number } = options;
  const runner = runnerFor(options);
  const tally = new Tally(runner);
  if (number !== undefined) {
    const { program, choose } = programOf(number, requests);
    const only = await runner(program, choose);
    await tally.add(only, number);
    return { ...tally.report, trace: describe(only) };
  }
  for (const [pair, program] of exhaustive ? PAIRS.entries() : []) {
    for await (const { run, bits } of everySchedule(program, runner)) {
      await tally.add(run, pairNumber(pair, bits));
    }
  }
  for (let next = from; next < from + runs; next++) {
    const { program, choose } = randomProgram(next, requests);
    await tally.add(await runner(program, choose), next);
  }
  return tally.report;
}

/**
 * What a report says, to be printed: its counts on one line, then each failure with its schedule.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { formatRaces, simulateRaces } from "@pagi/session/testing";
 * import { MemoryStore } from "@pagi/session/store/memory";
 *
 * const report = await simulateRaces({ open: () => new MemoryStore(), number: 7 });
 * assertStringIncludes(formatRaces(report), "1 run: 0 lost, 0 resurrected");
 * ```
 */
export function formatRaces(report: RaceReport): string {
  const { runs, lost, resurrected, undoneLogins, extraIds, deadSessions, wrongAnswers } = report;
  const { fewest, most } = report.liveIds;
  const counts = `${runs} ${runs === 1 ? "run" : "runs"}: ${lost} lost, ` +
    `${resurrected} resurrected, ${undoneLogins} logins undone, ${extraIds} with extra ids, ` +
    `${deadSessions} dead, ${wrongAnswers} wrong answers; ` +
    `live ids of a session: ${fewest === most ? fewest : `${fewest} to ${most}`}`;
  const failures = report.failures.map(({ number, guarantee, why, schedule }) =>
    [`${guarantee}, number ${number}: ${why}`, ...schedule.map((line) => `  ${line}`)].join("\n")
  );
  return [counts, ...failures].join("\n");
}

/** Counts, and keeps the first failure of each kind. */
class Tally {
  readonly report: RaceReport = {
    runs: 0,
    lost: 0,
    resurrected: 0,
    undoneLogins: 0,
    extraIds: 0,
    deadSessions: 0,
    wrongAnswers: 0,
    liveIds: { fewest: 1, most: 1 },
    replaced: 0,
    failures: [],
  };
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  async add(run: Run, number: number): Promise<void> {
    const { violations, liveIds, isReplaced } = judge(run);
    const { report } = this;
    report.runs++;
    if (isReplaced) report.replaced++;
    report.liveIds.fewest = Math.min(report.liveIds.fewest, ...liveIds);
    report.liveIds.most = Math.max(report.liveIds.most, ...liveIds);
    // One run counts once, however often it breaks the same promise.
    for (const guarantee of new Set(violations.map(({ guarantee }) => guarantee))) {
      if (report[guarantee]++ === 0) await this.#keep(run, number, guarantee);
    }
  }

  async #keep(run: Run, number: number, guarantee: Guarantee): Promise<void> {
    const shortest = await shrink(run, guarantee, this.#runner);
    const broken = judge(shortest).violations.find((one) => one.guarantee === guarantee)!;
    const schedule = describe(shortest);
    this.report.failures.push({ number, guarantee, why: broken.why, schedule });
  }
}

/** Ids are no part of any decision; they are random only so that runs can share a server. */
function runnerFor({ open, close }: RaceOptions): Runner {
  const salt = crypto.randomUUID().replaceAll("-", "").padEnd(48, "0");
  let made = 0;
  const newId = () => salt + (++made).toString(16).padStart(16, "0");
  return async (program: Program, choose: Choose) => {
    const store = await open();
    try {
      return await run(program, choose, { store, newId });
    } finally {
      await close?.(store);
    }
  };
}

function programOf(number: number, requests: number | undefined) {
  if (number >= 0) return randomProgram(number, requests);
  const pair = numberedPair(number);
  if (pair === undefined) throw new RangeError("Cannot simulate races: number is nobody's");
  return pair;
}

const OWNER = "simulateRaces";
const KNOWN = ["open", "close", "runs", "from", "requests", "exhaustive", "number"];

function check(options: RaceOptions): void {
  checkOptions(OWNER, options, KNOWN);
  if (typeof options.open !== "function") {
    throw new TypeError("Cannot simulate races: open must be a function that opens a store");
  }
  for (const name of ["runs", "from"] as const) {
    if (options[name] !== undefined) checkNumber(OWNER, name, options[name], "schedules");
  }
  const { fewest, most } = REQUESTS;
  const { requests = fewest, number = 0 } = options;
  if (!Number.isInteger(requests) || requests < fewest || requests > most) {
    throw new RangeError(`Cannot simulate races: requests must be ${fewest} to ${most}`);
  }
  if (!Number.isSafeInteger(number) || number >= MAX_NUMBER) {
    throw new RangeError("Cannot simulate races: number must be that of a schedule");
  }
}
