/** A session that ended or got a new ID does not come back, whatever other requests do. */
import { assertEquals } from "@std/assert";
import { Client } from "../_kit/client.ts";
import { refused, setUp, setUpClock } from "../_kit/tabs.ts";

Deno.test("a request that only reads continues and sends no cookie when its session ends", async () => {
  const { tab, store } = await setUp();
  const { cookies, events } = await tab(async () => void await tab((other) => other.destroy()));
  assertEquals([cookies, events.length, store.size], [[], 2, 0]);
});

Deno.test("a write is interrupted when the session ends", async () => {
  const { tab, store } = await setUp();
  const write = tab(async (session) => {
    await tab((other) => other.destroy());
    session.set("a", 2);
  });
  assertEquals([await refused(write), store.size], ["ERR_SESSION_INTERRUPTED", 0]);
});

Deno.test("destroy() ends the session when another request gave it a new ID", async () => {
  const { tab, stored } = await setUp();
  let id = "";
  await tab(async (session) => {
    ({ id } = await tab((other) => other.set("user", "ada").regenerate()));
    session.destroy();
  });
  assertEquals(await stored(id), {});
});

Deno.test("destroy() ends the session when another request wrote to it", async () => {
  const { tab, store } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("b", 2));
    session.destroy();
  });
  assertEquals(store.size, 0);
});

Deno.test("destroy() ends the session when it comes minutes after a regeneration", async () => {
  const { clock, sessions, app, cookie } = await setUpClock();
  const rotating = new Client(app((session) => session.set("user", "ada").regenerate()), cookie);
  const slow = new Client(
    app(async (session) => {
      await rotating.request();
      clock.seconds += 600;
      session.destroy();
    }),
    cookie,
  );
  await slow.request();
  const request = new Request("http://localhost/", { headers: { cookie: rotating.cookie! } });
  assertEquals(await sessions.load(request), undefined);
});
