import { assert, assertEquals } from "@std/assert";
import { type CookieOptions, CookieState, type HeaderPair } from "@pagi/session";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";

/** One cookie of the many: a name that no other has, and its options. */
interface Case {
  name: string;
  options: CookieOptions;
}

/** Chromium keeps 180 cookies of one site. */
const AT_ONCE = 150;

/** Every prefix with every combination of options. */
function everyCase(): Case[] {
  const prefixes = ["", "__Secure-", "__Host-", "__Http-", "__Host-Http-", "__hOSt-"];
  const flags = [true, false];
  let made: CookieOptions[] = [{}];
  const cross = <Name extends keyof CookieOptions>(name: Name, values: CookieOptions[Name][]) =>
    made = made.flatMap((options) => values.map((value) => ({ ...options, [name]: value })));
  cross("httpOnly", flags);
  cross("secure", flags);
  cross("sameSite", ["Strict", "Lax", "None", false]);
  cross("path", ["/", "/shop", false]);
  cross("domain", [false, "shop.test"]);
  cross("partitioned", flags);
  cross("maxAge", [100, false]);
  cross("priority", ["High", false]);
  const cases = made.flatMap((options) => prefixes.map((prefix) => ({ prefix, options })));
  return cases.map(({ prefix, options }, at) => ({ name: `${prefix}sid-${at}`, options }));
}

/** The Set-Cookie that the options ask for, whether browsers keep it or not. */
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

function isTaken(one: Case): boolean {
  try {
    return stateOf(one) !== undefined;
  } catch (error) {
    assert(error instanceof TypeError);
    return false;
  }
}

/** A server that sends headers as it is told, and a tab that fetches them. */
async function setUp() {
  let next: HeaderPair[] = [];
  const place = await Place.open(() => new Response("ok", { headers: next }), {
    scheme: "https",
    host: "www.shop.test",
  });
  const { browser, shop, site, tab } = place;
  return {
    /** Sends the headers from this path, and resolves to the names in the jar. */
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
  "CookieState takes exactly the options that Chromium takes, and clear() removes each cookie",
  async () => {
    await using server = await setUp();
    const names = (cases: Case[]) => cases.map(({ name }) => name).sort();
    const cases = everyCase();
    const [taken, refused] = [cases.filter(isTaken), cases.filter((one) => !isTaken(one))];
    assert(taken.length > 1000 && refused.length > 1000);
    for (let at = 0; at < taken.length; at += AT_ONCE) {
      const batch = taken.slice(at, at + AT_ONCE);
      const [set, clear]: HeaderPair[][] = [[], []];
      for (const one of batch) {
        stateOf(one).inject(set!, "1");
        stateOf(one).clear(clear!);
      }
      assertEquals(await server.send(set!, "/shop/"), names(batch));
      assertEquals(await server.send(clear!, "/shop/"), []);
    }
    for (let at = 0; at < refused.length; at += AT_ONCE) {
      const batch = refused.slice(at, at + AT_ONCE);
      assertEquals(await server.send(batch.map(asWritten), "/shop/"), []);
    }
  },
);

browserTest(
  "CookieState takes exactly the paths under which Chromium sends the cookie back",
  async () => {
    await using server = await setUp();
    // Printable ASCII; ";" ends the attribute.
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
    assertEquals(paths(cases.filter(isTaken)), paths(sent));
  },
);

browserTest("CookieState takes a path as long as Chromium takes it", async () => {
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
  assert(!isTaken(longer));
  // What is too long is ignored: the cookie goes to all paths below this one's folder.
  await server.send([asWritten(longer)], "/");
  await server.send([], "/elsewhere");
  assertEquals(server.seen.at(-1)!.cookie, "sid=1");
});
