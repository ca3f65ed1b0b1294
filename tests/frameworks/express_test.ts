/** Cases that only Express has: the many ways to send a response, and calls after that. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EXPRESS, Running } from "./_apps.ts";
import { type Page, Visitor } from "./_visitor.ts";

type Check = (page: Page, visitor: Visitor) => Promise<void> | void;

/** The checks of the responses by path. The cookie is checked for all of them. */
const SENT: Record<string, Check> = {
  "/end": ({ status, text }) => assertEquals([status, text], [200, "sent"]),
  "/write": ({ text }) => assertMatch(text, /^sent( immediately)?$/),
  "/later": ({ text }) => assertEquals(text, "sent"),
  "/head": ({ status, text, headers }) => {
    assertEquals([status, text, headers.get("x-list")], [201, "sent", "a, b"]);
    assert(headers.getSetCookie().includes("own=1"));
  },
  "/flat-head": ({ status, text, headers }) => {
    assertEquals([status, text, headers.get("x-list")], [201, "sent", "a"]);
    assert(headers.getSetCookie().includes("own=1"));
  },
  "/flush": ({ text }) => assertEquals(text, "sent"),
  "/json": ({ text, headers }) => {
    assertEquals(text, '{"sent":true}');
    assert(headers.getSetCookie().includes("own=1; Path=/"));
  },
  "/file": ({ text }) => assertMatch(text, /sendingRoutes/),
  "/empty": ({ status, text }) => assertEquals([status, text], [204, ""]),
  "/public": ({ headers }) => assertEquals(headers.get("cache-control"), "private, max-age=5"),
  // A response with an ID must not be stored for everybody.
  "/shared": ({ headers }) => assertEquals(headers.get("cache-control"), "private, no-store"),
  "/much": ({ text }) => assertEquals(text.length, 2_000_000),
  "/callbacks": ({ text }) => assertEquals(text, "abc12"),
  "/closed": async ({ status, text }, visitor) => {
    const closed = "ERR_HTTP_HEADERS_SENT";
    const expected = ["sent", "headersSent true", closed, closed, closed, "ERR_SESSION_COMMITTED"];
    assertEquals([status, text], [200, expected.join()]);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
  },
};

/** The other cases, for the app at `url`. */
const CASES: Record<string, (url: string) => Promise<void>> = {
  "a page in the browser's cache is not sent again": async (url) => {
    const visitor = new Visitor(url);
    const headers = { "if-none-match": '"1"', "cache-control": "max-age=0" };
    const page = await visitor.get("/sends/fresh", { headers });
    assertEquals([page.status, page.text, page.cookies.length], [304, "", 1]);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
  },
  "HEAD has the headers and no body": async (url) => {
    const visitor = new Visitor(url);
    for (const path of ["/end", "/write", "/json", "/file"]) {
      const page = await visitor.get(`/sends${path}`, { method: "HEAD" });
      assertEquals([page.text, page.headers.get("x-before")], ["", "stays"]);
    }
    assertEquals((await visitor.get("/read")).text, "Visits 4");
  },
  "an error after the start of the response aborts it": async (url) => {
    const visitor = new Visitor(url);
    await visitor.get("/visit");
    const page = await visitor.get("/sends/late-error").catch((error) => error);
    assert(page instanceof Error, "the response looked complete");
    // The session was saved when the response started. (A client may retry a request that got no
    // response.)
    assertMatch((await visitor.get("/read")).text, /^Visits [23]$/);
  },
};

/** The cases with a failing store: nothing of the response is sent. */
const FAILED: Record<string, (url: string) => Promise<void>> = {
  "the headers of a page that was not sent": async (url) => {
    const page = await new Visitor(url).get("/sends/headers?trouble=1");
    assertMatch(page.headers.get("content-type")!, /^text\/html/);
    assert(page.headers.get("etag") !== '"1"');
    assertEquals([page.status, page.headers.get("x-before")], [503, "stays"]);
  },
};
for (const path of Object.keys(SENT)) {
  FAILED[`${path}, if the store fails`] = async (url) => {
    const visitor = new Visitor(url);
    await visitor.get("/visit");
    const page = await visitor.get(`/sends${path}?trouble=1`);
    assertEquals([page.status, page.headers.getSetCookie()], [503, []]);
    assert(!page.text.includes("sent"), page.text);
    assertEquals(page.headers.get("x-before"), "stays");
    assertEquals((await visitor.get("/read")).text, "Visits 1");
  };
}
for (const [path, check] of Object.entries(SENT)) {
  CASES[path] = async (url) => {
    const visitor = new Visitor(url);
    const page = await visitor.get(`/sends${path}`);
    assertEquals([page.cookies.length, page.headers.get("x-before")], [1, "stays"]);
    await check(page, visitor);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
  };
}

/** Makes clients disconnect during the response. */
async function leave(url: string): Promise<void> {
  const visitor = new Visitor(url);
  for (const path of ["/sends/later?trouble=1", "/sends/much?trouble=1", "/sends/much", "/throw"]) {
    const gone = new AbortController();
    const page = visitor.get(path, { signal: gone.signal }).catch(() => {});
    setTimeout(() => gone.abort(), 5);
    await page;
  }
  assertEquals((await visitor.get("/read")).status, 200);
}

for (const app of EXPRESS) {
  Deno.test(`${app.name}: the ways to send a response`, async (t) => {
    await using running = await Running.start(app);
    const cases = app.env?.STORE === "memory" ? CASES : { ...CASES, ...FAILED };
    for (const [name, run] of Object.entries(cases)) await t.step(name, () => run(running.url));
    await t.step("no error is left unhandled", async () => {
      await leave(running.url);
      const stderr = await running.end();
      assert(!/unhandled|uncaught|MaxListeners/i.test(stderr), stderr);
    });
  });
}
