/** A flash message is shown once, whatever other requests do in the meantime. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Session, SessionMiddleware } from "@pagi/session";
import { type Browser, FORM, PAGE, POLL } from "../_kit/browser.ts";
import { SECRET } from "../_kit/helpers.ts";
import { ALL, PlainMap, rigOn, testOn, VERSIONED } from "../_kit/stores.ts";
import { refused } from "../_kit/tabs.ts";

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const take = (session: Session) => session.takeFlash("info");
const add = (text: string) => (session: Session) => void session.flash("info", text);
const shown = async (browser: Browser) => (await browser.visit(take, PAGE)).value;

testOn(
  ALL,
  "a message survives a redirect, favicons and polling, and is shown once",
  async (rig) => {
    const browser = await rig.start(fill);
    await browser.visit(add("Saved"), FORM);
    for (let requests = 0; requests < 3; requests++) {
      await browser.visit(() => {}, POLL);
      await browser.visit(read, POLL);
      await browser.visit((session) => void session.set("n", requests), POLL);
      rig.clock.advance(70);
    }
    assertEquals(await shown(browser), ["Saved"]);
    assertEquals(await shown(browser), []);
    assertEquals((await browser.visit(read)).value, ["apple"]);
  },
);

testOn(
  ALL,
  "a message makes a new session, and its kind and text are kept as they are",
  async (rig) => {
    const text = '100 % safe? { "a": 1 } a+b = c:d\n日本語 🍏 \u0000\'!*()';
    const browser = await rig.start((session) => {
      session.flash("a b:c", text).flash("info", "1").flash("warn", "2").flash("info", "3");
    });
    assert(browser.hasCookie);
    const { value } = await browser.visit((session) => [
      session.keys(),
      Object.keys(session.data).filter((key) => key.includes("flash")),
      session.takeFlash("a b:c"),
      session.takeFlash("a b"),
      session.takeFlash("info"),
      session.takeFlash("warn"),
      session.takeFlash("info"),
    ]);
    assertEquals(value, [[], [], [text], [], ["1", "3"], ["2"], []]);
  },
);

testOn(ALL, "a request that finds no message writes nothing", async (rig) => {
  const browser = await rig.start(fill);
  await browser.visit(add("Saved"));
  rig.calls.length = 0;
  const { cookies, value } = await browser.visit((session) => session.takeFlash("other"));
  assertEquals([cookies, value], [[], []]);
  assertEquals(rig.calls.filter((call) => call !== "read"), []);
});

testOn(VERSIONED, "two requests that add messages at the same time keep both", async (rig) => {
  const browser = await rig.start(fill);
  await browser.visit(async (session) => {
    await browser.visit(add("first"));
    await browser.visit((other) => void other.set("n", 1));
    session.flash("info", "second");
  });
  assertEquals(await shown(browser), ["first", "second"]);
});

testOn(
  VERSIONED,
  "a message that is added while others are taken stays, equal or not",
  async (rig) => {
    const browser = await rig.start(add("Saved"));
    await browser.visit(async (session) => {
      await browser.visit(add("Saved"));
      assertEquals(take(session), ["Saved"]);
    });
    assertEquals(await shown(browser), ["Saved"]);
    assertEquals(await shown(browser), []);
  },
);

testOn(VERSIONED, "a slow write does not bring a message back that was shown", async (rig) => {
  const browser = await rig.start(add("Saved"));
  await browser.visit(async (session) => {
    session.set("n", 1).flash("info", "slow");
    assertEquals(await shown(browser), ["Saved"]);
  });
  assertEquals(await shown(browser), ["slow"]);
});

testOn(
  VERSIONED,
  "of two simultaneous readers both may show a message, and none after them",
  async (rig) => {
    const browser = await rig.start(add("Saved"));
    const { value } = await browser.visit(async (session) => {
      assertEquals(await shown(browser), ["Saved"]);
      return take(session);
    });
    assertEquals([value, await shown(browser)], [["Saved"], []]);
  },
);

testOn(ALL, "a message stays if the request that took it fails", async (rig) => {
  const browser = await rig.start(add("Saved"));
  await assertRejects(() =>
    browser.visit((session) => {
      take(session);
      throw new Error("the template failed");
    })
  );
  assertEquals(await shown(browser), ["Saved"]);
});

for (const verb of ["regenerate", "rotate"] as const) {
  testOn(ALL, `${verb}() keeps the messages`, async (rig) => {
    const browser = await rig.start(add("before"));
    await browser.visit((session) => void session[verb]().flash("info", "with"));
    assertEquals(await shown(browser), ["before", "with"]);
  });
}

testOn(ALL, "a sign-in and a sign-out keep the messages of their requests", async (rig) => {
  const browser = await rig.start(add("Please sign in"));
  await browser.visit((session) => {
    session.flash("info", "Welcome");
    session.subject = "ada";
  });
  assertEquals(await shown(browser), ["Please sign in", "Welcome"]);
  await browser.visit((session) => void session.restart().flash("info", "Goodbye"));
  assertEquals(await shown(browser), ["Goodbye"]);
});

testOn(ALL, "clear(), restart() and destroy() remove the messages before them", async (rig) => {
  for (const verb of ["clear", "restart", "destroy"] as const) {
    const browser = await rig.start((session) => void fill(session).flash("info", "old"));
    const { value } = await browser.visit((session) => {
      session.flash("info", "older")[verb]();
      return verb === "destroy" ? [] : take(session);
    });
    assertEquals([value, await shown(browser)], [[], []], verb);
  }
});

testOn(
  VERSIONED,
  "clear() also removes the messages that others add in the meantime",
  async (rig) => {
    const browser = await rig.start(fill);
    await browser.visit(async (session) => {
      await browser.visit(add("old"));
      session.clear().flash("info", "Signed out");
    });
    assertEquals(await shown(browser), ["Signed out"]);
  },
);

testOn(ALL, "a session keeps the last 16 messages", async (rig) => {
  const browser = await rig.start(add("0"));
  for (let count = 1; count <= 17; count++) await browser.visit(add(`${count}`));
  assertEquals(await shown(browser), Array.from({ length: 16 }, (_, at) => `${at + 2}`));
});

testOn(ALL, "a message that is taken in the request that adds it is not kept", async (rig) => {
  const browser = await rig.start(fill);
  const { value } = await browser.visit((session) => take(session.flash("info", "now")));
  assertEquals([value, await shown(browser)], [["now"], []]);
  const stranger = rig.browser();
  await stranger.visit((session) => take(session.flash("info", "now")));
  assert(!stranger.hasCookie);
});

testOn(
  VERSIONED,
  "takeFlash() finds nothing under a replaced ID, and flash() is refused",
  async (rig) => {
    const browser = await rig.start(add("Saved"));
    const old = rig.browser(browser.value);
    await browser.visit((session) => session.regenerate());
    assertEquals((await old.visit(take)).value, []);
    assertEquals(await refused(old.visit(add("no"))), "ERR_SESSION_INTERRUPTED");
  },
);

testOn(ALL, "messages are for the handlers of requests: others are told so", async (rig) => {
  const browser = await rig.start(add("Saved"));
  const { value: late } = await browser.visit((session) => session);
  const headers = { cookie: `pagi_session=${browser.value}` };
  const loaded = await rig.sessions.load(new Request("http://localhost/", { headers }));
  for (const [session, code] of [[late, "COMMITTED"], [loaded!, "READ_ONLY"]] as const) {
    for (const call of [take, add("no")]) {
      const error = await assertRejects(async () => await call(session));
      assertEquals((error as { code?: string }).code, `ERR_SESSION_${code}`);
    }
  }
});

Deno.test("a plain store of another program keeps the messages, and anything else is left out", async () => {
  const store = new PlainMap();
  using rig = await rigOn(() => ({ store, records: () => store.hashes.size }));
  const browser = await rig.start(add("Saved"));
  const hash = store.hashes.get(browser.value!)!;
  store.hashes.set(browser.value!, {
    ...JSON.parse(JSON.stringify(hash)),
    _flash: [...hash._flash as string[], "x y", 7, null],
  });
  assertEquals(await shown(browser), ["Saved"]);
  assertEquals("_flash" in store.hashes.get(browser.value!)!, false);
});

Deno.test("flash() refuses everything except texts, and names the mistake", async () => {
  const sessions = new SessionMiddleware({ secret: SECRET });
  await sessions.run(new Request("http://localhost/"), async (session) => {
    const calls: [() => unknown, string][] = [
      [
        () => (session.flash as (kind: string) => unknown)("info"),
        "message must be a text; it is undefined",
      ],
      [() => session.flash("info", ""), "message must be a text; it is empty"],
      [() => session.flash(7 as never, "a"), "kind must be a text; it is 7"],
      [() => (session.takeFlash as () => unknown)(), "kind must be a text; it is undefined"],
    ];
    for (const [call, message] of calls) {
      await assertRejects(async () => await call(), TypeError, message);
    }
    await assertRejects(
      async () => await session.flash("info", "x".repeat(1001)),
      RangeError,
      "more than 1000",
    );
    session.flash("info", "x".repeat(1000)).flash("cut", "🍏"[0]!);
    assertEquals(session.takeFlash("cut"), ["\ufffd"]);
    return new Response();
  });
});
