/** How long a session lives: by its own lifetime, or by the middleware's options. */
import type { RecordHeader } from "../base/record_header.ts";
import { MAX_CLOCK_SKEW } from "../base/limits.ts";
import { type ResolvedOptions, TOUCHES_PER_EXPIRE } from "./options.ts";

/** The parts of a header that decide how long the session lives. */
export type LifetimeHeader = Pick<RecordHeader, "lifetime" | "signedInAt">;

/** Seconds without a request after which the session ends. */
export function idleOf({ lifetime }: LifetimeHeader, { expire }: ResolvedOptions): number {
  return lifetime?.idle ?? expire;
}

/** Seconds after the sign-in after which the session ends. */
export function absoluteOf(
  { lifetime }: LifetimeHeader,
  { absoluteExpire }: ResolvedOptions,
): number {
  return Math.min(lifetime?.absolute ?? Infinity, absoluteExpire);
}

/** The minimum number of seconds between two updates of the last-access time. */
export function touchIntervalOf(header: LifetimeHeader, options: ResolvedOptions): number {
  const most = idleOf(header, options) / TOUCHES_PER_EXPIRE;
  return Math.min(options.touchInterval, most);
}

/**
 * When the session's absolute lifetime began. A sign-in that is still to come does not count:
 * otherwise the lifetime would never end.
 */
export function lifetimeStart(
  { signedInAt }: LifetimeHeader,
  created: number,
  now: number,
): number {
  return signedInAt !== undefined && signedInAt - now <= MAX_CLOCK_SKEW ? signedInAt : created;
}

/** Seconds that a session has left if it is used at `now`. */
export function remaining(
  header: LifetimeHeader,
  created: number,
  now: number,
  options: ResolvedOptions,
): number {
  const end = lifetimeStart(header, created, now) + absoluteOf(header, options);
  return Math.max(0, Math.min(idleOf(header, options), end - now));
}
