/** Generates options and values for cookies: valid ones, and ones that must not reach a browser. */
import type { CookieOptions, CookieStateOptions } from "@pagi/session";
import type { Random } from "./_random.ts";

/** The options and values for one cookie. */
export interface Recipe {
  options: CookieStateOptions;
  value: string;
  /** The `expire` that the middleware passes; the one in the State's options takes precedence. */
  expire: number | undefined;
}

const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const OCTETS = TOKEN + "()/:<=>?@[]{}";
/** Characters that URLs have in their paths unencoded. A cookie for other paths is never sent. */
const PATH_CHARACTERS = [...OCTETS].filter((sign) => !'"#<>?\\^`{|}'.includes(sign)).join("");
const PREFIXES = [
  "",
  "",
  "",
  "__Secure-",
  "__Host-",
  "__host-",
  "__SECURE-",
  "__Http-",
  "__Host-Http-",
];
export const DOMAINS = [
  "example.com",
  "a.b.example.com",
  "EXAMPLE.com",
  "x-1.co.uk",
  "127.0.0.1",
  "localhost",
];

/** Texts that end a header, a cookie or an attribute, or look like another one. */
const HOSTILE = [
  ...["", "\r\n", "\r\nSet-Cookie: sid=theirs", "\n", "\r", "\0", "\t", "\x7f", ";", "; Secure"],
  ...[
    "; Domain=evil.example",
    "; Max-Age=0",
    ",",
    '"',
    "\\",
    " ",
    "é",
    "\u00a0",
    "\u2028",
    "\ud800",
  ],
  ...["\u010d\u010a", "=", "evil.example"],
];

/** Values that are invalid for at least one attribute. */
const WRONG: unknown[] = [
  ...[
    null,
    0,
    1,
    -1,
    1.5,
    NaN,
    Infinity,
    2 ** 53,
    "",
    "true",
    "auto",
    "lax",
    [],
    {},
    ["Lax"],
    true,
  ],
  ...[new String("/"), { toString: () => "/" }, () => "/", 1n, Symbol("Lax"), new Date(0)],
];

const text = (random: Random, characters: string, least: number, most: number) =>
  Array.from({ length: least + random.below(most - least + 1) }, () => random.pick(characters))
    .join("");

/** A valid recipe: it meets the conditions of all its attributes. */
export function good(random: Random): Recipe {
  const cookieName = random.pick(PREFIXES) + text(random, TOKEN, 1, 12);
  const lower = cookieName.toLowerCase();
  const isHost = lower.startsWith("__host-");
  const isSecure = /^__(secure|host|http)-/.test(lower);
  const all: Required<CookieOptions> = {
    httpOnly: random.chance(50) || /^__(host-)?http-/.test(lower),
    path: isHost ? random.pick(["/", false]) : random.pick([
      ...["/", "/", "/app", "/app/", false as const],
      `/${text(random, PATH_CHARACTERS, 0, 12)}`,
    ]),
    sameSite: random.pick(["Strict", "Lax", "None", false]),
    secure: isSecure || random.chance(50),
    domain: isHost || random.chance(50) ? false : random.pick(DOMAINS),
    partitioned: random.chance(20),
    priority: random.pick(["Low", "Medium", "High", false]),
    maxAge: random.pick([false, 1, 60, 86_400, 10 * 365 * 86_400]),
  };
  if (all.sameSite === "None" || all.partitioned) all.secure = true;
  // An attribute that is left out has its default, so those that a condition needs are kept.
  const kept = Object.entries(all).filter(([name, value]) =>
    value === true || name === "sameSite" || random.chance(70)
  );
  const most = random.chance(2) ? 4096 - cookieName.length : 64;
  return {
    options: {
      cookieName,
      cookieOptions: Object.fromEntries(kept),
      expire: random.pick([undefined, undefined, 1, 900, 59.5, 10 * 365 * 86_400]),
    },
    value: text(random, OCTETS, random.chance(50) ? most : 0, most),
    expire: random.pick([undefined, 0.5, 3600, 1e300]),
  };
}

/** A valid recipe with one change that may make it invalid. */
export function spoilt(random: Random): Recipe {
  const recipe = good(random);
  const options = recipe.options as Record<string, unknown>;
  const attributes = options.cookieOptions as Record<string, unknown>;
  switch (random.below(5)) {
    case 0:
      recipe.value = inserted(random, recipe.value);
      break;
    case 1:
      options.cookieName = inserted(random, recipe.options.cookieName!);
      break;
    case 2: {
      const name = random.pick(["path", "domain", "sameSite", "priority", "maxAge"]);
      attributes[name] = inserted(random, String(attributes[name] ?? "/"));
      break;
    }
    case 3: {
      const name = random.pick(Object.keys(ATTRIBUTES));
      attributes[name] = random.pick(WRONG);
      break;
    }
    default: {
      // Breaks a condition of an attribute, or adds a prefix with conditions.
      const name = random.pick(["secure", "httpOnly", "path", "domain"]);
      attributes[name] = random.pick([false, true, "/app", "example.com"]);
      options.cookieName = random.pick(PREFIXES) + recipe.options.cookieName;
    }
  }
  return recipe;
}

const ATTRIBUTES: Required<CookieOptions> = {
  httpOnly: true,
  path: "/",
  sameSite: "Lax",
  secure: false,
  domain: false,
  partitioned: false,
  priority: false,
  maxAge: false,
};

function inserted(random: Random, into: string): string {
  const at = random.below(into.length + 1);
  return into.slice(0, at) + random.pick(HOSTILE) + into.slice(at);
}
