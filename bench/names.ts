/** What things are called in the report. */

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
