/**
 * Refuses what is not an options object, and options that do not exist: a misspelt one would be
 * ignored in silence.
 */
export function checkOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot make ${owner}: options must be an object`);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(
        `Cannot make ${owner}: there is no option "${key}" (there are ${known.join(", ")})`,
      );
    }
  }
}

/** Refuses what is not a number from 0 up. */
export function checkNumber(owner: string, name: string, value: unknown, unit: string): void {
  if (!Number.isFinite(value) || (value as number) < 0) {
    throw new RangeError(`Cannot make ${owner}: ${name} must be ${unit}, 0 or more`);
  }
}

/** Whether `value` is an object with all of these methods. */
export function hasMethods(value: unknown, names: readonly string[]): boolean {
  return typeof value === "object" && value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}

/**
 * The secrets of an option that takes one or a list of them.
 *
 * @param least How many bytes of UTF-8 each has at least.
 */
export function secretsOf(owner: string, secret: unknown, least: number): readonly string[] {
  const secrets: unknown[] = [secret].flat();
  if (secrets.length === 0 || !secrets.every((one) => typeof one === "string")) {
    throw new TypeError(`Cannot make ${owner}: secret must be a string, or a list of them`);
  }
  for (const one of secrets as string[]) {
    if (new TextEncoder().encode(one).length >= least) continue;
    throw new RangeError(`Cannot make ${owner}: secret must have ${least} bytes or more`);
  }
  return secrets as string[];
}
