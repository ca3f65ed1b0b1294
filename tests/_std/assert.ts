/**
 * Stands in for `@std/assert` where JSR cannot be reached: the same names and the same meaning. A
 * stand-in never passes what the real assertion would fail. `assert_test.ts` pins each name.
 *
 * These are functions, not constants, because TypeScript needs declared assertion signatures.
 *
 * @module
 */

import nodeAssert, { AssertionError } from "node:assert";
import { contains, equal } from "./equal.ts";

type ErrorClass<E> = abstract new (...args: never[]) => E;

export function assert(expr: unknown, msg?: string): asserts expr {
  if (!expr) fail(msg ?? `Expected a truthy value, not ${Deno.inspect(expr)}`);
}

export function assertFalse(
  expr: unknown,
  msg?: string,
): asserts expr is false | 0 | 0n | "" | null | undefined {
  if (expr) fail(msg ?? `Expected a falsy value, not ${Deno.inspect(expr)}`);
}

export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) fail(msg ?? `Expected a value, not ${actual}`);
}

export function assertEquals<T>(actual: T, expected: T, msg?: string) {
  if (!equal(actual, expected)) different("deepStrictEqual", actual, expected, msg);
}

export function assertNotEquals<T>(actual: T, expected: T, msg?: string) {
  if (equal(actual, expected)) different("notDeepStrictEqual", actual, expected, msg);
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) different("strictEqual", actual, expected, msg);
}

export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any -- as in @std/assert: an interface is not a Record of unknown
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
) {
  if (!contains(actual, expected)) different("deepStrictEqual", actual, expected, msg);
}

export function assertArrayIncludes<T>(
  actual: ArrayLike<T> & object,
  expected: ArrayLike<T> & object,
  msg?: string,
) {
  // The real function reads any length, even -1 or "1.5".
  if (!Array.isArray(actual) || !Array.isArray(expected)) {
    throw new TypeError("Cannot compare the items of a value that is not an array offline");
  }
  // A copy, because filter() and some() skip holes.
  const items = [...actual];
  const missing = [...expected].filter((item) => !items.some((other) => equal(other, item)));
  if (missing.length > 0) fail(msg ?? `${Deno.inspect(items)} lacks ${Deno.inspect(missing)}`);
}

export function assertStringIncludes(actual: string, expected: string, msg?: string) {
  if (!actual.includes(expected)) fail(msg ?? `Expected "${actual}" to include "${expected}"`);
}

export function assertMatch(actual: string, expected: RegExp, msg?: string) {
  // With its test(), which a pattern can override: assert.match() of Node calls exec().
  if (typeof actual !== "string" || !expected.test(actual)) {
    fail(msg ?? `Expected "${actual}" to match ${expected}`);
  }
}

export function assertNotMatch(actual: string, expected: RegExp, msg?: string) {
  if (typeof actual !== "string" || expected.test(actual)) {
    fail(msg ?? `Expected "${actual}" not to match ${expected}`);
  }
}

export function assertGreater<T>(actual: T, expected: T, msg?: string) {
  if (!(actual > expected)) fail(msg ?? `Expected ${actual} > ${expected}`);
}

export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string) {
  if (!(actual >= expected)) fail(msg ?? `Expected ${actual} >= ${expected}`);
}

export function assertLess<T>(actual: T, expected: T, msg?: string) {
  if (!(actual < expected)) fail(msg ?? `Expected ${actual} < ${expected}`);
}

export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string) {
  if (!(actual <= expected)) fail(msg ?? `Expected ${actual} <= ${expected}`);
}

export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: new (...args: never[]) => T,
  msg?: string,
): asserts actual is T {
  if (!(actual instanceof expectedType)) {
    fail(msg ?? `Expected an instance of ${expectedType.name}, not ${Deno.inspect(actual)}`);
  }
}

export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  errorClass?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  try {
    fn();
  } catch (error) {
    return expected(error, errorClass, msgIncludes, msg);
  }
  fail(msg ?? "Expected the function to throw");
}

export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    fail(`Expected a promise that rejects, but the function threw ${Deno.inspect(error)}`);
  }
  if (typeof promise !== "object" || typeof promise?.then !== "function") {
    fail(`Expected a promise that rejects, but the function returned ${Deno.inspect(promise)}`);
  }
  try {
    await promise;
  } catch (error) {
    return expected(error, errorClass, msgIncludes, msg);
  }
  fail(msg ?? "Expected the promise to reject");
}

export function fail(msg = "Failed assertion"): never {
  nodeAssert.fail(msg);
}

export function unreachable(msg = "Unreachable"): never {
  nodeAssert.fail(msg);
}

/** Fails with the difference of the two, as `node:assert` shows it. */
function different(operator: string, actual: unknown, expected: unknown, msg?: string): never {
  const error = new AssertionError({ operator, actual, expected });
  if (msg !== undefined) error.message += `\n\n${msg}`;
  throw error;
}

/** Returns the error if it is the one that was expected. */
function expected(
  error: unknown,
  errorClass: ErrorClass<Error> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): unknown {
  if (typeof errorClass !== "function") return error;
  if (!(error instanceof Error) || !(error instanceof errorClass)) {
    fail(msg ?? `Expected a ${errorClass.name}, not ${Deno.inspect(error)}`);
  }
  if (msgIncludes === undefined) return error;
  // The real function removes ANSI codes from both texts.
  const texts = error.message + msgIncludes;
  if (texts.includes("\u001B") || texts.includes("\u009B")) {
    fail("Cannot compare messages that contain ANSI codes offline");
  }
  assertStringIncludes(error.message, msgIncludes, msg);
  return error;
}
