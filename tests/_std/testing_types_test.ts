/** Checked, not run: true of `@std/testing/types` and its stand-ins. */
// deno-lint-ignore-file no-explicit-any -- `any` is what some of these are about

import type {
  AssertFalse,
  AssertTrue,
  Has,
  IsAny,
  IsExact,
  IsNever,
  IsNullable,
  NotHas,
} from "@std/testing/types";

export type Pass = [
  AssertTrue<true>,
  AssertFalse<false>,
  AssertTrue<IsAny<any>>,
  AssertFalse<IsAny<unknown>>,
  AssertTrue<IsNever<never>>,
  AssertFalse<IsNever<undefined>>,
  AssertTrue<IsNullable<string | undefined>>,
  AssertTrue<IsNullable<null>>,
  AssertFalse<IsNullable<string>>,
  AssertTrue<Has<string | number, string>>,
  AssertFalse<Has<string, number>>,
  AssertFalse<Has<string, any>>,
  AssertTrue<NotHas<string, number>>,
  AssertFalse<NotHas<string | number, string>>,
  AssertTrue<IsExact<string | number, number | string>>,
  AssertTrue<IsExact<any, any>>,
  AssertTrue<IsExact<never, never>>,
  AssertTrue<IsExact<{ a?: string }, { a?: string }>>,
  AssertFalse<IsExact<string, string | undefined>>,
  AssertFalse<IsExact<string, any>>,
  AssertFalse<IsExact<unknown, any>>,
  AssertFalse<IsExact<never, string>>,
  AssertFalse<IsExact<{ a: string }, { a: number }>>,
];

export type Fail = [
  // @ts-expect-error -- false is not true
  AssertTrue<false>,
  // @ts-expect-error -- true is not false
  AssertFalse<true>,
  // @ts-expect-error -- neither is boolean
  AssertTrue<boolean>,
  // @ts-expect-error -- unknown is not any
  AssertTrue<IsAny<unknown>>,
  // @ts-expect-error -- undefined is not never
  AssertTrue<IsNever<undefined>>,
  // @ts-expect-error -- no null in it
  AssertTrue<IsNullable<string>>,
  // @ts-expect-error -- no number in it
  AssertTrue<Has<string, number>>,
  // @ts-expect-error -- a string in it
  AssertTrue<NotHas<string | number, string>>,
  // @ts-expect-error -- one more member
  AssertTrue<IsExact<string, string | undefined>>,
  // @ts-expect-error -- any is not exact
  AssertTrue<IsExact<string, any>>,
  // @ts-expect-error -- any is not exact, deep
  AssertTrue<IsExact<{ a: string }, { a: any }>>,
  // @ts-expect-error -- optional is not required
  AssertTrue<IsExact<{ a?: string }, { a: string }>>,
  // @ts-expect-error -- readonly is not mutable
  AssertTrue<IsExact<{ readonly a: string }, { a: string }>>,
];
