/**
 * What lifecycle and the accessor share about one session's data, kept beside the data and not in
 * it, so that the app sees a plain object.
 */
import type { Intent, KeyUpdate } from "./_merge.ts";

/**
 * What may be done with a session: `open`, written to; `committed`, the response was started;
 * `snapshot`, loaded for reading; `moved`, presented under an id that was rotated away;
 * `ambiguous`, presented beside another live session.
 */
export type Mode = "open" | "committed" | "snapshot" | "moved" | "ambiguous";

/** The state of one session in one request. */
export interface Control extends Intent {
  mode: Mode;
  updates: Map<string, KeyUpdate>;
  cleared: boolean;
  /** Whether the accessor was used at all: then the response depends on the session. */
  accessed: boolean;
  /** Whether `destroy()` was called on data that cannot be written to. */
  destroyed: boolean;
}

const controls = new WeakMap<object, Control>();

/** Makes `data` known as a session's, in the given mode. */
export function control(data: object, mode: Mode): Control {
  const made = { mode, updates: new Map(), cleared: false, accessed: false, destroyed: false };
  controls.set(data, made);
  return made;
}

/** What is known about `data`, if lifecycle made it. */
export function controlOf(data: object): Control | undefined {
  return controls.get(data);
}
