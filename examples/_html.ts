/** HTML as template strings: whatever is put in is escaped, unless it is HTML made here itself. */

/** A piece of HTML that is safe to send. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template. Nothing is written for `undefined` and `false`. */
export type Insert = string | number | Html | readonly Html[] | undefined | false;

/** HTML from a template: strings are escaped, for text and for quoted attributes alike. */
export function html(parts: TemplateStringsArray, ...inserts: Insert[]): Html {
  let text = parts[0]!;
  for (const [at, insert] of inserts.entries()) text += render(insert) + parts[at + 1]!;
  return new Html(text);
}

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function render(insert: Insert): string {
  if (insert === undefined || insert === false) return "";
  if (insert instanceof Html) return insert.text;
  if (typeof insert === "object") return insert.map(render).join("\n");
  return String(insert).replace(/[&<>"']/g, (char) => ESCAPES[char]!);
}
