/** Generates Cookie headers: some as browsers write them, some as no browser would. */
import { type Pair, type Units, unitsOf } from "./_cookie_oracle.ts";
import type { Random } from "./_random.ts";

/** Names for the session cookie: with prefixes, of prototype members, with special characters. */
export const NAMES = [
  "sid",
  "s",
  "pagi_session",
  "__Host-sid",
  "__Secure-sid",
  "__host-SID",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "length",
  "0",
  "s.d*",
  "$Version",
  "!#$%&'*+-.^_`|~",
];

const ID = "0123456789abcdef".repeat(4);

/** Values that a reader changes if it decodes, trims or removes quotes. */
const VALUES = [
  "",
  ID,
  "a",
  '"quoted"',
  '"',
  "a%3Db",
  "%73id=a",
  "a=b==",
  "=",
  "a,b",
  "a, sid=b",
  "\u00a0a\u00a0",
  "j:{}",
  "\\073",
  "undefined",
  "\0",
  "\x7f",
  "é",
];

/** Text between pairs, including what some readers trim, fold or take for a separator. */
const GLUE = [
  ...[";", "; ", ";", "; ", " ; ", ";;", "\t;\t", "=", " = ", "\t=\t", "", " ", "\t"],
  ...["\u00a0", "\v", "\f", "\r\n ", "\u0085", ",", ", ", "&", "\0", "\ufeff", "\u2028", "\u3000"],
].map(unitsOf);

/** The name, or one that resembles it. */
function nameLike(random: Random, name: string): string {
  switch (random.below(12)) {
    case 0:
      return name.toUpperCase();
    case 1:
      return name.toLowerCase();
    case 2:
      return name + random.pick(["2", "\u00a0", " ", "\0", ".", "-", "[]", "="]);
    case 3:
      return random.pick(["x", "\u00a0", "\v", "=", "__Host-", "$", '"']) + name;
    case 4:
      return name.slice(0, -1);
    case 5:
      return random.pick(NAMES);
    case 6:
      return "";
    case 7:
      return encodeURIComponent(name).replace("s", "%73");
    default:
      return name;
  }
}

function unit(random: Random): number {
  // A server that decodes headers as UTF-8 passes on code units above 255.
  return random.below(random.chance(3) ? 65_536 : 256);
}

/** An arbitrary header: pairs with odd text between them, some code units changed. */
export function wild(random: Random, name: string): Units {
  const units: number[] = [];
  for (let parts = random.below(5); parts >= 0; parts--) {
    if (random.chance(70)) {
      if (random.chance(10)) units.push(...random.pick(GLUE));
      units.push(...unitsOf(nameLike(random, name)));
      if (random.chance(20)) units.push(...random.pick(GLUE));
      else units.push(0x3d);
    }
    if (random.chance(80)) units.push(...unitsOf(random.pick(VALUES)));
    else units.push(...random.some(6, () => unit(random)));
    units.push(...random.pick(GLUE));
  }
  if (random.chance(30)) change(random, units);
  return units;
}

/** Changes up to three code units in place. */
function change(random: Random, units: number[]): void {
  for (let times = random.below(3); times >= 0; times--) {
    const at = random.below(units.length + 1);
    switch (random.below(4)) {
      case 0:
        units.splice(at, 1);
        break;
      case 1:
        units.splice(at, 0, unit(random));
        break;
      case 2:
        units.splice(at, 1, unit(random));
        break;
      default:
        units.splice(at, 0, ...units.slice(at, at + random.below(12)));
    }
  }
}

/** The cookies of a browser, as RFC 6265bis allows them, with the session cookie among them. */
export function jar(random: Random, name: string): Pair[] {
  return random.some(6, () => ({
    name: kept(unitsOf(nameLike(random, name))).filter((unit) => unit !== 0x3d),
    value: kept(
      random.chance(70) ? unitsOf(random.pick(VALUES)) : random.some(8, () => random.below(256)),
    ),
    // A cookie without a name is sent as its value only, which must not look like a pair.
  })).filter(({ name, value }) => name.length > 0 || !value.includes(0x3d));
}

/** Removes what browsers do not keep: control characters, ";", and whitespace at the ends. */
function kept(units: Units): Units {
  const some = units.filter((unit) =>
    unit !== 0x3b && unit !== 0x7f && (unit > 0x1f || unit === 9)
  );
  while (some[0] === 0x20 || some[0] === 0x09) some.shift();
  while (some.at(-1) === 0x20 || some.at(-1) === 0x09) some.pop();
  return some;
}
