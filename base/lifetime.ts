/**
 * The lifetime that one session has in place of the middleware's. In a record's header it is three
 * fields with dots in between: `idle`, `absolute` and `persistent`, each of which may be empty.
 */
import { checkOptions, checkSeconds, isObject, optionError } from "./check_options.ts";

/** How long one session lives, in place of what the middleware's options say. */
export interface SessionLifetime {
  /**
   * Ends the session after this many seconds without a request: at least 1, and at most ten years. A
   * fraction is rounded up.
   *
   * @default {the middleware's `expire`}
   */
  readonly idle?: number;
  /**
   * Ends the session this many seconds after the sign-in, or after it was created if nobody has signed
   * in, even if it is in use. The middleware's `absoluteExpire` applies as well.
   *
   * @default {the middleware's `absoluteExpire`}
   */
  readonly absolute?: number;
  /**
   * Says whether the browser keeps the cookie when it is closed: `true` sends a Max-Age, `false` none.
   *
   * @default {as the State does}
   */
  readonly persistent?: boolean;
}

const OWNER = "the lifetime";
const DURATIONS = ["idle", "absolute"] as const;
const SECONDS = "(?:[0-9a-z]{1,8})?";
/** The pattern of an encoded lifetime. */
export const LIFETIME = `${SECONDS}\\.${SECONDS}\\.[01]?`;

/**
 * A frozen copy of a lifetime, in whole seconds.
 *
 * @throws {TypeError} If it is not an object, or a property is unknown or of the wrong type.
 * @throws {RangeError} If a duration is not a number of seconds that makes sense.
 */
export function checkLifetime(lifetime: SessionLifetime): SessionLifetime {
  checkOptions(OWNER, lifetime, [...DURATIONS, "persistent"]);
  const { persistent } = lifetime;
  if (persistent !== undefined && typeof persistent !== "boolean") {
    throw optionError(OWNER, "persistent must be true or false");
  }
  const checked: { -readonly [Name in keyof SessionLifetime]: SessionLifetime[Name] } = {};
  for (const name of DURATIONS) {
    const seconds = lifetime[name];
    if (seconds === undefined) continue;
    checkSeconds(OWNER, name, seconds);
    if (seconds < 1) throw optionError(OWNER, `${name} must be at least 1 second`, RangeError);
    checked[name] = Math.ceil(seconds);
  }
  if (persistent !== undefined) checked.persistent = persistent;
  return Object.freeze(checked);
}

/** The lifetime in plain data; `undefined` if it is not one. */
export function readLifetime(value: unknown): SessionLifetime | undefined {
  try {
    return isObject(value) ? checkLifetime(value) : undefined;
  } catch {
    return undefined;
  }
}

/** A lifetime as text. */
export function encodeLifetime({ idle, absolute, persistent }: SessionLifetime): string {
  const flag = persistent === undefined ? "" : Number(persistent);
  return `${idle?.toString(36) ?? ""}.${absolute?.toString(36) ?? ""}.${flag}`;
}

/** The lifetime in a text that the pattern matches. */
export function decodeLifetime(text: string): SessionLifetime {
  const [idle, absolute, flag] = text.split(".");
  return Object.freeze({
    ...idle && { idle: parseInt(idle, 36) },
    ...absolute && { absolute: parseInt(absolute, 36) },
    ...flag && { persistent: flag === "1" },
  });
}

/** Whether two lifetimes are equal. */
export function isSameLifetime(
  a: SessionLifetime | undefined,
  b: SessionLifetime | undefined,
): boolean {
  return a === b || (a !== undefined && b !== undefined && encodeLifetime(a) === encodeLifetime(b));
}
