/**
 * Stands in for `@std/testing/types` where JSR cannot be reached.
 *
 * @module
 */

export type AssertTrue<T extends true> = T;
export type AssertFalse<T extends false> = T;

export type IsAny<T> = 0 extends 1 & T ? true : false;
export type IsNever<T> = [T] extends [never] ? true : false;
export type IsNullable<T> = IsNever<Extract<T, null | undefined>> extends true ? false : true;

export type Has<T, U> = IsAny<T> extends true ? true
  : IsAny<U> extends true ? false
  : IsNever<Extract<T, U>> extends true ? false
  : true;
export type NotHas<T, U> = Has<T, U> extends true ? false : true;

/**
 * True of identical types, false of types that are not assignable to each other. Of the pairs in
 * between (`{ a: 1 } & { b: 2 }` and `{ a: 1; b: 2 }`) the real one tells more; here they are
 * `boolean`, which neither AssertTrue nor AssertFalse takes.
 */
export type IsExact<T, U> = IsAny<T> extends IsAny<U>
  ? (<X>() => X extends T ? 1 : 2) extends (<X>() => X extends U ? 1 : 2) ? true
  : [T, U] extends [U, T] ? boolean
  : false
  : false;
