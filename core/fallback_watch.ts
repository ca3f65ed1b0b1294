/**
 * Reports a change of a fallback: `session.get("cart", []).push(item)` saves nothing, because the list
 * does not belong to the session.
 */
import type { WorkingCopy } from "../data/working_copy.ts";
import type { SessionEvent } from "./event.ts";

/** Watches the handlers of one middleware. Reports once. */
export class FallbackWatch {
  readonly #emit: (event: SessionEvent) => void;
  #isDone = false;

  constructor(emit: (event: SessionEvent) => void) {
    this.#emit = emit;
  }

  /** Checks the fallbacks that a handler received, before its session is saved. */
  check(workingCopy: WorkingCopy): void {
    if (this.#isDone) return;
    const key = workingCopy.findChangedFallback();
    if (key === undefined) return;
    this.#isDone = true;
    this.#emit({
      type: "fallback-changed",
      message: `A handler changed the fallback of session.get(${JSON.stringify(key)}, fallback), ` +
        "which is not saved. Use session.getOrInsert(key, value), or session.set() afterwards",
    });
  }
}
