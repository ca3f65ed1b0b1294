/**
 * {@linkcode testClock}: a clock that a test moves.
 *
 * @module
 */

/** A clock for the options `now` of the middleware and of stores. */
export interface TestClock {
  /** Returns the time in Unix milliseconds. Needs no `this`, so you can pass it as an option. */
  readonly now: () => number;
  /**
   * Moves the clock forward by a number of seconds.
   *
   * @throws {RangeError} If it is not a number, or negative.
   */
  readonly advance: (seconds: number) => void;
}

/**
 * Creates a clock that stands still until you advance it. Pass its `now` to the middleware, and to a
 * `MemoryStore` or `SqliteStore` that you create. The store that the middleware creates uses the clock
 * of the middleware.
 *
 * @param startMs Unix milliseconds at which the clock starts; by default, the time of the call.
 * @throws {RangeError} If `startMs` is not a number, or negative.
 *
 * @example A session that expires
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { testClock, visitor } from "@pagi/session/testing";
 *
 * const clock = testClock();
 * const sessions = new SessionMiddleware({
 *   secret: "replace this with: openssl rand -hex 32",
 *   expire: 1800,
 *   now: clock.now,
 * });
 * const ada = await visitor(sessions, { subject: "user-7" });
 *
 * clock.advance(1700);
 * assertEquals((await ada.session())?.subject, "user-7");
 * clock.advance(1900);
 * assertEquals(await ada.session(), undefined);
 * ```
 */
export function testClock(startMs: number = Date.now()): TestClock {
  let nowMs = checked("start", startMs);
  return {
    now: () => nowMs,
    advance: (seconds) => {
      // Clocks count whole milliseconds.
      nowMs += Math.round(checked("advance", seconds) * 1000);
    },
  };
}

function checked(verb: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(
    `Cannot ${verb} the clock: it takes a number of ${
      verb === "start" ? "milliseconds" : "seconds"
    }, 0 or more`,
  );
}
