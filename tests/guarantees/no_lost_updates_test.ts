/** Requests that overlap keep each other's changes, or fail. */
import { assertEquals, assertRejects } from "@std/assert";
import { type Session, SessionError } from "@pagi/session";
import { keyOf } from "../_kit/helpers.ts";
import { setUp, type Work } from "../_kit/tabs.ts";

Deno.test("two requests keep both changes when they write different keys", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("a", 2).set("new", true));
    session.set("b", 2);
  });
  assertEquals(await stored(), { n: 0, a: 2, b: 2, new: true });
});

Deno.test("update() counts both when two requests count at the same time", async () => {
  const { tab, stored } = await setUp();
  const count = (session: Session) => session.update("n", (n) => Number(n) + 1);
  await tab(async (session) => {
    await tab((other) => count(count(other)));
    count(session);
  });
  assertEquals((await stored()).n, 3);
});

Deno.test("regenerate() keeps the changes that other requests made in the meantime", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab(async (session) => {
    await tab((other) => other.set("b", 2));
    session.set("user", "ada").regenerate();
  });
  assertEquals(await stored(id), { n: 0, a: 1, b: 2, user: "ada" });
});

Deno.test("update() applies all of 200 concurrent updates when the store is slow", async () => {
  const { store, sessions, stored, id } = await setUp();
  for (const name of ["read", "replace"] as const) {
    const method = store[name].bind(store) as (...args: unknown[]) => unknown;
    const slow = async (...args: unknown[]) => {
      await undefined;
      return method(...args);
    };
    Object.assign(store, { [name]: slow });
  }
  const count = () => sessions.update(id, (data) => data.n = Number(data.n) + 1);
  await Promise.all(Array.from({ length: 200 }, count));
  assertEquals((await stored()).n, 200);
});

Deno.test("a write fails with a conflict when other requests always write first", async () => {
  const { sessions, store, tab, stored, id } = await setUp();
  const replace = store.replace.bind(store);
  let tries = 0;
  store.replace = (key, text, options) => {
    if (key === keyOf(id)) {
      tries++;
      const other = store.read(key)!;
      replace(key, other.text, { ...options, version: other.version });
    }
    return replace(key, text, options);
  };
  const conflict = async (work: Work) => {
    tries = 0;
    const { code, message } = await assertRejects(() => tab(work), SessionError);
    assertEquals([code, message, store.size], [
      "ERR_SESSION_CONFLICT",
      "Cannot save the session: others came first 32 times",
      1,
    ]);
    return tries;
  };
  assertEquals(await conflict((session) => session.set("a", 2)), 33);
  assertEquals(await conflict((session) => session.regenerate()), 33);
  assertEquals(await conflict((session) => session.set("a", 2).rotate()), 33);
  store.replace = replace;
  await sessions.update(id, (data) => data.a = 3);
  assertEquals((await stored()).a, 3);
});
