/** Mistakes in reading and writing headers, most of them such as others have made. */
import type { Mutant } from "./_mutants.ts";

const READER = "state/_cookie_header.ts";
const WRITER = "state/_set_cookie.ts";

const mutant = (file: string, name: string, find: string, replace: string): Mutant => {
  return { name, file, find, replace, by: "tests" };
};

/** Mistakes in reading the Cookie header. */
const reading: Mutant[] = [
  mutant(
    READER,
    "a cookie reader that trims what trim() does",
    "return header.slice(at, end);",
    "return header.slice(at, end).trim();",
  ),
  mutant(
    READER,
    "a cookie reader that takes a no-break space for a blank",
    "code === SPACE || code === TAB",
    "code === SPACE || code === TAB || code === 0xa0",
  ),
  mutant(
    READER,
    "a cookie reader that decodes",
    "return header.slice(at, end);",
    "return decodeURIComponent(header.slice(at, end));",
  ),
  mutant(
    READER,
    "a cookie reader that takes quotes off",
    "return header.slice(at, end);",
    'return header.slice(at, end).replace(/^"(.*)"$/, "$1");',
  ),
  mutant(
    READER,
    "a cookie reader that ignores the name's case",
    "if (!header.startsWith(name, start)) return undefined;",
    "const part = header.slice(start, start + name.length);\n" +
      "if (part.toLowerCase() !== name.toLowerCase()) return undefined;",
  ),
  mutant(
    READER,
    "a cookie reader that takes a nameless pair for ours",
    "if (!header.startsWith(name, start)) return undefined;",
    "if (header.charCodeAt(start) === EQUALS) start++;\n" +
      "if (!header.startsWith(name, start)) return undefined;",
  ),
  mutant(
    READER,
    "a cookie reader that stops at the second equals sign",
    "return header.slice(at, end);",
    'return header.slice(at, end).split("=")[0];',
  ),
  mutant(
    READER,
    "a cookie reader in which the first of several wins",
    'else if (typeof found === "string") found = [found, value];',
    'else if (typeof found === "string") void value;',
  ),
  mutant(
    "state/cookie.ts",
    "a cookie reader that reads one header of several",
    'const header = headerValue(scope, "cookie", ";");',
    'const header = scope.headers?.find(([name]) => name.toLowerCase() === "cookie")?.[1];',
  ),
  mutant(
    "state/cookie.ts",
    "a cookie reader that joins several headers by commas",
    'headerValue(scope, "cookie", ";")',
    'headerValue(scope, "cookie")',
  ),
];

/** Mistakes in writing Set-Cookie. */
const writing: Mutant[] = [
  mutant(
    WRITER,
    "a cookie writer that does not look at values",
    "if (!COOKIE_VALUE.test(value)) {",
    "if (value === undefined) {",
  ),
  mutant(
    WRITER,
    "a cookie writer that does not look at names",
    "if (!isToken(name)) {",
    'if (typeof name !== "string" || name === "") {',
  ),
  mutant(
    WRITER,
    "a cookie path that may hold anything",
    "const PATH = /^\\/[!$-:=@-[\\]_a-z~]*$/;",
    "const PATH = /^\\//;",
  ),
  mutant(
    WRITER,
    "a cookie path that may end in a space",
    "_a-z~]*$/;",
    "_a-z~]* *$/;",
  ),
  mutant(
    WRITER,
    "a cookie domain that is no host",
    "matches(value, DOMAIN) && isHost(value)",
    "matches(value, DOMAIN)",
  ),
  mutant(
    WRITER,
    "a cookie prefix that counts in its own case alone",
    "const lower = name.toLowerCase();",
    "const lower = name;",
  ),
  mutant(
    WRITER,
    "a __Host- cookie for a domain",
    " || options.domain)) {\n    throw new TypeError('Cannot make the cookie: the prefix",
    ")) {\n    throw new TypeError('Cannot make the cookie: the prefix",
  ),
  mutant(
    WRITER,
    "SameSite=None without Secure",
    'if (options.sameSite === "None" && !options.secure) {',
    "if (options.sameSite === undefined) {",
  ),
  mutant(
    WRITER,
    "a clear that forgets the attributes",
    "return `${this.name}=${this.#attributes}; Max-Age=0`;",
    "return `${this.name}=; Path=/; Max-Age=0`;",
  ),
  mutant(
    WRITER,
    "an undefined option that takes a default away",
    "Object.entries(options).filter(([, value]) => value !== undefined)",
    "Object.entries(options)",
  ),
  mutant(
    WRITER,
    "a cookie that is larger than browsers keep",
    "if (size > MAX_COOKIE_BYTES) {",
    "if (size > 2 * MAX_COOKIE_BYTES) {",
  ),
];

/** Mistakes in other headers. */
const others: Mutant[] = [
  mutant(
    "state/bearer.ts",
    "a bearer token that may be followed by more",
    "+=*)$/i;",
    "+=*)/i;",
  ),
  mutant(
    "state/bearer.ts",
    "a bearer scheme that need not stand at the start",
    "const BEARER = /^Bearer",
    "const BEARER = /Bearer",
  ),
  mutant("state/bearer.ts", "a bearer scheme in one case alone", "+=*)$/i;", "+=*)$/;"),
  mutant(
    "state/bearer.ts",
    "a bearer token after any blank",
    "Bearer[ \\t]+",
    "Bearer\\s+",
  ),
  mutant(
    "state/header.ts",
    "a header pattern that remembers where it stopped",
    'pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""))',
    "pattern",
  ),
  mutant(
    "state/header.ts",
    "a header that carries any id to the client",
    "if (!isVisible(id)) {",
    "if (id === undefined) {",
  ),
];

/** Mistakes about several cookies of our name. */
const tossing: Mutant[] = [
  mutant(
    "core/lifecycle.ts",
    "a client with two live sessions that gets the first",
    "if (found.id !== best.id) return this.#refuse();",
    "if (found.id !== best.id) return best;",
  ),
  mutant(
    "core/lifecycle.ts",
    "a client with two live sessions that gets the last",
    "if (found.id !== best.id) return this.#refuse();",
    "if (found.id !== best.id) best = found;",
  ),
  mutant(
    "base/limits.ts",
    "a client whose every id is looked up",
    "const MAX_CANDIDATES = 4;",
    "const MAX_CANDIDATES = 64;",
  ),
  mutant(
    "base/limits.ts",
    "a client whose first id alone is looked up",
    "const MAX_CANDIDATES = 4;",
    "const MAX_CANDIDATES = 1;",
  ),
  mutant(
    "core/lifecycle.ts",
    "an id that is sent twice and counts as two",
    "this.#choose([...new Set(presented)], name)",
    "this.#choose([...presented], name)",
  ),
  mutant(
    "core/lifecycle.ts",
    "an ambiguous client without an event",
    'this.settings.emit({\n      type: "ambiguous",',
    '((_event: unknown) => {})({\n      type: "ambiguous",',
  ),
];

/** Mistakes in what a client sends and is sent. */
export const GRAMMAR_MUTANTS: readonly Mutant[] = [...reading, ...writing, ...others, ...tossing];
