/**
 * Reads the Cookie header in one pass: the inverse of how browsers write it (RFC 6265bis, section
 * 5.8.3). Nothing is decoded, and only spaces and tabs are trimmed.
 */

const EQUALS = 0x3d;
const SPACE = 0x20;
const TAB = 0x09;

const isBlank = (code: number) => code === SPACE || code === TAB;

/**
 * Returns the value of the cookie with exactly this `name`. If the header has several of that name,
 * it returns all their values in the order sent.
 */
export function cookieValue(
  header: string,
  name: string,
): string | string[] | undefined {
  let found: string | string[] | undefined;
  let start = 0;
  while (start < header.length) {
    let end = header.indexOf(";", start);
    if (end === -1) end = header.length;
    const value = valueOf(header, start, end, name);
    if (value !== undefined) {
      if (found === undefined) found = value;
      else if (typeof found === "string") found = [found, value];
      else found.push(value);
    }
    start = end + 1;
  }
  return found;
}

/** Returns the value of the pair between `start` and `end` if the pair has this `name`. */
function valueOf(header: string, start: number, end: number, name: string): string | undefined {
  while (start < end && isBlank(header.charCodeAt(start))) start++;
  if (!header.startsWith(name, start)) return undefined;
  let at = start + name.length;
  while (at < end && isBlank(header.charCodeAt(at))) at++;
  if (at >= end || header.charCodeAt(at) !== EQUALS) return undefined;
  at++;
  while (at < end && isBlank(header.charCodeAt(at))) at++;
  while (end > at && isBlank(header.charCodeAt(end - 1))) end--;
  return header.slice(at, end);
}
