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

/** What stands where there is nothing. */
export const NONE = "–";
