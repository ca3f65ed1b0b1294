/** Mistakes in reading and writing headers. Most of them have been made by other libraries. */
import { mistake, type Mutant } from "./_mutant.ts";

const COOKIES = ["tests/unit/state/cookie_test.ts", "states_test.ts"];
const HEADERS = ["states_test.ts"];
const TOSSING = ["cookies_of_sibling_hosts_test.ts"];

/** Mistakes in reading the Cookie header. */
const reading: Mutant[] = [
  mistake("a cookie reader that trims all whitespace of Unicode", COOKIES, {
    find: "return $header.slice($start, $end);",
    replace: "return $header.slice($start, $end).trim();",
  }),
  mistake("a cookie reader that skips a no-break space", COOKIES, {
    beside: "const $tab = 0x09;",
    find: "=> $code === $space || $code === $tab;",
    replace: "=> $code === $space || $code === $tab || $code === 0xa0;",
  }),
  mistake("a cookie reader that decodes the value", COOKIES, {
    find: "return $header.slice($start, $end);",
    replace: "return decodeURIComponent($header.slice($start, $end));",
  }),
  mistake("a cookie reader that removes quotes", COOKIES, {
    find: "return $header.slice($start, $end);",
    replace: 'return $header.slice($start, $end).replace(/^"(.*)"$/, "$1");',
  }),
  mistake("a cookie reader that ignores the case of the name", COOKIES, {
    find: "if (!$header.startsWith($name, $start)) return undefined;",
    replace: "const part = $header.slice($start, $start + $name.length);\n" +
      "if (part.toLowerCase() !== $name.toLowerCase()) return undefined;",
  }),
  mistake("a cookie reader that accepts a pair without a name", COOKIES, {
    find: "if (!$header.startsWith($name, $start)) return undefined;",
    replace: 'if ($header.charAt($start) === "=") $start++;\n' +
      "if (!$header.startsWith($name, $start)) return undefined;",
  }),
  mistake("a cookie reader that stops at the second equals sign", COOKIES, {
    find: "return $header.slice($start, $end);",
    replace: 'return $header.slice($start, $end).split("=")[0];',
  }),
  mistake("a cookie reader that returns only the first cookie of the name", COOKIES, {
    find: 'else if (typeof $found === "string") $found = [$found, $value];',
    replace: 'else if (typeof $found === "string") void $value;',
  }),
  mistake("a cookie reader that reads only one Cookie header", COOKIES, {
    beside: "class CookieState",
    find: 'const $header = $headerValue($scope, "cookie", ";");',
    replace:
      'const $header = $scope.headers?.find(([name]) => name.toLowerCase() === "cookie")?.[1];',
  }),
  mistake("a cookie reader that joins several Cookie headers with commas", COOKIES, {
    beside: "class CookieState",
    find: 'const $header = $headerValue($scope, "cookie", ";");',
    replace: 'const $header = $headerValue($scope, "cookie");',
  }),
];

