/** Of several regenerations at the same time, one wins: a session has one valid ID. */
import { assertEquals } from "@std/assert";
import { MemoryStore, type ReplaceOptions, SessionMiddleware } from "@pagi/session";
import { Client } from "../_kit/client.ts";
import { refused, setUp, setUpClock } from "../_kit/tabs.ts";

Deno.test("a write is interrupted when the session gets a new ID", async () => {
  const { tab, stored } = await setUp();
  let id = "";
  const write = tab(async (session) => {
    ({ id } = await tab((other) => other.set("user", "ada").regenerate()));
    session.set("a", 2);
  });
  assertEquals(await refused(write), "ERR_SESSION_INTERRUPTED");
  assertEquals(await stored(id), { n: 0, a: 1, b: 1, user: "ada" });
});

Deno.test("one ID is valid when two requests regenerate at the same time", async () => {
  const { tab, store } = await setUp();
  let id = "";
  const losing = tab(async (session) => {
    ({ id } = await tab((other) => other.regenerate()));
    session.regenerate();
  });
  assertEquals(await refused(losing), "ERR_SESSION_INTERRUPTED");
  // The tombstone and the winner's record.
  assertEquals([store.size, (await store.get(id))?.a], [2, 1]);
});

Deno.test("regenerate() updates the last access when another request wrote in the meantime", async () => {
  const { clock, app, store, cookie } = await setUpClock();
  clock.seconds += 50;
  const rotating = new Client(
    app(async (session) => {
      await new Client(app((other) => other.set("b", 2)), cookie).request();
      session.regenerate();
    }),
    cookie,
  );
  await rotating.request();
  assertEquals(store.read(rotating.id!)?.lastAccess, clock.seconds);
});

Deno.test("regenerate() is interrupted when its new session ends before it is sent", async () => {
  const { store, sessions, tab, id } = await setUp();
  const { create, replace } = MemoryStore.prototype;
  let fresh = "";
  store.create = (...args) => {
    fresh = args[0];
    return create.apply(store, args);
  };
  let isFirst = true;
  store.replace = (key, text, options) => {
    if (!isFirst) return replace.call(store, key, text, options);
    isFirst = false;
    // Another request writes first, and a third ends the new session, as destroyAll() can.
    const { version, ...other } = store.read(key)!;
    replace.call(store, key, other.text, { ...options, version });
    store.delete(fresh, { ...options, version: store.read(fresh)!.version });
    return undefined;
  };
  assertEquals(await refused(tab((session) => session.regenerate())), "ERR_SESSION_INTERRUPTED");
  assertEquals((await sessions.update(id, () => {})).get("n"), 0);
});

/** Loses the answer to the write of each tombstone, after the write has taken effect. */
class ForgetfulStore extends MemoryStore {
  override replace(id: string, text: string, options: ReplaceOptions): string | undefined {
    const version = super.replace(id, text, options);
    if (text.startsWith("moved:")) throw new Error("connection lost");
    return version;
  }
}

Deno.test("regenerate() keeps the new record when the answer to the tombstone is lost", async () => {
  const store = new ForgetfulStore();
  const secret = "0123456789abcdef0123456789abcdef";
  const sessions = new SessionMiddleware<{ user: string }>({ secret, store });
  const handler = sessions.handler((_request, session) => {
    if (session.exists("user")) session.regenerate();
    else session.set("user", "ada");
    return new Response(session.id);
  });
  const first = await handler(new Request("http://localhost/"));
  const id = await first.text();
  const headers = { cookie: `pagi_session=${id}` };
  assertEquals((await handler(new Request("http://localhost/", { headers }))).status, 503);
  // The session moved on although the request failed. It can still be ended by its old ID.
  assertEquals(store.size, 2);
  await sessions.destroy(id);
  assertEquals(store.size, 1);
});
