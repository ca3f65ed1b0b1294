/** HTML as template strings. Inserted values are escaped, unless they are `Html` themselves. */

/** A piece of HTML that is safe to send. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value that a template accepts. `undefined` and `false` insert nothing. */
export type Insert = string | number | Html | readonly Html[] | undefined | false;

/** Creates HTML from a template. Strings are escaped for text and for quoted attributes. */
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
