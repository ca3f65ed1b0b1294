/** Checks of options, for the constructors of this package. */

/** The error for a wrong option. `owner` names what cannot be made, `problem` names the option. */
export function optionError(
  owner: string,
  problem: string,
  ErrorClass: typeof TypeError | typeof RangeError = TypeError,
): Error {
  return new ErrorClass(`Cannot make ${owner}: ${problem}`);
}

/**
 * Requires an options object without unknown options: a misspelled one would be ignored silently.
 *
 * @param owner Names what is being made, for the message.
 * @param hints Advice for options that other libraries have.
 * @throws {TypeError} If it is not an object or has an unknown option.
 */
export function checkOptions(
  owner: string,
  options: unknown,
  known: readonly string[],
  hints: Readonly<Record<string, string>> = {},
): void {
  if (!isObject(options)) {
    throw optionError(owner, `options must be an object; it is ${kindOf(options)}`);
  }
  const unknown = Object.keys(options).filter((key) => !known.includes(key)).map((key) => {
    const similar = known.find((one) => normalized(one) === normalized(key));
    const hint = similar !== undefined
      ? ` (use ${similar})`
      : Object.hasOwn(hints, key)
      ? ` (${hints[key]})`
      : "";
    return `no option "${key}"${hint}`;
  });
  if (unknown.length === 0) return;
  throw optionError(owner, `there is ${unknown.join(", and ")}. There are: ${known.join(", ")}`);
}

/** The name without its spelling: PAGI writes `cookie_name`. */
function normalized(name: string): string {
  return name.replace(/[_-]/g, "").replace(/ise/g, "ize").toLowerCase();
}

/** A longer duration was probably given in milliseconds. In seconds: ten years. */
export const MAX_SECONDS = 10 * 365 * 86_400;

/**
 * Requires a finite number that is not negative.
 *
 * @throws {RangeError} If it is anything else.
 */
export function checkNumber(owner: string, name: string, value: unknown, unit: string): void {
  if (!Number.isFinite(value) || (value as number) < 0) {
    const problem = `${name} must be a number of ${unit}, 0 or more; it is ${kindOf(value)}`;
    throw optionError(owner, problem, RangeError);
  }
}

/**
 * Requires a number of seconds.
 *
 * @throws {RangeError} If it is anything else, or so long that milliseconds were meant.
 */
export function checkSeconds(owner: string, name: string, value: unknown): void {
  checkNumber(owner, name, value, "seconds");
  const seconds = value as number;
  if (seconds <= MAX_SECONDS) return;
  const guess = seconds / 1000 <= MAX_SECONDS ? `: is ${seconds / 1000} what you mean?` : "";
  throw optionError(
    owner,
    `${name} must be at most ten years; it is ${seconds} seconds. It is in seconds, not in ` +
      `milliseconds${guess}`,
    RangeError,
  );
}

/** Describes a wrong value of an option. A text may be a secret, so it is not shown. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === "number") return String(value);
  if (isClass(value)) return `the class ${value.name} itself, not an instance`;
  if (value instanceof Promise) return "a promise, which must be awaited";
  if (typeof value !== "object") return `a ${typeof value}`;
  const { name } = (value as { constructor?: { name?: string } }).constructor ?? {};
  if (name === undefined || name === "Object") return "an object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

function isClass(value: unknown): value is { name: string } {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/**
 * Refuses a callback, which other libraries' methods take. If it were ignored, the request would
 * hang.
 *
 * @param args The arguments that must not contain a function.
 * @param advice Says how to do without a callback.
 * @throws {TypeError} If there is one.
 */
export function refuseCallback(verb: string, args: ArrayLike<unknown>, advice: string): void {
  if (!Array.prototype.some.call(args, (one) => typeof one === "function")) return;
  throw new TypeError(`Cannot ${verb} with a callback: it would never be called. ${advice}`);
}

/** Requires a `SessionMiddleware`, which an adapter is made of. `adapter` names the adapter. */
export function checkMiddleware(adapter: string, sessions: unknown): void {
  if (hasMethods(sessions, ["open", "handler", "answer"])) return;
  throw new TypeError(
    `Cannot make ${adapter}: it takes a SessionMiddleware, new SessionMiddleware(options); it is ` +
      kindOf(sessions),
  );
}

/** The error for an adapter whose place for the session is taken. */
export function placeTaken(place: string): TypeError {
  return new TypeError(
    `Cannot open the session: the request has ${place} already. If that is the session of another ` +
      "middleware, give one of them the option key",
  );
}

/** Whether `value` is an object of any kind. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Whether `value` is an object with all of these methods. */
export function hasMethods(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === "function");
}

/**
 * The secrets of an option that accepts one secret or a list.
 *
 * @param minBytes Bytes of UTF-8 that each secret must have.
 * @throws {TypeError} If it is neither a string nor a list of strings.
 * @throws {RangeError} If a secret is too short.
 */
export function checkSecrets(owner: string, secret: unknown, minBytes: number): readonly string[] {
  const secrets: unknown[] = [secret].flat();
  if (secrets.length === 0 || !secrets.every((one) => typeof one === "string")) {
    const hint = secrets.includes(undefined) ? ". Is its environment variable set?" : "";
    throw optionError(
      owner,
      `secret must be a string, or a list of them; it is ${kindOf(secret)}${hint}`,
    );
  }
  for (const one of secrets as string[]) {
    if (new TextEncoder().encode(one).length >= minBytes) continue;
    throw optionError(owner, `secret must have ${minBytes} bytes or more`, RangeError);
  }
  return secrets as string[];
}
