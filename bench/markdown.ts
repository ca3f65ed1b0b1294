/** Pieces of Markdown, as `deno fmt` would have them. */

/** A heading. */
export function heading(text: string, level = 2): string {
  return `${"#".repeat(level)} ${text}`;
}

/** A table whose columns are as wide as what is in them. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, at) =>
    Math.max(3, ...[title, ...rows.map((row) => row[at]!)].map(({ length }) => length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  return [line(titles), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)]
    .join("\n");
}
