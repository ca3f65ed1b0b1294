/** Values that a caller may or may not have to wait for. */

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** Whether `value` is a promise. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === "function";
}

/**
 * Calls `next` with the value: immediately if it is available, otherwise when the promise resolves.
 * A store in this process answers without a promise, and not awaiting it makes every request
 * faster.
 *
 * Code on the path of every request tests `isPromise` itself: engines do not inline a function that
 * calls very many different functions (`docs/explanation/performance.md`).
 */
export function after<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return isPromise(value) ? value.then(next) : next(value);
}
