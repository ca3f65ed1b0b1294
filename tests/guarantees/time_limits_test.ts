/** A session ends after `expire` without use, and after `absoluteExpire` in any case. */
import { assertEquals, assertFalse, assertMatch } from "@std/assert";
import { Session } from "@pagi/session";
import { Client } from "../_kit/client.ts";
import { set, setUp } from "../_kit/pagi_app.ts";

Deno.test("wrap() never adopts an ID that the server did not issue", async () => {
  const { app, store } = setUp();
  const invented = "ab".repeat(32);
  const client = new Client(app(set("a", 1)), `pagi_session=${invented}`);
  await client.request();
  assertMatch(client.id!, /^[0-9a-f]{64}$/);
  assertEquals([client.id === invented, await store.get(invented)], [false, undefined]);
});

Deno.test("wrap() saves every change: raw, nested and through the accessor", async () => {
  const { app, store } = setUp();
  const client = new Client(app((scope) => {
    const session = new Session(scope);
    const step = session.get("step", 0) as number;
    if (step === 0) session.set({ step: 1, cart: { apples: 1 } });
    if (step === 1) (session.get("cart") as { apples: number }).apples++;
    if (step === 1) scope["pagi.session"].step = 2;
  }));
  await client.request();
  await client.request();
  await client.request();
  const { step, cart } = (await store.get(client.id!))!;
  assertEquals([step, cart], [2, { apples: 2 }]);
});

Deno.test("wrap() counts every write as a use of the session", async () => {
  const { app, clock, store } = setUp();
  let n = 0;
  const client = new Client(app((scope) => void (scope["pagi.session"].n = ++n)));
  for (const seconds of [0, 1, 59, 60, 3600]) {
    clock.seconds += seconds;
    await client.request();
    assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
  }
});

Deno.test("wrap() sends the cookie of a changed session to a navigation when a touch would be due, not before", async () => {
  const { app, clock } = setUp();
  let n = 0;
  const client = new Client(app((scope) => void (scope["pagi.session"].n = ++n)));
  assertEquals((await client.request()).cookies.length, 1);
  clock.seconds += 59;
  assertEquals((await client.navigate()).cookies, []);
  clock.seconds += 60;
  assertEquals((await client.request()).cookies, []);
  clock.seconds += 60;
  assertMatch((await client.navigate()).cookies[0]!, /Max-Age=3600$/);
});

Deno.test("wrap() touches when the touch is due at the end of a long request", async () => {
  const { app, clock, store } = setUp();
  const client = new Client(app(set("a", 1)));
  await client.request();
  const noted = clock.seconds;
  const slow = app(() => void (clock.seconds += 30));
  const lastAccess = async () => (await store.get(client.id!))?._last_access;
  clock.seconds += 29;
  assertEquals((await new Client(slow, client.cookie).navigate()).cookies, []);
  assertEquals(await lastAccess(), noted);
  // With the time of the touch.
  assertEquals((await new Client(slow, client.cookie).navigate()).cookies.length, 1);
  assertEquals(await lastAccess(), noted + 89);
});

Deno.test("wrap() never moves the last access back", async () => {
  const { app, clock, store } = setUp({ expire: 60 });
  const client = new Client(app(set("a", 1)));
  await client.request();
  const reader = new Client(app(() => {}), client.cookie);
  const slow = app(async (scope) => {
    clock.seconds += 50;
    await reader.request();
    scope["pagi.session"].a = 2;
  });
  await new Client(slow, client.cookie).request();
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
});

Deno.test("wrap() saves nothing when only the order of keys differs", async () => {
  const { app } = setUp();
  const client = new Client(app(({ "pagi.session": data }) => {
    delete data.a;
    Object.assign(data, { b: { d: 2, c: 1 } });
    data.a = 1;
  }));
  await client.request();
  assertEquals((await client.request()).cookies, []);
});

Deno.test("wrap() expires a session that was idle for more than expire and touchInterval, and not before", async () => {
  const { app, clock } = setUp({ expire: 100, touchInterval: 1000 });
  const client = new Client(app((scope) => new Session(scope).set("a", 1)));
  await client.request();
  const first = client.id;
  // The interval is reduced to a twentieth of expire.
  for (const seconds of [100, 105]) {
    clock.seconds += seconds;
    await client.request();
    assertEquals(client.id, first);
  }
  clock.seconds += 106;
  await client.request();
  assertFalse(client.id === first);
});

Deno.test("wrap() ends a session after absoluteExpire when it is used all the time", async () => {
  const { app, clock } = setUp({ expire: 100, absoluteExpire: 150 });
  const client = new Client(app((scope) => {
    const session = new Session(scope);
    session.set("n", session.get("n", 0) as number + 1);
  }));
  await client.request();
  const first = client.id;
  clock.seconds += 90;
  const { cookies } = await client.request();
  assertMatch(cookies[0]!, /Max-Age=60$/);
  assertEquals(client.id, first);
  clock.seconds += 61;
  await client.request();
  assertFalse(client.id === first);
});

Deno.test("wrap() sends no Max-Age beyond absoluteExpire when the request takes long", async () => {
  const { app, clock } = setUp({ expire: 100, absoluteExpire: 150 });
  const client = new Client(app(set("a", 1)));
  await client.request();
  for (const seconds of [90, 60]) {
    clock.seconds += seconds;
    const { cookies } = await new Client(app(set("n", seconds)), client.cookie).request();
    assertMatch(cookies[0]!, seconds === 90 ? /Max-Age=60$/ : /Max-Age=0$/);
  }
});

Deno.test("wrap() ends a session after absoluteExpire when it gets new IDs", async () => {
  const { app, clock } = setUp({ expire: 100, absoluteExpire: 150 });
  const client = new Client(app((scope) => new Session(scope).set("n", 1).regenerate()));
  await client.request();
  const look = async () => {
    let n: unknown;
    await new Client(app((scope) => n = scope["pagi.session"].n), client.cookie).request();
    return n;
  };
  for (const seconds of [75, 70]) {
    clock.seconds += seconds;
    await client.request();
    assertEquals(await look(), 1);
  }
  clock.seconds += 6;
  assertEquals(await look(), undefined);
});

Deno.test("wrap() touches once an interval, and then sends the cookie to a navigation again", async () => {
  const { app, clock, store } = setUp({ expire: 3600 });
  const client = new Client(app(set("a", 1)));
  await client.request();
  const reader = new Client(app(() => {}), client.cookie);
  const lastAccess = async () => (await store.get(client.id!))?._last_access;
  clock.seconds += 59;
  assertEquals((await reader.navigate()).cookies, []);
  assertEquals(await lastAccess(), clock.seconds - 59);
  clock.seconds += 1;
  assertEquals((await reader.navigate()).cookies.length, 1);
  assertEquals(await lastAccess(), clock.seconds);
  assertEquals((await reader.navigate()).cookies, []);
  clock.seconds += 60;
  assertEquals((await reader.request()).cookies, []);
  assertEquals(await lastAccess(), clock.seconds);
});

Deno.test("wrap() touches without a cookie when rolling is off", async () => {
  const { app, clock, store } = setUp({ rolling: false });
  const client = new Client(app(set("a", 1)));
  await client.request();
  clock.seconds += 60;
  assertEquals((await client.navigate()).cookies, []);
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
});

Deno.test("wrap() caps touchInterval at a twentieth of expire", async () => {
  const { app, clock, store } = setUp({ expire: 100, touchInterval: 60 });
  const client = new Client(app(set("a", 1)));
  await client.request();
  clock.seconds += 5;
  await client.request();
  assertEquals((await store.get(client.id!))?._last_access, clock.seconds);
});
