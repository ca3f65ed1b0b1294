import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type CookieOptions,
  CookieState,
  type CookieStateOptions,
  type HeaderPair,
  SessionError,
} from "@pagi/session";
import { requestWith, scopeWith } from "../../_kit/helpers.ts";

/** Returns the values that a State for the cookie `sid` finds in a Cookie header. */
function read(header: string): readonly string[] {
  const found = new CookieState({ cookieName: "sid" }).extract(scopeWith({ cookie: header }));
  return found === undefined ? [] : typeof found === "string" ? [found] : found;
}

/** Returns the Set-Cookie that a State creates for an ID. */
function write(options: CookieStateOptions = {}, id = "abc", expire?: number): string {
  const headers: HeaderPair[] = [];
  new CookieState(options).inject(headers, id, { expire });
  assertEquals(headers.length, 1);
  assertEquals(headers[0]![0].toLowerCase(), "set-cookie");
  return headers[0]![1];
}

/** Returns the Set-Cookie that removes the cookie. */
function cleared(options: CookieStateOptions): string {
  const headers: HeaderPair[] = [];
  new CookieState(options).clear(headers);
  assertEquals(headers.length, 1);
  return headers[0]![1];
}

const make = (cookieName: string, cookieOptions?: CookieOptions) => () =>
  new CookieState({ cookieName, cookieOptions });

/** Every attribute except Max-Age, in arbitrary order. */
const ALL: CookieOptions = {
  priority: "High",
  partitioned: true,
  sameSite: "None",
  secure: true,
  httpOnly: true,
  domain: "example.com",
  path: "/app",
};

const READS: [what: string, header: string, expected: string[]][] = [
  ["a pair among others", "a=1; sid=abc; b=2", ["abc"]],
  ["spaces and tabs around the semicolon", "a=1 \t; \t sid=abc \t;b=2", ["abc"]],
  ["spaces and tabs around the equals sign", "sid \t= \tabc", ["abc"]],
  ["spaces and tabs around it all", " \tsid=abc\t ", ["abc"]],
  ["a no-break space before the name", "a=1; \u00a0sid=abc", []],
  ["a no-break space after the name", "sid\u00a0=abc", []],
  ["no-break spaces around the value", "sid=\u00a0abc\u00a0", ["\u00a0abc\u00a0"]],
  ["an ideographic space and a BOM", "sid=\u3000abc\ufeff", ["\u3000abc\ufeff"]],
  ["a vertical tab and a form feed", "sid=\vabc\f", ["\vabc\f"]],
  ["a line separator before the name", "\u2028sid=abc", []],
  ["a nameless pair that contains the cookie", "=sid=abc", []],
  ["a nameless pair with blanks that contains the cookie", " = sid=abc", []],
  ["a pair without an equals sign before the cookie", "sid; sid=abc", ["abc"]],
  ["the name as the value of another cookie", "a=sid; b=sid=abc", []],
  ["a quoted value", 'sid="abc"', ['"abc"']],
  ["a percent-encoded value", "sid=a%3Db%20", ["a%3Db%20"]],
  ["an equals sign in the value", "sid=a=b==", ["a=b=="]],
  ["a comma in the value", "sid=a,b", ["a,b"]],
  ["longer names that start with the name", "sid2=abc; sid.x=abc; sid-=abc", []],
  ["longer names that end with the name", "xsid=abc; __Host-sid=abc; a.sid=abc", []],
  ["a name in another case", "SID=abc; Sid=abc", []],
  ["an empty value", "sid=", [""]],
  ["an empty value with blanks", "sid= \t ;a=1", [""]],
  ["a trailing semicolon", "sid=abc;", ["abc"]],
  ["empty pairs", ";;; ; sid=abc;;", ["abc"]],
  ["nothing", "", []],
  ["duplicates", "sid=1; a=x; sid=2; sid=1", ["1", "2", "1"]],
  ["64 KiB of semicolons", ";".repeat(65_536) + "sid=abc", ["abc"]],
  ["64 KiB of blanks", " ".repeat(65_536) + "sid=abc" + "\t".repeat(65_536), ["abc"]],
  ["64 KiB of blanks within", `sid${" ".repeat(65_536)}x`, []],
  ["64 KiB of equals signs", "=".repeat(65_536) + "; sid=abc", ["abc"]],
];

