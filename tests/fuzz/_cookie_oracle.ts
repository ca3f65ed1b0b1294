/**
 * What a Cookie header says, by the units that it is made of: written from RFC 6265bis alone, as the
 * inverse of section 5.8.3, and in another way than the library's own reader.
 */

/** Code units: the bytes of a header, or more where a server decoded them. */
export type Units = readonly number[];

/** A cookie's name and value. */
export interface Pair {
  name: Units;
  value: Units;
}

export const unitsOf = (text: string): Units => Array.from(text, (_, at) => text.charCodeAt(at));
export const textOf = (units: Units): string => String.fromCharCode(...units);

/** Every pair of a header, in order. What has no "=" is a value without a name. */
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

/** The parts between the first `most` units that are `separator`. */
function splitAt(units: Units, separator: number, most: number): Units[] {
  const parts: number[][] = [[]];
  for (const unit of units) {
    if (unit === separator && parts.length <= most) parts.push([]);
    else parts.at(-1)!.push(unit);
  }
  return parts;
}

/** Without SP and HTAB at both ends; nothing else is a blank here. */
function stripped(units: Units): Units {
  const isBlank = (unit: number) => unit === 0x20 || unit === 0x09;
  const first = units.findIndex((unit) => !isBlank(unit));
  return first === -1 ? [] : units.slice(first, units.findLastIndex((unit) => !isBlank(unit)) + 1);
}

/** A Cookie header as a browser writes it: RFC 6265bis, section 5.8.3. */
export function written(pairs: readonly Pair[]): Units {
  return pairs.flatMap(({ name, value }, at) => [
    ...(at === 0 ? [] : [0x3b, 0x20]),
    ...name,
    ...(name.length === 0 ? [] : [0x3d]),
    ...value,
  ]);
}
