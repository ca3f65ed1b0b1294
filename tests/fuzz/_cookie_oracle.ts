/**
 * Parses Cookie headers as the inverse of RFC 6265bis, section 5.8.3. It is written from the RFC and
 * works on code units, so that it shares no mistakes with the library's parser.
 */

/** Code units of a header: bytes, or more if a server has decoded it. */
export type Units = readonly number[];

/** A cookie's name and value. */
export interface Pair {
  name: Units;
  value: Units;
}

export const unitsOf = (text: string): Units =>
  // Not Array.from(text), which has one item for the two units of a surrogate pair.
  Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
export const textOf = (units: Units): string => String.fromCharCode(...units);

/** All pairs of a header, in order. A part without "=" is a value without a name. */
export function pairsOf(header: Units): Pair[] {
  return splitAt(header, 0x3b, Infinity).map((piece) => {
    const [first, second] = splitAt(piece, 0x3d, 1);
    return second === undefined
      ? { name: [], value: stripped(first!) }
      : { name: stripped(first!), value: stripped(second) };
  });
}

/** The values of the cookies with exactly this name. */
export function valuesOf(header: Units, name: Units): Units[] {
  return pairsOf(header).filter((pair) => isSame(pair.name, name)).map((pair) => pair.value);
}

export function isSame(a: Units, b: Units): boolean {
  return a.length === b.length && a.every((unit, at) => unit === b[at]);
}

/** Splits at the first `most` separators. */
function splitAt(units: Units, separator: number, most: number): Units[] {
  const parts: number[][] = [[]];
  for (const unit of units) {
    if (unit === separator && parts.length <= most) parts.push([]);
    else parts.at(-1)!.push(unit);
  }
  return parts;
}

/** Removes SP and HTAB, the only whitespace here, from both ends. */
function stripped(units: Units): Units {
  const isBlank = (unit: number) => unit === 0x20 || unit === 0x09;
  const first = units.findIndex((unit) => !isBlank(unit));
  return first === -1 ? [] : units.slice(first, units.findLastIndex((unit) => !isBlank(unit)) + 1);
}

/** The Cookie header that a browser sends: RFC 6265bis, section 5.8.3. */
export function written(pairs: readonly Pair[]): Units {
  return pairs.flatMap(({ name, value }, at) => [
    ...(at === 0 ? [] : [0x3b, 0x20]),
    ...name,
    ...(name.length === 0 ? [] : [0x3d]),
    ...value,
  ]);
}