for (const [what, header, expected] of READS) {
  Deno.test(`CookieState.extract() finds ${expected.length} value(s) in ${what}`, () => {
    assertEquals(read(header), expected);
  });
}

Deno.test("CookieState.extract() finds only sent cookies when its name is a prototype member", () => {
  for (const cookieName of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const state = new CookieState({ cookieName });
    assertEquals(state.extract(scopeWith({ cookie: "a=1" })), undefined);
    assertEquals(state.extract(scopeWith({ cookie: `a=1; ${cookieName}=x` })), "x");
  }
});

Deno.test("CookieState.extract() takes a name with pattern characters literally", () => {
  const state = new CookieState({ cookieName: "s.d*" });
  assertEquals(state.extract(scopeWith({ cookie: "sxd=1; s.d*=2; sdd=3" })), "2");
});

Deno.test("CookieState.extract() reads all Cookie headers in order when a scope has several", () => {
  const state = new CookieState({ cookieName: "sid" });
  const scope = scopeWith([["Cookie", "sid=1; a=1"], ["host", "x"], ["COOKIE", "sid=2"]]);
  assertEquals(state.extract(scope), ["1", "2"]);
});

Deno.test("CookieState.extract() finds nothing when there is no Cookie header", () => {
  const state = new CookieState();
  assertEquals(state.extract(scopeWith({ "x-cookie": "pagi_session=abc" })), undefined);
  assertEquals(state.extract({ type: "lifespan" }), undefined);
  assertEquals(state.extract({ type: "http", request: requestWith() }), undefined);
});

Deno.test("CookieState.extract() reads the request when the scope has one", () => {
  const state = new CookieState();
  const request = requestWith({ cookie: "a=1; pagi_session=abc" });
  assertEquals(state.extract({ type: "http", request }), "abc");
  const twice = requestWith({ cookie: "pagi_session=1; pagi_session=2" });
  assertEquals(state.extract({ type: "http", request: twice }), ["1", "2"]);
});

Deno.test("CookieState.vary names the Cookie header", () => {
  assertEquals(new CookieState().vary.map((name) => name.toLowerCase()), ["cookie"]);
});

Deno.test("CookieState.inject() writes PAGI's defaults when it has no options", () => {
  const expected = "pagi_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600";
  assertEquals(write(), expected);
  assertEquals(write({}, "abc", 900), expected.replace("3600", "900"));
});

Deno.test("CookieState.inject() prefers maxAge to its own expire, and that to the middleware's", () => {
  assertEquals(write({ expire: 60 }, "abc", 900).split("; ").at(-1), "Max-Age=60");
  const cookieOptions = { maxAge: 30 };
  assertEquals(write({ expire: 60, cookieOptions }, "abc", 900).split("; ").at(-1), "Max-Age=30");
});

Deno.test("CookieState.inject() merges options over the defaults", () => {
  assertEquals(
    write({ cookieOptions: { secure: true } }),
    "pagi_session=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=3600",
  );
});

Deno.test("CookieState.inject() omits an attribute that is false", () => {
  const cookieOptions: CookieOptions = {
    httpOnly: false,
    sameSite: false,
    secure: false,
    domain: false,
    partitioned: false,
    priority: false,
    maxAge: false,
  };
  assertEquals(write({ cookieOptions }), "pagi_session=abc; Path=/");
});

Deno.test("CookieState.inject() writes Path=/ when the path is false", () => {
  // Without Path, a browser uses the directory of the page, and other pages do not get the cookie.
  assertEquals(write({ cookieOptions: { path: false } }), write());
});

Deno.test("CookieState.inject() takes the default when an option is undefined", () => {
  const cookieOptions = { httpOnly: undefined, path: undefined, sameSite: undefined };
  assertEquals(write({ cookieName: undefined, cookieOptions, expire: undefined }), write());
});

