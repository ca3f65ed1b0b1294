/** Runs cases and reports their results as TAP. */
import type { Cases } from "./_kit.ts";

/** Yields the lines: the plan, then each case, followed by the reason if it failed. */
export async function* tap(cases: Cases): AsyncGenerator<string> {
  const entries = Object.entries(cases);
  yield `1..${entries.length}`;
  for (const [name, run] of entries) {
    try {
      await run();
      yield `ok ${name}`;
    } catch (error) {
      yield `not ok ${name}`;
      const why = error instanceof Error ? error.stack ?? error.message : String(error);
      yield* why.split("\n").map((line) => `# ${line}`);
    }
  }
}
