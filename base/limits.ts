/** Limits that several folders share. */

/** Browsers reject a cookie whose name and value take more bytes in total (RFC 6265bis, 5.6). */
export const MAX_COOKIE_BYTES = 4096;

/** A value may be spread over several cookies. A longer one cannot be valid. */
export const MAX_VALUE_BYTES = 9 * MAX_COOKIE_BYTES;

/** Browsers keep a cookie for at most 400 days (RFC 6265bis, 5.5). In seconds. */
export const MAX_COOKIE_AGE = 400 * 86_400;

/**
 * The most candidate IDs that a request may carry. A sibling domain can add cookies with the same
 * name. A request with more candidates is rejected as a whole: if only the first few were looked
 * up, an attacker could push the client's own ID out of them.
 */
export const MAX_CANDIDATES = 4;

/** How often a write is tried against other writers. */
export const MAX_ATTEMPTS = 32;

/** The default lifetime of a session and its cookie: seconds without a request. */
export const DEFAULT_EXPIRE = 3600;

/** Seconds by which the clocks of two servers may differ without harm. */
export const MAX_CLOCK_SKEW = 120;

/** Seconds for which a store outside this process keeps the marker of a session's end. */
export const MARKER_TTL = 60;

/** The longest delay of a timer, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
