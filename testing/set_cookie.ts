/** Set-Cookie headers as a browser reads them (RFC 6265bis, section 5.6). */

/** A cookie in a response. Attribute names are in lower case. */
export interface ResponseCookie {
  readonly name: string;
  readonly value: string;
  /** The attributes; that of a repeated name is the last one. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** Reads the value of a Set-Cookie header; `undefined` if a browser ignores it. */
export function parseSetCookie(header: string): ResponseCookie | undefined {
  // deno-lint-ignore no-control-regex
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(header)) return undefined;
  const [pair = "", ...rest] = header.split(";");
  const [name, value] = splitPair(pair);
  if (name === "" && value === "") return undefined;
  const attributes = new Map<string, string>();
  for (const attribute of rest) {
    const [key, text] = attribute.includes("=") ? splitPair(attribute) : [trimmed(attribute), ""];
    attributes.set(key.toLowerCase(), text);
  }
  return { name, value, attributes };
}

/** Without `=`, the whole text is a value, whose cookie has no name. */
function splitPair(text: string): [name: string, value: string] {
  const mark = text.indexOf("=");
  return mark < 0
    ? ["", trimmed(text)]
    : [trimmed(text.slice(0, mark)), trimmed(text.slice(mark + 1))];
}

/** Without the spaces and tabs around it. */
function trimmed(text: string): string {
  return text.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
}
