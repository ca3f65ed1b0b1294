import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createApp, Gate, visit } from "./_app.ts";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";

/** Opens an app whose gate waits for `waiting` requests, and two tabs whose session has `n: 1`. */
async function setUp(waiting: number) {
  const gate = new Gate(waiting);
  const { handler, store } = createApp({}, gate);
  const place = await Place.open(handler);
  const { browser, shop, tab: one } = place;
  await visit(one, `${shop}/count`);
  return {
    gate,
    store,
    browser,
    shop,
    one,
    other: await browser.tab(),
    cookie: () => place.cookie(),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

browserTest("two tabs that write at the same time lose nothing, and the cookie stays", async () => {
  await using at = await setUp(3);
  const cookie = await at.cookie();
  const third = await at.browser.tab();
  const visits = [
    visit(at.one, `${at.shop}/note?note=one&wait`),
    visit(at.other, `${at.shop}/note?note=other&wait`),
    visit(third, `${at.shop}/count?wait`),
  ];
  await at.gate.full;
  at.gate.open();
  for (const { status } of await Promise.all(visits)) assertEquals(status, 200);
  const { data } = await visit(at.one, `${at.shop}/look`);
  assertEquals(data, { n: 2, one: true, other: true });
  assertEquals(await at.cookie(), cookie);
});

for (const [action, status] of [["count", 409], ["look", 200]] as const) {
  browserTest(
    `a request (${action}) in progress during the sign-out in another tab brings nothing back`,
    async () => {
      await using at = await setUp(1);
      const late = visit(at.one, `${at.shop}/${action}?wait`);
      await at.gate.full;
      await visit(at.other, `${at.shop}/sign-out`);
      assertEquals([await at.cookie(), at.store.size], [undefined, 0]);
      at.gate.open();
      assertEquals((await late).status, status);
      assertEquals([await at.cookie(), at.store.size], [undefined, 0]);
      assertEquals((await visit(at.one, `${at.shop}/look`)).data, {});
    },
  );
}

for (const [action, status] of [["count", 409], ["look", 200]] as const) {
  browserTest(
    `a request (${action}) in progress during the sign-in in another tab does not undo it`,
    async () => {
      await using at = await setUp(1);
      const before = await at.cookie();
      const late = visit(at.one, `${at.shop}/${action}?wait`);
      await at.gate.full;
      await visit(at.other, `${at.shop}/sign-in`);
      const cookie = await at.cookie();
      assert(cookie !== undefined);
      assertNotEquals(cookie, before);
      at.gate.open();
      assertEquals((await late).status, status);
      assertEquals(await at.cookie(), cookie);
      assertEquals((await visit(at.one, `${at.shop}/count`)).data, { n: 2, user: "Ada" });
    },
  );
}

browserTest(
  "a request in progress during the rotation in another tab is saved, and the new ID stays",
  async () => {
    await using at = await setUp(1);
    const before = await at.cookie();
    const late = visit(at.one, `${at.shop}/count?wait`);
    await at.gate.full;
    await visit(at.other, `${at.shop}/rotate`);
    const cookie = await at.cookie();
    assert(cookie !== undefined);
    assertNotEquals(cookie, before);
    at.gate.open();
    assertEquals(await late, { status: 200, data: { n: 2 } });
    assertEquals(await at.cookie(), cookie);
    assertEquals((await visit(at.one, `${at.shop}/count`)).data, { n: 3 });
    assertEquals(at.store.size, 1);
  },
);

browserTest(
  "two first visits at the same time: the browser keeps one of the two sessions",
  async () => {
    const gate = new Gate(2);
    const { handler, store } = createApp({}, gate);
    await using at = await Place.open(handler);
    const { browser, shop, tab: one } = at;
    const other = await browser.tab();
    const visits = [
      visit(one, `${shop}/count?wait`),
      visit(other, `${shop}/note?note=other&wait`),
    ];
    await gate.full;
    gate.open();
    await Promise.all(visits);
    assertEquals([(await browser.jar()).length, store.size], [1, 2]);
    const { data } = await visit(one, `${shop}/look`);
    assert(data.n === 1 || "other" in data);
  },
);
