/**
 * The cases for every framework: the behavior of sessions as a visitor sees it. A visitor's
 * connection stays open, so each request also checks that the response before it was complete.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MUCH } from "./apps/_work.ts";
import { textOf } from "./_http.ts";
import { type Page, Visitor } from "./_visitor.ts";

/** One case, for the app at `url`. It throws if the app fails. */
export type Run = (url: string) => Promise<void>;

const COOKIE = /^pagi_session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600$/;
const CLEARED = /^pagi_session=; Path=\/; .*Max-Age=0$/;
const NAVIGATION = { "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };
/** A cookie whose session the app's store cannot read. */
const UNREADABLE = `pagi_session=${"d".repeat(64)}`;

/** The paths that write, by kind of response. */
const KINDS: Record<string, { status: number; text?: string }> = {
  "/text": { status: 200, text: "Visit 1" },
  "/created": { status: 201, text: "Visit 1" },
  "/not-found": { status: 404, text: "Visit 1" },
  "/redirect": { status: 302 },
  "/see-other": { status: 303 },
  "/empty": { status: 204, text: "" },
  "/fresh": { status: 304, text: "" },
  "/parts": { status: 200, text: "one,1,three" },
  "/much": { status: 200, text: "x".repeat(MUCH) },
};

/** The paths that throw after they have written. */
const THROWING = ["/throw", "/throw-later", "/throw-text", "/throw-frozen"];

/** The sub-apps: the session's middleware is outside of the other one, or inside. */
const SUB_APPS = ["/inner", "/outer"];

/** Returns a visitor with a session. */
async function returning(url: string): Promise<Visitor> {
  const visitor = new Visitor(url);
  await visitor.get("/visit");
  assert(visitor.cookie !== undefined);
  return visitor;
}

/** Returns a visitor with both sessions. */
async function returningToBoth(url: string): Promise<Visitor> {
  const visitor = new Visitor(url);
  await visitor.get("/inner/both");
  assert(visitor.cookie !== undefined && visitor.adminCookie !== undefined);
  return visitor;
}

/** What the app has noted. */
interface Noted {
  events: string[];
  errors: string[];
  waiting: boolean;
  touches: number;
  ended: number;
}

async function noted(url: string): Promise<Noted> {
  return JSON.parse((await new Visitor(url).get("/noted")).text);
}

/** Waits until the app has noted something. */
async function untilNoted(url: string, isThere: (noted: Noted) => boolean): Promise<Noted> {
  for (const signal = AbortSignal.timeout(5_000); !signal.aborted;) {
    const all = await noted(url);
    if (isThere(all)) return all;
  }
  throw new Error("The app has not noted it");
}

/** Advances the app's clock. */
async function later(url: string, seconds: number): Promise<void> {
  await new Visitor(url).get(`/later?seconds=${seconds}`);
}

/** Returns the types of the events that `act` causes. */
async function eventsOf(url: string, act: () => Promise<unknown>): Promise<string[]> {
  const before = (await noted(url)).events.length;
  await act();
  return (await noted(url)).events.slice(before);
}

async function assertVisits(visitor: Visitor, visits: number): Promise<void> {
  assertEquals((await visitor.get("/read")).text, `Visits ${visits}`);
}

async function assertBothVisits(visitor: Visitor, visits: number, admin: number): Promise<void> {
  for (const app of SUB_APPS) {
    assertEquals((await visitor.get(`${app}/read-both`)).text, `Visits ${visits}, ${admin}`);
  }
}

/** Asserts that a response is an error's, without cookies and without anything of the handler. */
function assertError({ status, text, headers }: Page, expected: number): void {
  assertEquals([status, headers.getSetCookie()], [expected, []], text);
  assert(!/never sent|Visit|xxx|one,/.test(text), text.slice(0, 200));
  assert(headers.get("etag") !== '"own"');
  assert(!/image\/png|event-stream/.test(headers.get("content-type") ?? ""));
  const own = ["content-disposition", "content-language", "last-modified", "x-own", "location"];
  for (const name of own) assertEquals(headers.get(name), null, name);
}

/** Asserts that the app fails at this path, saves nothing, and reports it once. */
async function assertFails(url: string, path: string, init?: RequestInit): Promise<void> {
  const visitor = await returning(url);
  const events = await eventsOf(url, async () => assertError(await visitor.get(path, init), 503));
  assertEquals(events, ["request-failed"]);
  await assertVisits(visitor, 1);
  const first = new Visitor(url);
  assertError(await first.get(path, init), 503);
  await assertVisits(first, 0);
}

/** Asserts that a handler that throws at this path saves nothing. */
async function assertThrows(url: string, path: string, init?: RequestInit): Promise<void> {
  const visitor = await returning(url);
  assertError(await visitor.get(path, init), 500);
  await assertVisits(visitor, 1);
  const first = new Visitor(url);
  assertError(await first.get(path, init), 500);
  await assertVisits(first, 0);
}

/** Asserts that `session.save()` before an error keeps the session, and sends its cookie. */
async function assertSaves(url: string, path: string, status: number): Promise<void> {
  const visitor = await returning(url);
  const page = await visitor.get(path);
  assertEquals([page.status, page.cookies], [status, []]);
  await assertVisits(visitor, 2);
  const first = new Visitor(url);
  const events = await eventsOf(url, async () => {
    const page = await first.get(path);
    assertEquals([page.status, page.cookies.length], [status, 1]);
  });
  assertEquals(events, []);
  await assertVisits(first, 1);
}

/** Makes a client disconnect during a request. */
async function leave(visitor: Visitor, path: string, afterMs: number): Promise<void> {
  const gone = new AbortController();
  const page = visitor.get(path, { signal: gone.signal });
  if (afterMs === 0) gone.abort();
  else setTimeout(() => gone.abort(), afterMs);
  await page.catch((error) => assertEquals(error.name, "AbortError"));
}

/** Reads the events of a stream until `isLast` returns true for the text so far. */
async function readUntil(
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
  isLast: (text: string) => boolean,
): Promise<string> {
  let text = "";
  for await (const part of body) {
    text += new TextDecoder().decode(part);
    if (isLast(text)) break;
  }
  return text;
}

/** The cases of every app, by group. */
export const CASES: Record<string, Record<string, Run>> = {
  "sessions": {
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
      for (const [one, visits] of [[visitor, 1], [new Visitor(url), 0]] as const) {
        const page = await one.get("/read");
        assertEquals([page.status, page.text, page.cookies], [200, `Visits ${visits}`, []]);
        assertEquals(page.headers.get("cache-control"), null);
        assertMatch(page.headers.get("vary") ?? "", /\bcookie\b/i);
      }
    },
    "an unknown ID is not adopted": async (url) => {
      const visitor = new Visitor(url, `pagi_session=${"a".repeat(64)}`);
      await assertVisits(visitor, 0);
      const planted = visitor.cookie;
      await visitor.get("/visit");
      assert(visitor.cookie !== planted);
    },
    "a nested write": async (url) => {
      const visitor = await returning(url);
      await visitor.get("/add");
      assertEquals((await visitor.get("/add")).text, "tea,tea");
    },
    "concurrent visits of one client": async (url) => {
      const visitor = await returning(url);
      const all = Array.from({ length: 10 }, () => visitor.get("/visit"));
      for (const { status } of await Promise.all(all)) assertEquals(status, 200);
      await assertVisits(visitor, 11);
    },
    "concurrent visits of several clients": async (url) => {
      const visitors = Array.from({ length: 10 }, () => new Visitor(url));
      const pages = await Promise.all(visitors.map((visitor) => visitor.get("/visit")));
      assert(pages.every(({ text }) => text === "Visit 1"));
      assertEquals(new Set(visitors.map(({ cookie }) => cookie)).size, 10);
    },
    "regenerate": async (url) => {
      const visitor = await returning(url);
      const old = visitor.copy();
      const page = await visitor.get("/regenerate");
      assertEquals([page.status, page.text, page.cookies.length], [200, "Welcome", 1]);
      assert(visitor.cookie !== old.cookie);
      await assertVisits(visitor, 1);
      await assertVisits(old, 0);
    },
    "a sign-in": async (url) => {
      const visitor = await returning(url);
      const old = visitor.copy();
      assertEquals((await visitor.get("/sign-in")).cookies.length, 1);
      assert(visitor.cookie !== old.cookie);
      await assertVisits(old, 0);
    },
    "destroy": async (url) => {
      const visitor = await returning(url);
      const other = visitor.copy();
      const page = await visitor.get("/destroy");
      assertEquals([page.status, page.text, visitor.cookie], [200, "Bye", undefined]);
      assertMatch(page.cookies[0]!, CLEARED);
      await assertVisits(other, 0);
    },
    "save()": async (url) => {
      const visitor = new Visitor(url);
      const page = await visitor.get("/save");
      assertEquals([page.text, page.cookies.length], ["Visits 1", 1]);
      await assertVisits(visitor, 1);
    },
    "the end of one's own session by destroyAll()": async (url) => {
      for (
        const [path, cookie, visits] of [
          ["/everywhere", CLEARED, 0],
          ["/everywhere-and-on", COOKIE, 7],
        ] as const
      ) {
        const visitor = await returning(url);
        await visitor.get("/sign-in");
        const other = visitor.copy();
        const page = await visitor.get(path);
        assertEquals([page.status, page.text, page.cookies.length], [200, "Bye", 1]);
        assertMatch(page.cookies[0]!, cookie);
        await assertVisits(visitor, visits);
        await assertVisits(other, 0);
      }
    },
    "an interrupted session": async (url) => {
      const visitor = await returning(url);
      assertError(await visitor.get("/interrupt?own"), 409);
      await assertVisits(visitor, 0);
    },
    "a touch that is due": async (url) => {
      const visitor = await returning(url);
      await later(url, 61);
      const page = await visitor.get("/much-read", { headers: NAVIGATION });
      assertEquals([page.text.length, page.cookies.length], [MUCH, 1]);
      assertMatch(page.cookies[0]!, COOKIE);
      await later(url, 61);
      const { touches } = await noted(url);
      assertEquals((await visitor.get("/much-read")).text.length, MUCH);
      assertEquals((await noted(url)).touches - touches, 1);
    },
  },

  "responses": {
    ...Object.fromEntries(
      Object.entries(KINDS).map(([path, { status, text }]) => [path, async (url: string) => {
        const visitor = new Visitor(url);
        const page = await visitor.get(path);
        assertEquals([page.status, page.cookies.length], [status, 1]);
        if (text !== undefined) assert(page.text === text, page.text.slice(0, 100));
        if (/redirect|other/.test(path)) assertEquals(page.headers.get("location"), "/read");
        // Some frameworks have a Cache-Control of their own for streams.
        assertMatch(page.headers.get("cache-control")!, /^no-(store|cache)$/);
        await assertVisits(visitor, 1);
      }]),
    ),
    "HEAD": async (url) => {
      const paths = Object.keys(KINDS);
      for (const path of paths) {
        const visitor = new Visitor(url);
        const page = await visitor.get(path, { method: "HEAD" });
        assertEquals([page.status, page.text, page.cookies.length], [KINDS[path]!.status, "", 1]);
        await assertVisits(visitor, 1);
      }
    },
    "a page that is in the browser's cache": async (url) => {
      const visitor = await returning(url);
      const headers = { "if-none-match": '"1"' };
      const page = await visitor.get("/fresh", { headers });
      assertEquals([page.status, page.cookies, page.headers.get("etag")], [304, [], '"1"']);
      await assertVisits(visitor, 2);
    },
    "no such page": async (url) => {
      for (const visitor of [await returning(url), new Visitor(url)]) {
        const page = await visitor.get("/nowhere");
        assertEquals([page.status, page.cookies], [404, []]);
        assertEquals((await visitor.get("/read")).status, 200);
      }
    },
    "the app's own cookies": async (url) => {
      const page = await new Visitor(url).get("/own-cookies");
      assertEquals(page.cookies.length, 1);
      const others = page.headers.getSetCookie().filter((one) => !page.cookies.includes(one));
      assertEquals(others, ["own=1; Path=/", "other=2; Path=/"]);
    },
    "the app's own Vary and Cache-Control": async (url) => {
      const visitor = await returning(url);
      for (const path of ["/language", "/read-private"]) {
        const { headers } = await visitor.get(path);
        const vary = headers.get("vary")!.toLowerCase().split(/, */);
        assert(vary.includes("accept-language") && vary.includes("cookie"), `${vary}`);
      }
      const { headers } = await visitor.get("/read-private");
      assertEquals(headers.get("cache-control"), "private, max-age=5");
    },
    "a response for shared caches": async (url) => {
      const visitor = new Visitor(url);
      const events = await eventsOf(url, async () => {
        const page = await visitor.get("/public");
        assertEquals([page.text, page.cookies.length], ["Visits 1", 1]);
        assertEquals(page.headers.get("cache-control"), "private, no-store");
      });
      assertEquals(events, ["public-response"]);
      await later(url, 61);
      const page = await visitor.get("/public?read", { headers: NAVIGATION });
      assertEquals([page.text, page.cookies], ["Visits 1", []]);
      assertEquals(page.headers.get("cache-control"), "public, max-age=60");
    },
    "pipelined requests": async (url) => {
      const visitor = await returning(url);
      const paths = ["/visit", "/empty", "/parts", "/fresh", "/redirect", "/visit"];
      const responses = await visitor.pipeline(paths);
      assertEquals(responses.map(([status]) => status), [200, 204, 200, 304, 302, 200]);
      await assertVisits(visitor, 7);
    },
  },

  "streams": {
    "a stream that breaks": async (url) => {
      const visitor = new Visitor(url);
      const { status, body } = await visitor.open("/break");
      assertEquals(status, 200);
      const error = await textOf(body).catch((error) => error);
      assert(error instanceof Error, "the response looked complete");
      assert(error.name !== "AbortError", "the response did not end");
      await assertVisits(visitor, 1);
    },
    "server-sent events": async (url) => {
      const visitor = new Visitor(url);
      const page = await visitor.get("/events");
      assertMatch(page.headers.get("content-type")!, /^text\/event-stream/);
      const data = [...page.text.matchAll(/^data: ?(.*)$/gm)].map(([, data]) => data);
      assertEquals([data, page.cookies.length], [["one,", "1,", "three"], 1]);
      await assertVisits(visitor, 1);
    },
    "events without an end": async (url) => {
      const visitor = new Visitor(url);
      const { headers, body } = await visitor.open("/endless");
      // The cookie comes before the first event, and the events come one by one.
      assertEquals(headers.getSetCookie().length, 1);
      assertMatch(await readUntil(body, (text) => text.includes("data: on")), /^data: Visits 1$/m);
      // The handler has written with `sessions.update()`.
      await assertVisits(visitor, 50);
    },
    "a stream whose client leaves": async (url) => {
      const { ended } = await noted(url);
      const { body } = await new Visitor(url).open("/endless");
      await readUntil(body, () => true);
      await untilNoted(url, (now) => now.ended === ended + 1);
    },
  },

  "clients that leave": {
    "during a request": async (url) => {
      const visitor = await returning(url);
      for (const path of ["/parts", "/visit", "/much", "/throw-later", "/never"]) {
        for (const ms of [0, 8]) await leave(visitor, path, ms);
      }
      assertMatch((await visitor.get("/read")).text, /^Visits \d+$/);
    },
    "before the sign-in is saved": async (url) => {
      const visitor = await returning(url);
      await leave(visitor, "/sign-in", 3);
      // The new ID was never received. The old one may be invalid, but the app goes on.
      assertEquals((await visitor.get("/read")).status, 200);
    },
  },

  "exceptions": {
    "a handler that throws before it writes": (url) => assertThrows(url, "/throw-first"),
    ...Object.fromEntries(THROWING.map((path) => [path, (url: string) => assertThrows(url, path)])),
    "a handler that throws on HEAD": (url) => assertThrows(url, "/throw", { method: "HEAD" }),
    "pipelined requests": async (url) => {
      const visitor = await returning(url);
      const responses = await visitor.pipeline(["/visit", "/throw", "/parts", "/throw", "/visit"]);
      assertEquals(responses.map(([status]) => status), [200, 500, 200, 500, 200]);
      await assertVisits(visitor, 4);
    },
    "an error handler that throws": async (url) => {
      const visitor = await returning(url);
      const page = await visitor.get("/throw-twice");
      assertEquals([page.status, page.cookies], [500, []]);
      await assertVisits(visitor, 1);
    },
    "an error of a client": async (url) => {
      const visitor = await returning(url);
      assertError(await visitor.get("/refuse"), 401);
      await assertVisits(visitor, 1);
      const first = new Visitor(url);
      assertError(await first.get("/refuse"), 401);
    },
    "a sign-in that throws": async (url) => {
      for (const visitor of [await returning(url), new Visitor(url)]) {
        const { cookie } = visitor;
        assertError(await visitor.get("/sign-in-and-throw"), 500);
        assertEquals(visitor.cookie, cookie);
        await assertVisits(visitor, cookie === undefined ? 0 : 1);
      }
    },
    "a sign-out that throws": async (url) => {
      const visitor = await returning(url);
      const other = visitor.copy();
      assertEquals((await visitor.get("/destroy-and-throw")).status, 500);
      await assertVisits(other, 0);
    },
    "save() before an exception": (url) => assertSaves(url, "/save-and-throw", 500),
    "save() before a 401": (url) => assertSaves(url, "/save-and-refuse", 401),
  },

  "uploads": {
    "bytes": async (url) => {
      const visitor = await returning(url);
      const init = { method: "POST", body: new Uint8Array(300_000), headers: { origin: url } };
      assertEquals((await visitor.get("/upload", init)).text, "Received 300000");
      await assertVisits(visitor, 2);
    },
    "a form with a file": async (url) => {
      const visitor = new Visitor(url);
      const form = new FormData();
      form.set("name", "Ada");
      form.set("file", new File(["x".repeat(100_000)], "a.txt"));
      const init = { method: "POST", body: form, headers: { origin: url } };
      const page = await visitor.get("/upload-form", init);
      assertEquals([page.text, page.cookies.length], ["Received Ada, a.txt, 100000", 1]);
      await assertVisits(visitor, 1);
    },
    "a body that the handler does not read": async (url) => {
      const visitor = await returning(url);
      const init = { method: "POST", body: new Uint8Array(300_000), headers: { origin: url } };
      assertEquals((await visitor.get("/upload-unread", init)).text, "Visit 2");
      await assertVisits(visitor, 2);
    },
    "a handler that throws": (url) => {
      return assertThrows(url, "/throw", {
        method: "POST",
        body: "text",
        headers: { origin: url },
      });
    },
  },

  "a failing store": {
    ...Object.fromEntries(
      [...Object.keys(KINDS), "/events"].map((path) => [
        `a save that fails: ${path}`,
        (url: string) => assertFails(url, `${path}?trouble=fails&own`),
      ]),
    ),
    "a save that fails: HEAD": (url) => {
      return assertFails(url, "/text?trouble=fails&own", { method: "HEAD" });
    },
    "a save that fails: an upload": (url) => {
      const init = { method: "POST", body: new Uint8Array(300_000), headers: { origin: url } };
      return assertFails(url, "/upload?trouble=fails&own", init);
    },
    "a save that does not respond": (url) => assertFails(url, "/text?trouble=hangs&own"),
    "a read that fails": async (url) => {
      for (const path of ["/text?own", "/parts", "/throw", "/nowhere"]) {
        const visitor = new Visitor(url, UNREADABLE);
        const { status, cookies } = await visitor.get(path);
        // A framework may find no page before it calls the middleware.
        assertEquals([status, cookies], [path === "/nowhere" && status === 404 ? 404 : 503, []]);
        visitor.cookie = undefined;
        await assertVisits(visitor, 0);
      }
    },
    "a read that fails: an upload": async (url) => {
      const visitor = new Visitor(url, UNREADABLE);
      const init = { method: "POST", body: new Uint8Array(300_000), headers: { origin: url } };
      assertError(await visitor.get("/upload", init), 503);
      visitor.cookie = undefined;
      await assertVisits(visitor, 0);
    },
    "a read that does not respond": async (url) => {
      assertError(await new Visitor(url, `pagi_session=${"e".repeat(64)}`).get("/visit"), 503);
    },
    "a sign-out that fails": async (url) => {
      const visitor = await returning(url);
      assertEquals((await visitor.get("/keep")).status, 200);
      const page = await visitor.get("/destroy");
      assertEquals([page.status, visitor.cookie], [503, undefined]);
      assertMatch(page.cookies[0]!, CLEARED);
    },
    "pipelined requests": async (url) => {
      const visitor = await returning(url);
      const paths = ["/visit", "/text?trouble=fails", "/visit", "/empty?trouble=fails", "/read"];
      const responses = await visitor.pipeline(paths);
      assertEquals(responses.map(([status]) => status), [200, 503, 200, 503, 200]);
      await assertVisits(visitor, 3);
    },
    "a save that fails after the client has gone": async (url) => {
      const visitor = await returning(url);
      const events = await eventsOf(url, async () => {
        const gone = new AbortController();
        const page = visitor.get("/parts?trouble=waits", { signal: gone.signal });
        await untilNoted(url, ({ waiting }) => waiting);
        gone.abort();
        await page.catch((error) => assertEquals(error.name, "AbortError"));
        // The app sees that the client has gone before it gets these.
        for (let i = 0; i < 3; i++) await assertVisits(visitor, 1);
        await visitor.get("/release");
        await assertVisits(visitor, 1);
      });
      assertEquals(events, ["request-failed"]);
    },
    "the error of a client that has gone, at the framework": async (url) => {
      const visitor = await returning(url);
      const before = (await noted(url)).errors.length;
      const gone = new AbortController();
      const page = visitor.get("/parts?trouble=waits", { signal: gone.signal });
      await untilNoted(url, ({ waiting }) => waiting);
      gone.abort();
      await page.catch((error) => assertEquals(error.name, "AbortError"));
      for (let i = 0; i < 3; i++) await assertVisits(visitor, 1);
      await visitor.get("/release");
      await untilNoted(url, ({ errors }) => errors.slice(before).includes("ERR_SESSION_STORE"));
    },
  },

  "two sessions": {
    "a first visit": async (url) => {
      for (const app of SUB_APPS) {
        for (const path of ["/both", "/both-back", "/both-empty", "/both-stream"]) {
          const visitor = new Visitor(url);
          const page = await visitor.get(app + path);
          const cookies = [page.cookies.length, page.adminCookies.length];
          assertEquals(
            [page.status, ...cookies],
            [/empty/.test(path) ? 204 : 200, 1, 1],
            app + path,
          );
          assert(visitor.cookie!.split("=")[1] !== visitor.adminCookie!.split("=")[1]);
          await assertBothVisits(visitor, 1, 1);
          await assertVisits(visitor, 1);
        }
      }
    },
    "the middleware twice is one session": async (url) => {
      for (const app of SUB_APPS) {
        const page = await new Visitor(url).get(`${app}/visit`);
        assertEquals([page.text, page.cookies.length, page.adminCookies], ["Visit 1", 1, []]);
      }
    },
    "one is never the other": async (url) => {
      const visitor = await returning(url);
      await assertBothVisits(visitor, 1, 0);
      for (const app of SUB_APPS) {
        const id = visitor.cookie!.split("=")[1];
        const intruder = new Visitor(url, `pagi_session_admin=${id}`);
        assertEquals((await intruder.get(`${app}/read-both`)).text, "Visits 0, 0");
        const admin = new Visitor(url);
        const page = await admin.get(`${app}/admin`);
        assertEquals([page.text, page.cookies, page.adminCookies.length], ["Visit 1", [], 1]);
        await assertBothVisits(admin, 0, 1);
      }
    },
    "concurrent visits": async (url) => {
      const visitor = await returningToBoth(url);
      const paths = Array.from({ length: 10 }, (_, i) => `${SUB_APPS[i % 2]}/both`);
      const pages = await Promise.all(paths.map((path) => visitor.get(path)));
      for (const { status } of pages) assertEquals(status, 200);
      await assertBothVisits(visitor, 11, 11);
    },
    "a sign-out of one": async (url) => {
      for (const app of SUB_APPS) {
        const visitor = await returningToBoth(url);
        await visitor.get(`${app}/destroy`);
        assertEquals(visitor.cookie, undefined);
        await assertBothVisits(visitor, 0, 1);
        const other = await returningToBoth(url);
        await other.get(`${app}/destroy-admin`);
        assertEquals(other.adminCookie, undefined);
        await assertBothVisits(other, 1, 0);
      }
    },
    "regenerate one": async (url) => {
      for (const app of SUB_APPS) {
        const visitor = await returningToBoth(url);
        const old = visitor.copy();
        const page = await visitor.get(`${app}/regenerate-admin`);
        assertEquals([page.cookies, page.adminCookies.length], [[], 1]);
        await assertBothVisits(visitor, 1, 1);
        await assertBothVisits(old, 1, 0);
      }
    },
    "a handler that throws": async (url) => {
      for (const app of SUB_APPS) {
        const visitor = await returningToBoth(url);
        assertError(await visitor.get(`${app}/throw-both`), 500);
        await assertBothVisits(visitor, 1, 1);
        assertError(await new Visitor(url).get(`${app}/throw-both`), 500);
      }
    },
    "save() of both before an exception": async (url) => {
      for (const app of SUB_APPS) {
        const visitor = new Visitor(url);
        const page = await visitor.get(`${app}/save-both-and-throw`);
        const cookies = [page.cookies.length, page.adminCookies.length];
        assertEquals([page.status, ...cookies], [500, 1, 1]);
        await assertBothVisits(visitor, 1, 1);
      }
    },
    "no such page": async (url) => {
      for (const app of SUB_APPS) {
        const page = await (await returningToBoth(url)).get(`${app}/nowhere`);
        assertEquals([page.status, page.headers.getSetCookie()], [404, []]);
      }
    },
  },

  "two sessions, a failing store": {
    "a save of one fails": async (url) => {
      for (const app of SUB_APPS) {
        for (const trouble of ["trouble", "admin-trouble"]) {
          const visitor = await returningToBoth(url);
          const path = `${app}/both?${trouble}=fails&own`;
          assertError(await visitor.get(path), 503);
          const { text } = await visitor.get("/inner/read-both");
          // The other session may have been saved before.
          assertMatch(text, trouble === "trouble" ? /^Visits 1, [12]$/ : /^Visits [12], 1$/);
        }
      }
    },
    "a save of one fails: no session is lost": async (url) => {
      for (const app of SUB_APPS) {
        const visitor = await returningToBoth(url);
        assertEquals((await visitor.get(`${app}/regenerate?admin-trouble=fails`)).status, 503);
        await assertBothVisits(visitor, 1, 1);
        assertEquals((await visitor.get(`${app}/regenerate-admin?trouble=fails`)).status, 503);
        await assertBothVisits(visitor, 1, 1);
      }
    },
    "a read of one fails": async (url) => {
      for (const app of SUB_APPS) {
        for (const name of ["pagi_session", "pagi_session_admin"]) {
          const visitor = new Visitor(url, `${name}=${"d".repeat(64)}`);
          assertError(await visitor.get(`${app}/both`), 503);
        }
      }
    },
  },

  "WebSockets": {
    "a handshake": async (url) => {
      assertEquals(await (await returning(url)).ask("/socket"), "Visits 1");
      assertEquals(await new Visitor(url).ask("/socket"), "Visits 0");
    },
  },
};
