/** The cases for every framework: the behavior of sessions as a visitor sees it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Visitor } from "./_visitor.ts";

/** One case, for the app at `url`. */
type Case = (url: string) => Promise<void>;

const COOKIE = /^pagi_session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600$/;

/** Returns a visitor with a session. */
async function returning(url: string): Promise<Visitor> {
  const visitor = new Visitor(url);
  await visitor.get("/visit");
  assert(visitor.cookie !== undefined);
  return visitor;
}

/** Asserts that a page fails with this status, sends no cookie and hides the handler's text. */
async function assertRefused(url: string, path: string, status: number): Promise<Visitor> {
  const visitor = await returning(url);
  const page = await visitor.get(path);
  assertEquals([page.status, page.cookies], [status, []], page.text);
  assert(!page.text.includes("never sent"), page.text);
  return visitor;
}

export const CASES: Record<string, Case> = {
  "a first visit": async (url) => {
    const page = await new Visitor(url).get("/visit");
    assertEquals([page.status, page.text, page.cookies.length], [200, "Visit 1", 1]);
    assertMatch(page.cookies[0]!, COOKIE);
    assertEquals(page.headers.get("cache-control"), "no-store");
    assertMatch(page.headers.get("vary") ?? "", /\bcookie\b/i);
  },
  "a later visit": async (url) => {
    const visitor = await returning(url);
    const page = await visitor.get("/visit");
    // The cookie is new, so it is not renewed.
    assertEquals([page.text, page.cookies], ["Visit 2", []]);
  },
  "a read": async (url) => {
    const visitor = await returning(url);
    for (const [one, text] of [[visitor, "Visits 1"], [new Visitor(url), "Visits 0"]] as const) {
      const page = await one.get("/read");
      assertEquals([page.status, page.text, page.cookies], [200, text, []]);
      assertEquals(page.headers.get("cache-control"), null);
      assertMatch(page.headers.get("vary") ?? "", /\bcookie\b/i);
    }
  },
  "a nested write": async (url) => {
    const visitor = await returning(url);
    await visitor.get("/add");
    assertEquals((await visitor.get("/add")).text, "tea,tea");
  },
  "concurrent visits": async (url) => {
    const visitor = await returning(url);
    const all = Array.from({ length: 10 }, () => visitor.get("/visit"));
    for (const { status } of await Promise.all(all)) assertEquals(status, 200);
    assertEquals((await visitor.get("/read")).text, "Visits 11");
  },
  "regenerate": async (url) => {
    const visitor = await returning(url);
    const old = new Visitor(url, visitor.cookie);
    const page = await visitor.get("/login");
    assertEquals([page.status, page.text, page.cookies.length], [200, "Welcome", 1]);
    assert(visitor.cookie !== old.cookie);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
    assertEquals((await old.get("/read")).text, "Visits 0");
  },
  "destroy": async (url) => {
    const visitor = await returning(url);
    const other = new Visitor(url, visitor.cookie);
    const page = await visitor.get("/logout");
    assertEquals([page.status, page.text, visitor.cookie], [200, "Bye", undefined]);
    assertMatch(page.cookies[0]!, /^pagi_session=; Path=\/; .*Max-Age=0$/);
    assertEquals((await other.get("/read")).text, "Visits 0");
  },
  "the end of one's own session by destroyAll()": async (url) => {
    for (
      const [path, cookie] of [["/everywhere", /^pagi_session=; .*Max-Age=0$/], [
        "/everywhere-and-on",
        COOKIE,
      ]] as const
    ) {
      const visitor = await returning(url);
      await visitor.get("/sign-in");
      const other = new Visitor(url, visitor.cookie);
      const page = await visitor.get(path);
      assertEquals([page.status, page.text, page.cookies.length], [200, "Bye", 1]);
      assertMatch(page.cookies[0]!, cookie);
      const visits = visitor.cookie === undefined ? 0 : 7;
      assertEquals((await visitor.get("/read")).text, `Visits ${visits}`);
      assertEquals((await other.get("/read")).text, "Visits 0");
    }
  },
  "a redirect": async (url) => {
    const visitor = new Visitor(url);
    const page = await visitor.get("/redirect");
    assertEquals([page.status, page.cookies.length], [302, 1]);
    assertEquals((await visitor.get(page.headers.get("location")!)).text, "Visits 1");
  },
  "a streamed body": async (url) => {
    const visitor = new Visitor(url);
    const page = await visitor.get("/stream");
    assertEquals([page.status, page.text, page.cookies.length], [200, "one,1,three", 1]);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
  },
  "a client that goes away": async (url) => {
    const visitor = await returning(url);
    for (const path of ["/stream", "/visit", "/store-hangs"]) {
      const gone = new AbortController();
      const page = visitor.get(path, { signal: gone.signal });
      gone.abort();
      await page.catch((error) => assertEquals(error.name, "AbortError"));
    }
    assertMatch((await visitor.get("/read")).text, /^Visits \d$/);
  },
  "a handler that throws": async (url) => {
    const visitor = await returning(url);
    const page = await visitor.get("/throw");
    assertEquals([page.status, page.cookies], [500, []]);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
    const first = new Visitor(url);
    assertEquals((await first.get("/throw")).cookies, []);
  },
  "a handler that saves, then throws": async (url) => {
    const visitor = await returning(url);
    const page = await visitor.get("/save-and-throw");
    assertEquals([page.status, page.cookies], [500, []]);
    assertEquals((await visitor.get("/read")).text, "Visits 2");
    const first = new Visitor(url);
    assertEquals((await first.get("/save-and-throw")).cookies.length, 1);
    assertEquals((await first.get("/read")).text, "Visits 1");
  },
  "no such page": async (url) => {
    for (const visitor of [await returning(url), new Visitor(url)]) {
      const page = await visitor.get("/nowhere");
      assertEquals([page.status, page.cookies], [404, []]);
    }
  },
  "HEAD": async (url) => {
    const page = await new Visitor(url).get("/visit", { method: "HEAD" });
    assertEquals([page.text, page.cookies.length], ["", page.status === 200 ? 1 : 0]);
  },
  "an interrupted session": async (url) => {
    const visitor = await assertRefused(url, "/interrupted", 409);
    assertEquals((await visitor.get("/read")).text, "Visits 0");
  },
  "a store that cannot be read": async (url) => {
    for (const digit of ["d", "e"]) {
      const page = await new Visitor(url, `pagi_session=${digit.repeat(64)}`).get("/visit");
      assertEquals([page.status, page.cookies], [503, []]);
    }
  },
  "a store that cannot be written": async (url) => {
    const visitor = await assertRefused(url, "/store-fails", 503);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
    assertEquals((await new Visitor(url).get("/store-fails")).cookies, []);
  },
  "an error response without the handler's headers": async (url) => {
    const visitor = await assertRefused(url, "/headers-then-fails", 503);
    const { headers } = await visitor.get("/headers-then-fails");
    assert(headers.get("etag") !== '"own"');
    assert(headers.get("content-type") !== "image/png");
    for (const name of ["content-disposition", "content-language", "x-own", "set-cookie"]) {
      assertEquals(headers.get(name), null, name);
    }
  },
  "a store that does not respond": async (url) => {
    await assertRefused(url, "/store-hangs", 503);
  },
  "a sign-out that fails in the store": async (url) => {
    const visitor = await returning(url);
    assertEquals((await visitor.get("/store-keeps")).status, 200);
    const page = await visitor.get("/logout");
    assertEquals([page.status, visitor.cookie], [503, undefined]);
    assertMatch(page.cookies[0]!, /^pagi_session=; Path=\/; .*Max-Age=0$/);
  },
  "server-sent events": async (url) => {
    const visitor = await returning(url);
    const page = await visitor.get("/events");
    assertMatch(page.headers.get("content-type")!, /^text\/event-stream/);
    assertMatch(page.text, /^data: Visits 1$/m);
  },
  "a WebSocket": async (url) => {
    assertEquals(await (await returning(url)).ask("/socket"), "Visits 1");
    assertEquals(await new Visitor(url).ask("/socket"), "Visits 0");
  },
};
