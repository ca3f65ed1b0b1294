/** The options of each middleware, for the tools that test apps. */
import type { ResolvedOptions } from "./options.ts";

const known = new WeakMap<object, ResolvedOptions>();

/** Notes the options that a middleware was made with. */
export function noteOptions(sessions: object, options: ResolvedOptions): void {
  known.set(sessions, options);
}

/** The options that a middleware was made with; `undefined` for any other object. */
export function optionsOf(sessions: object): ResolvedOptions | undefined {
  return known.get(sessions);
}
