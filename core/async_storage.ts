/** The runtime's `AsyncLocalStorage`, without an import. */

/** The part of `AsyncLocalStorage` that is used. */
export interface AsyncStorage<Value> {
  run<T>(value: Value, handle: () => T): T;
  getStore(): Value | undefined;
}

/** Node, Deno, Bun and workerd (with `nodejs_compat`) have the class; a browser has not. */
export function makeAsyncStorage<Value>(): AsyncStorage<Value> | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const hooks = process?.getBuiltinModule?.("node:async_hooks") as
    | { AsyncLocalStorage?: new () => AsyncStorage<Value> }
    | undefined;
  return hooks?.AsyncLocalStorage && new hooks.AsyncLocalStorage();
}
