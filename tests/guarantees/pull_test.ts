/** `pull()` hands out a value once, whatever other requests do at the same time. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Session, SessionError, SessionMiddleware } from "@pagi/session";
import { MemoryStore } from "@pagi/session/store/memory";
import type { Browser } from "../_kit/browser.ts";
import { SECRET } from "../_kit/helpers.ts";
import { ALL, rigOn, slow, testOn, VERSIONED } from "../_kit/stores.ts";
import { refused } from "../_kit/tabs.ts";

const CONFLICT = "ERR_SESSION_CONFLICT";
const start = (session: Session) => void session.set({ token: "t1", other: 1 });
const token = (session: Session) => session.get("token", undefined);
const pull = (session: Session) => session.pull("token");

/** What a request may do beside its pull. */
const BESIDE: Readonly<Record<string, (session: Session) => unknown>> = {
  "nothing else": () => {},
  "another write": (session) => session.set("other", 2),
  "a new value": (session) => session.set("token", "t2"),
  "the same value again": (session) => session.set("token", "t1"),
  "clear()": (session) => session.clear(),
  "rotate()": (session) => session.rotate(),
  "save()": (session) => session.save(),
  "restart()": (session) => session.restart().set("other", 3),
  "restart() alone": (session) => session.restart(),
  "destroy()": (session) => session.destroy(),
};

/** Runs a request that pulls. Resolves to its value, or the error's code. */
async function pulled(browser: Browser, beside: (session: Session) => unknown): Promise<string> {
  try {
    const { value } = await browser.visit(async (session) => {
      const value = pull(session);
      await beside(session);
      return value;
    });
    return String(value);
  } catch (error) {
    return (error as SessionError).code;
  }
}

testOn(ALL, "pull() returns the value and removes it", async (rig) => {
  const browser = await rig.start(start);
  assertEquals((await browser.visit(pull)).value, "t1");
  const { value } = await browser.visit((session) => [
    session.pull("token", "none"),
    session.keys(),
  ]);
  assertEquals(value, ["none", ["other"]]);
  const error = await assertRejects(() => browser.visit(pull), SessionError);
  assertEquals(error.code, "ERR_SESSION_KEY");
  assertEquals(error.message, 'Cannot pull "token": no such key; the session has other');
});

for (const [how, beside] of Object.entries(BESIDE)) {
  testOn(VERSIONED, `of two pulls with ${how}, the later one conflicts`, async (rig) => {
    const browser = await rig.start(start);
    const value = browser.value;
    const first = rig.browser(value);
    const request = pulled(rig.browser(value), async (session) => {
      assertEquals(await pulled(first, () => {}), "t1");
      await beside(session);
    });
    assertEquals(await request, CONFLICT);
    const isOver = /destroy|restart/.test(how);
    const left = await first.visit((session) => [session.keys(), session.absence]);
    assertEquals(left.value, isOver ? [[], "unknown"] : [["other"], undefined]);
  });
}

for (const [how, beside] of Object.entries(BESIDE)) {
  // The next request then finds what the first has put back.
  if (how === "the same value again") continue;
  testOn(VERSIONED, `of many simultaneous pulls with ${how}, one is saved`, async (rig) => {
    const browser = await rig.start(start);
    let waiting = 6;
    let go = () => {};
    const all = new Promise<void>((resolve) => go = resolve);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () =>
        pulled(rig.browser(browser.value), async (session) => {
          if (--waiting === 0) go();
          await all;
          await beside(session);
        })),
    );
    const codes = answers.filter((one) => one !== "t1");
    assertEquals(codes.length, 5, answers.join());
    assertEquals(
      codes.every((code) => code === CONFLICT || code === "ERR_SESSION_INTERRUPTED"),
      true,
      answers.join(),
    );
  });
}

testOn(VERSIONED, "a pull of a value that another request has replaced conflicts", async (rig) => {
  const browser = await rig.start(start);
  const request = browser.visit(async (session) => {
    pull(session);
    await browser.visit((other) => other.set("token", "t2"));
  });
  assertEquals(await refused(request), CONFLICT);
  assertEquals((await browser.visit(token)).value, "t2");
});

testOn(VERSIONED, "a pull merges with writes of other keys", async (rig) => {
  const browser = await rig.start(start);
  const { value } = await browser.visit(async (session) => {
    await browser.visit((other) => other.set("other", 2));
    return pull(session);
  });
  assertEquals(value, "t1");
  const { value: left } = await browser.visit((session) => session.slice("token", "other"));
  assertEquals(left, { other: 2 });
});

testOn(VERSIONED, "a pull that fails to save leaves the value", async (rig) => {
  const browser = await rig.start(start);
  await assertRejects(() =>
    browser.visit((session) => {
      pull(session);
      throw new Error("the provider failed");
    })
  );
  assertEquals((await browser.visit(token)).value, "t1");
});

testOn(ALL, "a pull with a fallback writes nothing if there is no value", async (rig) => {
  const browser = await rig.start(start);
  rig.calls.length = 0;
  const { cookies } = await browser.visit((session) => session.pull("none", 1));
  assertEquals([cookies, rig.calls.filter((call) => call !== "read")], [[], []]);
});

testOn(ALL, "a value that the request itself has written is its own", async (rig) => {
  const browser = rig.browser();
  const { value } = await browser.visit((session) => session.set("token", "t1").pull("token"));
  assertEquals([value, browser.hasCookie], ["t1", false]);
});

Deno.test("a logout that conflicts still ends the session and clears the cookie", async () => {
  using rig = await rigOn((now) => {
    const inner = new MemoryStore({ now });
    return { store: slow(inner), records: () => inner.size };
  });
  const { value } = await rig.start(start);
  const request = new Request("http://localhost/", {
    headers: { cookie: `pagi_session=${value}` },
  });
  const handler = rig.sessions.handler(async (_request, session) => {
    pull(session);
    await rig.browser(value).visit(pull);
    session.destroy();
    return new Response();
  });
  const response = await handler(request);
  assertEquals(response.status, 503);
  assertEquals(/pagi_session=;.*Max-Age=0/.test(response.headers.get("set-cookie")!), true);
  assertEquals(await rig.load(value), undefined);
});

testOn(
  ALL,
  "getOrInsert() returns what is saved, and writes nothing if the key exists",
  async (rig) => {
    const browser = await rig.start(start);
    const insert = (session: Session) =>
      (session.getOrInsert("cart", []) as string[]).push("apple");
    await browser.visit(insert);
    await browser.visit(insert);
    rig.calls.length = 0;
    const { value, cookies } = await browser.visit((session) => session.getOrInsert("cart", []));
    assertEquals([value, cookies], [["apple", "apple"], []]);
    assertEquals(rig.calls.filter((call) => call !== "read"), []);
  },
);

Deno.test("pull() and getOrInsert() refuse reserved keys, and a missing value", async () => {
  const sessions = new SessionMiddleware({ secret: SECRET });
  await sessions.run(new Request("http://localhost/"), (session) => {
    for (const key of ["_id", "_flash"]) {
      assertThrows(() => session.pull(key), TypeError, "reserved");
      assertThrows(() => session.getOrInsert(key, 1), TypeError, "reserved");
    }
    assertThrows(() => session.pull(7 as never), TypeError, "a key must be a string");
    const insert = session.getOrInsert.bind(session) as (key: string) => unknown;
    assertThrows(() => insert("cart"), TypeError, "no value to insert");
    return new Response();
  });
});