Deno.test("CookieState.inject() writes all attributes in the same order for any order of options", () => {
  const expected = "sid=abc; Path=/app; Domain=example.com; HttpOnly; Secure; SameSite=None; " +
    "Partitioned; Priority=High; Max-Age=60";
  const entries = Object.entries({ ...ALL, maxAge: 60 });
  for (const order of [entries, entries.toReversed()]) {
    const cookieOptions = Object.fromEntries(order) as CookieOptions;
    assertEquals(write({ cookieName: "sid", cookieOptions }), expected);
  }
});

Deno.test("CookieState.inject() ignores options that change after the constructor", () => {
  const cookieOptions: CookieOptions = { path: "/a" };
  const state = new CookieState({ cookieOptions });
  cookieOptions.path = "/b";
  const headers: HeaderPair[] = [["x", "y"]];
  state.inject(headers, "abc");
  assertEquals(headers.length, 2);
  assertEquals(headers[1]![1].split("; ")[1], "Path=/a");
});

Deno.test("CookieState.inject() writes Max-Age in digits when expire is fractional or huge", () => {
  assertEquals(write({ expire: 59.5 }).split("; ").at(-1), "Max-Age=60");
  let text = "Max-Age=1";
  try {
    text = write({ expire: 1e21 }).split("; ").at(-1)!;
  } catch (error) {
    // The constructor may also reject the value.
    assertInstanceOf(error, RangeError);
  }
  assertMatch(text, /^Max-Age=\d+$/);
});

Deno.test("CookieState.inject() throws when name and value take more than 4096 bytes", () => {
  const room = 4096 - "sid".length;
  write({ cookieName: "sid" }, "x".repeat(room));
  const tooLong = () => write({ cookieName: "sid" }, "x".repeat(room + 1));
  const error = assertThrows(tooLong, SessionError, "4096");
  assertStrictEquals(error.code, "ERR_SESSION_TOO_LARGE");
});

Deno.test("CookieState.inject() throws, and hides the value, when a cookie cannot carry it", () => {
  for (const sign of '\r\n\t\0\x7f ;,"\\\u00e9\u2028\u3042') {
    const headers: HeaderPair[] = [];
    for (const id of [`hush${sign}`, `${sign}hush`, `hu${sign}sh`]) {
      const error = assertThrows(() => new CookieState().inject(headers, id), TypeError);
      assertEquals(error.message.includes("hush"), false);
    }
    assertEquals(headers, []);
  }
  const all = "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~";
  assertEquals(write({}, all).startsWith(`pagi_session=${all}; `), true);
});

Deno.test("CookieState.clear() repeats every attribute with an empty value and Max-Age=0", () => {
  for (const cookieOptions of [ALL, {}, { maxAge: false as const, httpOnly: false }]) {
    const set = write({ cookieName: "sid", cookieOptions });
    assertEquals(
      cleared({ cookieName: "sid", cookieOptions }),
      set.replace("sid=abc", "sid=").replace(/; Max-Age=\d+$/, "") + "; Max-Age=0",
    );
  }
});

Deno.test("CookieState() throws when the name is not a token", () => {
  const bad = [...'\r\n\t\0\x7f ;,="/()\u00e9'].flatMap((sign) => [`${sign}a`, `a${sign}`]);
  for (const name of ["", ...bad, 1, null, {}]) {
    assertThrows(make(name as string), TypeError, "cookieName");
  }
  make("!#$%&'*+-.^_`|~09AZaz")();
});

Deno.test("CookieState() throws and names the option when an attribute cannot be sent", () => {
  const strings = ["a\r\nb", "\n", "a;b", "a\0b", "a\tb", "\x7f", "é", "x".repeat(1025)];
  const bad: Record<string, unknown[]> = {
    path: ["", "a", "a/b", "*", "/ ", "/a ", true, 1, null, ...strings.map((text) => `/${text}`)],
    domain: [
      "",
      ".a.com",
      "a.",
      "a..b",
      "a b",
      "-a",
      "a-",
      "a.com/b",
      "a:80",
      "a.1",
      "1.2",
      "0x7f",
      true,
      ...strings,
    ],
    sameSite: ["", "lax", "Lax; Secure", true, null],
    httpOnly: ["true", 1, 0, null],
    secure: ["auto", 1, 0, null],
    partitioned: ["yes", 1],
    priority: ["", "high", true],
  };
  for (const [option, values] of Object.entries(bad)) {
    for (const value of values) {
      assertThrows(make("sid", { secure: true, [option]: value }), TypeError, option);
    }
  }
  make("sid", { path: "/a%20b", domain: "127.0.0.1" })();
  make("sid", { domain: "ab.example" })();
  make("sid", { path: "/" + "x".repeat(1023), domain: "a-1.B.example" })();
});

