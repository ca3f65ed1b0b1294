/** `@std/http/cookie` reads what `CookieState` writes. Ignored where JSR cannot be reached. */
import { assertEquals } from "@std/assert";
import { getCookies, getSetCookies } from "@std/http/cookie";
import { type CookieOptions, CookieState, type HeaderPair } from "@pagi/session";
import { scopeWith } from "../../_kit/helpers.ts";

const ID = "0123456789abcdef".repeat(4);
const NAMES = ["sid", "__Secure-sid", "__Host-sid"];

/** The values of each attribute. `undefined` leaves the default. */
const VALUES: { [Key in keyof CookieOptions]-?: readonly CookieOptions[Key][] } = {
  httpOnly: [undefined, false],
  path: ["/", "/app/%20"],
  sameSite: [undefined, "Strict", "None", false],
  secure: [true, false],
  domain: [undefined, "example.com"],
  partitioned: [undefined, true],
  priority: [undefined, "High"],
  maxAge: [undefined, 60, false],
};

/** Every combination of attributes. */
const COMBINATIONS = Object.entries(VALUES).reduce<CookieOptions[]>(
  (all, [key, values]) => all.flatMap((options) => values.map((v) => ({ ...options, [key]: v }))),
  [{}],
);

/** Returns whether browsers, and therefore `CookieState`, accept the combination. */
function isValid(name: string, { secure, sameSite, partitioned, domain, path }: CookieOptions) {
  if (!secure && (name !== "sid" || sameSite === "None" || partitioned)) return false;
  return !name.startsWith("__Host-") || (domain === undefined && path === "/");
}

function testCombinations(
  title: string,
  run: (state: CookieState, cookieName: string, options: CookieOptions) => void,
) {
  Deno.test({
    name: title,
    ignore: getSetCookies === undefined || getCookies === undefined,
    fn() {
      let count = 0;
      for (const cookieName of NAMES) {
        for (
          const cookieOptions of COMBINATIONS.filter((options) => isValid(cookieName, options))
        ) {
          run(new CookieState({ cookieName, cookieOptions }), cookieName, cookieOptions);
          count++;
        }
      }
      assertEquals(count >= 64, true, `only ${count} combinations`);
    },
  });
}

/** Reads headers with `getSetCookies()`, and moves what it does not parse to the attributes. */
function parsed(headers: HeaderPair[]): unknown {
  return getSetCookies!(new Headers(headers)).map(({ unparsed = [], ...cookie }) => ({
    ...cookie,
    ...(unparsed.includes("Partitioned=") && { partitioned: true }),
    ...(unparsed.includes("Priority=High") && { priority: "High" }),
  }));
}

/** Returns what `getSetCookies()` has to find. */
function expected(
  name: string,
  value: string,
  options: CookieOptions,
  maxAge: number | false,
): unknown {
  const { httpOnly = true, path, sameSite = "Lax", secure, domain, partitioned, priority } =
    options;
  return [{
    name,
    value,
    path,
    ...(httpOnly && { httpOnly }),
    ...(sameSite && { sameSite }),
    ...(secure && { secure }),
    ...(domain && { domain }),
    ...(partitioned && { partitioned }),
    ...(priority && { priority }),
    ...(maxAge !== false && { maxAge }),
  }];
}

testCombinations(
  "CookieState.inject() writes what getSetCookies() of @std reads when attributes are combined",
  (state, name, options) => {
    const headers: HeaderPair[] = [];
    state.inject(headers, ID, { expire: 900 });
    assertEquals(parsed(headers), expected(name, ID, options, options.maxAge ?? 900));
  },
);

testCombinations(
  "CookieState.clear() writes what getSetCookies() of @std reads when attributes are combined",
  (state, name, options) => {
    const headers: HeaderPair[] = [];
    state.clear(headers);
    assertEquals(parsed(headers), expected(name, "", options, 0));
  },
);

testCombinations(
  "CookieState.extract() reads what getCookies() of @std reads when the client returns the cookie",
  (state, name) => {
    const headers: HeaderPair[] = [];
    state.inject(headers, ID);
    const cookie = `theme=dark; ${headers[0]![1].split(";")[0]}`;
    assertEquals(getCookies!(new Headers({ cookie }))[name], ID);
    assertEquals(state.extract(scopeWith({ cookie })), ID);
  },
);
