/** Pieces of Markdown; `deno fmt` makes the columns straight. */

/** A heading. */
export function heading(text: string, level = 2): string {
  return `${"#".repeat(level)} ${text}`;
}

/** A table. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}