/** Mistakes in writing Set-Cookie. */
const writing: Mutant[] = [
  mistake("a cookie writer that does not check values", COOKIES, {
    beside: "; Max-Age=0",
    find: "if (!$allowed.test($value)) { throw",
    replace: "if ($value === undefined) { throw",
  }),
  mistake("a cookie writer that does not check names", COOKIES, {
    beside: "; Max-Age=0",
    find: "if (!$isToken($name)) { throw",
    replace: 'if (typeof $name !== "string" || $name === "") { throw',
  }),
  mistake("a cookie path that may contain anything", COOKIES, {
    find: "= /^\\/[!$-:=@-[\\]_a-z~]*$/;",
    replace: "= /^\\//;",
  }),
  mistake("a cookie path that may end in a space", COOKIES, {
    find: "= /^\\/[!$-:=@-[\\]_a-z~]*$/;",
    replace: "= /^\\/[!$-:=@-[\\]_a-z~]* *$/;",
  }),
  mistake("a cookie domain that is not a host", COOKIES, {
    beside: "; Max-Age=0",
    find: "=> $matches($value, $pattern) && $isHost($value)",
    replace: "=> $matches($value, $pattern)",
  }),
  mistake("a cookie prefix that only counts in its usual case", COOKIES, {
    find: 'const $lower = $name.toLowerCase(); const $isHost = $lower.startsWith("__host-");',
    replace: 'const $lower = $name; const $isHost = $lower.startsWith("__host-");',
  }),
  mistake("a __Host- cookie with a domain", COOKIES, {
    find: '($options.path || "/") !== "/" || $options.domain',
    replace: '($options.path || "/") !== "/"',
  }),
  mistake("SameSite=None without Secure", COOKIES, {
    find: 'if ($options.sameSite === "None" && !$options.secure) {',
    replace: "if ($options.sameSite === undefined) {",
  }),
  mistake("a cookie that is cleared without its attributes", COOKIES, {
    find: "return `${this.name}=${this.$attributes}; Max-Age=0`;",
    replace: "return `${this.name}=; Path=/; Max-Age=0`;",
  }),
  mistake("an option of undefined that removes a default", COOKIES, {
    find: "Object.entries($options).filter(([, $value]) => $value !== undefined)",
    replace: "Object.entries($options)",
  }),
  mistake("a cookie that is larger than browsers keep", COOKIES, {
    beside: "; Max-Age=0",
    find: "if ($size > $limit) { throw",
    replace: "if ($size > 2 * $limit) { throw",
  }),
];

/** Mistakes in other headers. */
const others: Mutant[] = [
  mistake("a bearer token that more text may follow", HEADERS, {
    find: "+=*)$/i;",
    replace: "+=*)/i;",
  }),
  mistake("a bearer scheme that may stand anywhere in the header", HEADERS, {
    find: "= /^Bearer",
    replace: "= /Bearer",
  }),
  mistake("a bearer scheme that is case-sensitive", HEADERS, {
    find: "+=*)$/i;",
    replace: "+=*)$/;",
  }),
  mistake("a bearer token after any whitespace", HEADERS, {
    find: "Bearer[ \\t]+",
    replace: "Bearer\\s+",
  }),
  mistake("a header pattern that keeps its position between requests", HEADERS, {
    find: '$pattern && new RegExp($pattern.source, $pattern.flags.replace(/[gy]/g, ""))',
    replace: "$pattern",
  }),
  mistake("a header that carries any ID to the client", HEADERS, {
    beside: "class HeaderState",
    find: 'if (!$isVisible($id)) { throw new TypeError("..."); } $headers.push(',
    replace: "$headers.push(",
  }),
];

/** Mistakes with several session cookies in one request. */
const tossing: Mutant[] = [
  mistake("two active sessions of which the first is used", TOSSING, {
    find: "if (!$isSameSession($found.$key, $best.$key)) return this.$refuse();",
    replace: "if (!$isSameSession($found.$key, $best.$key)) return $best;",
  }),
  mistake("two active sessions of which the last is used", TOSSING, {
    find: "if (!$isSameSession($found.$key, $best.$key)) return this.$refuse();",
    replace: "if (!$isSameSession($found.$key, $best.$key)) $best = $found;",
  }),
  mistake("a client all of whose IDs are looked up", TOSSING, {
    find: "export const $limit = 4;",
    replace: "export const $limit = 64;",
  }),
  mistake("a client only whose first ID is looked up", TOSSING, {
    find: "export const $limit = 4;",
    replace: "export const $limit = 1;",
  }),
  mistake("an ID that is sent twice and counts as two", TOSSING, {
    find: "this.$choose([...new Set($extracted)], $name)",
    replace: "this.$choose([...$extracted], $name)",
  }),
  mistake("an ambiguous request without an event", TOSSING, {
    find: 'this.$options.$emit({ type: "ambiguous",',
    replace: '((_event: unknown) => {})({ type: "ambiguous",',
  }),
];

export const GRAMMAR_MUTANTS: readonly Mutant[] = [...reading, ...writing, ...others, ...tossing];
