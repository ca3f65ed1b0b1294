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
 * @throws {TypeError} If it is not an object or has an unknown option.
 */
export function checkOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw optionError(owner, "options must be an object");
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw optionError(owner, `there is no option "${key}" (there are ${known.join(", ")})`);
    }
  }
}

/**
 * Requires a finite number that is not negative.
 *
 * @throws {RangeError} If it is anything else.
 */
export function checkNumber(owner: string, name: string, value: unknown, unit: string): void {
  if (!Number.isFinite(value) || (value as number) < 0) {
    throw optionError(owner, `${name} must be ${unit}, 0 or more`, RangeError);
  }
}

/**
 * Refuses a callback, which other libraries' methods take. If it were ignored, the request would
 * hang.
 *
 * @param args The arguments that must not contain a function.
 * @param advice What to do instead.
 * @throws {TypeError} If there is one.
 */
export function refuseCallback(verb: string, args: ArrayLike<unknown>, advice: string): void {
  if (!Array.prototype.some.call(args, (one) => typeof one === "function")) return;
  throw new TypeError(`Cannot ${verb} with a callback: it would never be called. ${advice}`);
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
    throw optionError(owner, "secret must be a string, or a list of them");
  }
  for (const one of secrets as string[]) {
    if (new TextEncoder().encode(one).length >= minBytes) continue;
    throw optionError(owner, `secret must have ${minBytes} bytes or more`, RangeError);
  }
  return secrets as string[];
}
