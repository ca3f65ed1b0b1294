import { assert, assertEquals } from "@std/assert";
import { type CookieOptions, CookieState, type HeaderPair } from "@pagi/session";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";

/** One of the cookies: a unique name and its options. */
interface Case {
  name: string;
  options: CookieOptions;
}

/** How many cookies the test sets together. Chromium keeps 180 cookies of one site. */
const BATCH_SIZE = 150;

/** Combines every prefix with every combination of options. */
function everyCase(): Case[] {
  const prefixes = ["", "__Secure-", "__Host-", "__Http-", "__Host-Http-", "__hOSt-"];
  const flags = [true, false];
  let all: CookieOptions[] = [{}];
  const cross = <Name extends keyof CookieOptions>(name: Name, values: CookieOptions[Name][]) =>
    all = all.flatMap((options) => values.map((value) => ({ ...options, [name]: value })));
  cross("httpOnly", flags);
  cross("secure", flags);
  cross("sameSite", ["Strict", "Lax", "None", false]);
  cross("path", ["/", "/shop", false]);
  cross("domain", [false, "shop.test"]);
  cross("partitioned", flags);
  cross("maxAge", [100, false]);
  cross("priority", ["High", false]);
  const cases = all.flatMap((options) => prefixes.map((prefix) => ({ prefix, options })));
  return cases.map(({ prefix, options }, at) => ({ name: `${prefix}sid-${at}`, options }));
}

/** Writes the Set-Cookie for the options, even if browsers reject it. */
function asWritten({ name, options }: Case): HeaderPair {
  const { path, domain, httpOnly, secure, sameSite, partitioned, maxAge, priority } = options;
  const parts = [
    `${name}=1`,
    `Path=${path || "/"}`,
    domain && `Domain=${domain}`,
    httpOnly && "HttpOnly",
    secure && "Secure",
    sameSite && `SameSite=${sameSite}`,
    partitioned && "Partitioned",
    priority && `Priority=${priority}`,
    maxAge && `Max-Age=${maxAge}`,
  ];
  return ["set-cookie", parts.filter(Boolean).join("; ")];
}

function stateOf({ name, options }: Case): CookieState {
  return new CookieState({ cookieName: name, cookieOptions: options });
}

function isAccepted(one: Case): boolean {
  try {
    return stateOf(one) !== undefined;
  } catch (error) {
    assert(error instanceof TypeError);
    return false;
  }
}

/** Opens a server that sends the given headers, and a tab that requests them. */
async function setUp() {
  let next: HeaderPair[] = [];
  const place = await Place.open(() => new Response("ok", { headers: next }), {
    scheme: "https",
    host: "www.shop.test",
  });
  const { browser, shop, site, tab } = place;
  return {
    /** Sends the headers from this path and returns the names of all stored cookies. */
    async send(headers: HeaderPair[], path: string) {
      next = headers;
      await tab.goto(shop + path);
      return (await browser.jar()).map(({ name }) => name).sort();
    },
    seen: site.seen,
    tab,
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

browserTest(
  "CookieState accepts exactly the options that Chromium accepts, and clear() removes each cookie",
  async () => {
    await using server = await setUp();
    const names = (cases: Case[]) => cases.map(({ name }) => name).sort();
    const cases = everyCase();
    const [accepted, rejected] = [
      cases.filter(isAccepted),
      cases.filter((one) => !isAccepted(one)),
    ];
    assert(accepted.length > 1000 && rejected.length > 1000);
    for (let at = 0; at < accepted.length; at += BATCH_SIZE) {
      const batch = accepted.slice(at, at + BATCH_SIZE);
      const [set, clear]: HeaderPair[][] = [[], []];
      for (const one of batch) {
        stateOf(one).inject(set!, "1");
        stateOf(one).clear(clear!);
      }
      assertEquals(await server.send(set!, "/shop/"), names(batch));
      assertEquals(await server.send(clear!, "/shop/"), []);
    }
    for (let at = 0; at < rejected.length; at += BATCH_SIZE) {
      const batch = rejected.slice(at, at + BATCH_SIZE);
      assertEquals(await server.send(batch.map(asWritten), "/shop/"), []);
    }
  },
);

browserTest(
  "CookieState accepts exactly the paths for which Chromium sends the cookie back",
  async () => {
    await using server = await setUp();
    // Printable ASCII, except ";", which ends the attribute.
    const chars = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at));
    const cases = chars.filter((char) => char !== ";")
      .map((char, at) => ({ name: `sid-${at}`, options: { path: `/a${char}b` } }));
    await server.send(cases.map(asWritten), "/");
    await server.tab.evaluate(async (paths) => {
      for (const path of paths) await fetch(path);
    }, cases.map(({ options }) => options.path));
    const requests = server.seen.slice(-cases.length);
    const sent = cases.filter(({ name }, at) => requests[at]!.cookie === `${name}=1`);
    const paths = (cases: Case[]) => cases.map(({ options }) => options.path).join(" ");
    assertEquals(paths(cases.filter(isAccepted)), paths(sent));
  },
);

browserTest("CookieState accepts a path of the same length as Chromium", async () => {
  await using server = await setUp();
  const path = `/${"x".repeat(1023)}`;
  const set: HeaderPair[] = [];
  const clear: HeaderPair[] = [];
  const state = stateOf({ name: "sid", options: { path } });
  state.inject(set, "1");
  state.clear(clear);
  assertEquals(await server.send(set, path), ["sid"]);
  await server.send([], path);
  assertEquals(server.seen.at(-1)!.cookie, "sid=1");
  assertEquals(await server.send(clear, path), []);
  const longer = { name: "sid", options: { path: `${path}x` } };
  assert(!isAccepted(longer));
  // Browsers ignore the longer Path and send the cookie to all paths in the page's directory.
  await server.send([asWritten(longer)], "/");
  await server.send([], "/elsewhere");
  assertEquals(server.seen.at(-1)!.cookie, "sid=1");
});
