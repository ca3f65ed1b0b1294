/** What things are called in the report, and how figures are written. */
import type { ServerResult } from "./http.ts";

/** The runtimes. */
export const NAMES = { deno: "Deno", bun: "Bun", node: "Node" } as const;

/** The stores. */
export const STORE_NAMES = {
  memory: "Memory",
  cookie: "Encrypted cookie",
  redis: "Redis",
  sqlite: "SQLite",
} as const;

/** Requests to Redis in a row, of which the first has to note that the session is in use. */
export const DUE_READS = "ten reads when the use is due to be noted";

/** What stands where there is nothing. */
export const NONE = "–";

/** Between what figures lie, as it stands beside one of them. */
export function rangeOf([low, high]: readonly [low: number, high: number], digits = 1): string {
  return `(${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** The share of the bare framework's requests a second, and how it varies. */
export function shareOf({ share, quartiles }: ServerResult): string {
  const [middle, low, high] = [share, ...quartiles].map((one) => one * 100);
  return `${middle!.toFixed(0)} % ${rangeOf([low!, high!], 0)}`;
}

/** The same, and the processor time that a session adds. */
export function serverCostOf(server: ServerResult): string {
  return `${shareOf(server)}, ${server.added.toFixed(1)} µs`;
}
