/**
 * {@linkcode simulateRaces}: runs concurrent requests in many orders and checks what the library
 * guarantees about them.
 *
 * @module
 */
import { checkNumber, checkOptions } from "../../base/check_options.ts";
import type { Awaitable, SessionStore } from "../../store/store.ts";
import { describe } from "./describe.ts";
import { idGenerator } from "./ids.ts";
import { everySchedule, numberedPair, pairNumber, PAIRS, type Runner } from "./schedules.ts";
import { type Guarantee, judge } from "./oracle.ts";
import { type Choose, type Program, randomProgram, REQUESTS } from "./program.ts";
import { type Run, run } from "./run.ts";
import { shrink } from "./shrink.ts";

export type { Guarantee };

/** Options of {@linkcode simulateRaces}. */
export interface RaceOptions {
  /**
   * Opens the store; called once for each run. It may return the same store each time, and the
   * store may be on a server that holds other data: no two runs use the same IDs.
   */
  open: () => Awaitable<SessionStore>;
  /**
   * Closes a store that `open` returned; called after each run.
   *
   * @default {undefined, stores are not closed}
   */
  close?: (store: SessionStore) => Awaitable<void>;
  /**
   * Sets the number of random schedules to run.
   *
   * @default {1000}
   */
  runs?: number;
  /**
   * Sets the number of the first random schedule. The others have the numbers after it.
   *
   * @default {0}
   */
  from?: number;
  /**
   * Sets the number of requests in each random schedule, from 2 to 6.
   *
   * @default {undefined, derived from the number of the schedule}
   */
  requests?: number;
  /**
   * Also runs every schedule of every pair of requests, about 33,000. Turn it off if your store is
   * on a server and the runs take too long.
   *
   * @default {true}
   */
  exhaustive?: boolean;
  /**
   * Runs only the schedule with this number, to replay a failure. Set `requests` to the same value
   * as in the failed run. The report then has a `trace`.
   *
   * @default {undefined, `runs` schedules are run}
   */
  number?: number;
}

/** A guarantee that did not hold. */
export interface RaceFailure {
  /** The number of the schedule. To replay it, call `simulateRaces({ open, number })`. */
  number: number;
  /** The guarantee. */
  guarantee: Guarantee;
  /** Says in words how the shortest schedule breaks the guarantee. */
  why: string;
  /** The shortest schedule that shows the failure: the requests, then their steps in order. */
  schedule: string[];
}

/**
 * The result of {@linkcode simulateRaces}. Each number counts runs, and a run counts at most once
 * in each. If every guarantee held, all counts except `runs` and `replaced` are 0.
 */
export interface RaceReport {
  /** The number of schedules that were run. */
  runs: number;
  /**
   * Runs in which an acknowledged change was missing or was stored twice, or a refused change was
   * stored.
   */
  lost: number;
  /** Runs in which a session was usable, or written to, after its acknowledged logout. */
  resurrected: number;
  /**
   * Runs in which the response to a late request replaced or removed the cookie of a newer login.
   */
  undoneLogins: number;
  /**
   * Runs in which an ID was usable after it had been replaced, including IDs that were never sent.
   * After `rotate()`, the old ID may be usable for a while, so that a session has two.
   */
  extraIds: number;
  /**
   * Runs in which a session was lost without a logout: its ID was not usable, or the ID before a
   * rotation whose response was lost.
   */
  deadSessions: number;
  /**
   * Runs with a wrong response. For example, a request was refused without a reason or with another
   * code than `ERR_SESSION_INTERRUPTED`. A request may also have got its response before the
   * commit, or twice. Or `destroy()` ended a session and resolved to `false`.
   */
  wrongAnswers: number;
  /**
   * The number of usable IDs of each session without a logout. An ID that `rotate()` has replaced
   * and that is still valid for a while does not count. Both are 1 if the guarantees held.
   */
  liveIds: {
    /** The fewest. */
    fewest: number;
    /** The most. */
    most: number;
  };
  /**
   * Runs in which a request with the ID of a destroyed session started a new session or cleared the
   * cookie, although its browser had a newer session by then. The server cannot know that, so this
   * breaks no guarantee and is not a failure.
   */
  replaced: number;
  /** The first failure of each broken guarantee, with its shortest schedule. */
  failures: RaceFailure[];
  /** The requests and their steps in order; only if `number` was set. */
  trace?: string[];
}

const DEFAULT_RUNS = 1000;
/** Numbers of random schedules are smaller than this. */
const MAX_NUMBER = 2 ** 40;

/**
 * Runs two to six concurrent requests of one browser, many times, each time in another order. After
 * each run it checks that no acknowledged update is lost, no destroyed session is usable and no
 * login is undone. It also checks that each session has exactly one usable ID, or two after
 * `rotate()`.
 *
 * Each request has a `SessionMiddleware` of its own with a `CookieState`, as if it had reached
 * another server on the same store, whose clock may be a minute off. The schedule decides when each
 * store call and each part of a handler runs. Some responses do not reach the browser.
 *
 * If the store is a `VersionedStore`, some of its writes are carried out twice, as happens when a
 * client loses the connection and sends a command again. The second write follows immediately or
 * after calls of other requests. The request gets the answer to one of the two.
 *
 * Everything in a schedule follows from its number. No timers and no random values are involved, so
 * a failure can be replayed from its number.
 *
 * Basic stores, which have only `get`, `set` and `delete`, can be run too, but do not pass. Neither
 * does a `CookieStore`: it loses concurrent changes (`lost`). Without `revocations` it also accepts
 * copies of destroyed sessions (`resurrected`).
 *
 * @throws {TypeError} When an option is unknown or of the wrong kind.
 * @throws {RangeError} When a number is out of its range.
 *
 * @example Sessions in memory
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { simulateRaces } from "@pagi/session/testing/store";
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
    for await (const { run, code } of everySchedule(program, runner)) {
      await tally.add(run, pairNumber(pair, code));
    }
  }
  for (let next = from; next < from + runs; next++) {
    const { program, choose } = randomProgram(next, requests);
    await tally.add(await runner(program, choose), next);
  }
  return tally.report;
}

/**
 * Formats a report for printing: the counts on one line, then each failure with its schedule.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { formatRaces, simulateRaces } from "@pagi/session/testing/store";
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

/** Adds up a report, with the first failure of each guarantee. */
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
    // A run counts once, even if it breaks the same guarantee several times.
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

/**
 * Runs programs. The IDs are random so that runs can share a store; no decision depends on them.
 */
function runnerFor({ open, close }: RaceOptions): Runner {
  const newId = idGenerator();
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