Deno.test("CookieState() throws when the path has characters that URL paths cannot contain", () => {
  for (const sign of ' "#<>?\\^`{|}') {
    assertThrows(make("sid", { path: `/a${sign}b` }), TypeError, "path");
  }
  make("sid", { path: "/!$%&'()*+,-./09:=@AZ[]_az~" })();
});

Deno.test("CookieState() throws a RangeError when maxAge or expire is not a valid duration", () => {
  for (const maxAge of [-1, 0, 1.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(make("sid", { maxAge }), RangeError, "maxAge");
  }
  for (const expire of [-1, NaN, Infinity]) {
    assertThrows(() => new CookieState({ expire }), RangeError, "expire");
  }
  assertThrows(make("sid", { maxAge: "60" as unknown as number }), Error, "maxAge");
});

Deno.test("CookieState() throws when the conditions of a prefix are not met, in upper and lower case", () => {
  for (const secure of ["__Secure-a", "__SECURE-a", "__Host-a", "__host-a", "__Http-a"]) {
    assertThrows(make(secure), TypeError, "secure");
    make(secure, { secure: true })();
  }
  for (const host of ["__Host-a", "__hOST-a", "__Host-Http-a", "__HOST-HTTP-a"]) {
    assertThrows(make(host, { secure: true, path: "/a" }), TypeError, "path");
    assertThrows(make(host, { secure: true, domain: "a.com" }), TypeError, "domain");
  }
  for (const http of ["__Http-a", "__HTTP-a", "__Host-Http-a", "__host-http-a"]) {
    assertThrows(make(http, { secure: true, httpOnly: false }), TypeError, "httpOnly");
  }
  make("__Secure-a", { secure: true, path: "/a", domain: "a.com", httpOnly: false })();
  make("__Http-a", { secure: true, path: "/a", domain: "a.com" })();
  make("a__Host-b")();
  make("__Host-a", { secure: true, path: false })();
});

Deno.test("CookieState() throws when SameSite=None or Partitioned is set without Secure", () => {
  assertThrows(make("sid", { sameSite: "None" }), TypeError, "secure");
  assertThrows(make("sid", { partitioned: true, secure: false }), TypeError, "secure");
});

Deno.test("CookieState() throws and names an unknown option", () => {
  assertThrows(() => new CookieState({ name: "sid" } as CookieStateOptions), TypeError, "name");
  assertThrows(make("sid", { httponly: false } as CookieOptions), TypeError, "httponly");
  assertThrows(make("sid", { expires: 1 } as CookieOptions), TypeError, "expires");
  assertThrows(make("sid", null as unknown as CookieOptions), TypeError, "the cookie: options");
});

Deno.test("CookieState() lists the allowed values when an attribute has another", () => {
  const says = (option: string, expected: string) => {
    const bad = make("sid", { [option]: "\n" });
    assertThrows(bad, TypeError, `Cannot make the cookie: ${option} must be ${expected}`);
  };
  says("httpOnly", "true or false");
  says("sameSite", '"Strict", "Lax", "None" or false');
  says("path", 'a path that starts with "/"');
});

Deno.test("CookieState.inject() limits Max-Age to 400 days, and writes an empty ID", () => {
  assertEquals(
    write({ expire: 401 * 24 * 60 * 60 }).split("; ").at(-1),
    `Max-Age=${400 * 24 * 60 * 60}`,
  );
  assertEquals(write({}, "").split("; ")[0], "pagi_session=");
});

Deno.test("CookieState.extract() finds all of half a million cookies of the name", () => {
  // This takes minutes if each cookie copies the array of those before.
  const header = "sid=a;".repeat(500_000);
  const state = new CookieState({ cookieName: "sid" });
  assertEquals(state.extract({ type: "http", headers: [["cookie", header]] })?.length, 500_000);
});
