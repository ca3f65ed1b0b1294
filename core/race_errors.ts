/** The errors of requests that lost a race, and repeated attempts. */
import { MAX_ATTEMPTS } from "../base/limits.ts";
import { SessionError } from "../errors.ts";
import type { HeaderPair } from "../pagi.ts";

/** The longest pause between two attempts to write, as a multiple of the store's time for a call. */
const MAX_PAUSE = 16;

/** The session ended, or its ID was replaced, while a request was writing to it. */
export function interrupted(): SessionError {
  return new SessionError(
    "ERR_SESSION_INTERRUPTED",
    "Cannot save the session: it was ended or given a new id meanwhile",
  );
}

/**
 * The ID of a new session is taken. Random IDs of 256 bits do not collide.
 *
 * @param isGenerated Whether the app's `generateId` made the ID.
 */
export function taken(isGenerated: boolean): Error {
  return isGenerated
    ? new TypeError(
      "Cannot save the session: generateId returned the ID of another session. It must return 64 " +
        "new random hex digits each time",
    )
    : new SessionError(
      "ERR_SESSION_STORE",
      "Cannot save the session: the store says that its new, random ID is taken",
    );
}

/** The new ID of a session is one that it has or had. */
export function repeated(): TypeError {
  return new TypeError(
    "Cannot give the session a new ID: generateId repeated the first half of an earlier one. It " +
      "must return 64 new random hex digits each time",
  );
}

/** Other writers won every time. */
export function conflict(): SessionError {
  return new SessionError(
    "ERR_SESSION_CONFLICT",
    `Cannot save the session: others came first ${MAX_ATTEMPTS} times`,
  );
}

/** Another request was the first to take a value. */
export function pulledBefore(headers: HeaderPair[] = []): SessionError {
  return new SessionError(
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: this request pulled a value that another one took or changed first",
    { headers },
  );
}

/**
 * The error of one of several requests that failed together. Each has its own, because an error is
 * reported once.
 */
export function ownError(error: unknown): unknown {
  if (!(error instanceof SessionError)) return error;
  const { code, message, cause, headers } = error;
  return new SessionError(code, message, { cause, headers: [...headers] });
}

/**
 * Calls `attempt` until it returns something other than `undefined`.
 *
 * @throws {SessionError} `ERR_SESSION_CONFLICT` after `MAX_ATTEMPTS` calls.
 */
export async function retry<T>(attempt: (count: number) => Promise<T | undefined>): Promise<T> {
  for (let count = 0; count < MAX_ATTEMPTS; count++) {
    const result = await attempt(count);
    if (result !== undefined) return result;
  }
  throw conflict();
}

/**
 * Waits before the next attempt, for a random time that grows with the number of attempts:
 * otherwise the same processes would meet again.
 *
 * @param callMs Milliseconds that the store took for the last call.
 */
export async function pause(attempt: number, callMs: number): Promise<void> {
  const ms = Math.random() * Math.min(2 ** attempt, MAX_PAUSE) * callMs;
  // No other process uses a store that is as fast as that.
  if (ms >= 1) await new Promise((resolve) => setTimeout(resolve, ms));
}
