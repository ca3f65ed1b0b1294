/** Of several regenerations at the same time, one wins: a session has one valid ID. */
import { assertEquals } from "@std/assert";
import { MemoryStore, type ReplaceOptions, SessionMiddleware } from "@pagi/session";
import { Client } from "../_kit/client.ts";
import { keyOf } from "../_kit/helpers.ts";
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
  assertEquals([store.size, (await store.get(id))?.a], [1, 1]);
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
  assertEquals(store.read(keyOf(rotating.id!))?.lastAccess, clock.seconds);
});

Deno.test("regenerate() is interrupted and writes nothing when the session ends in the meantime", async () => {
  const { store, sessions, tab, id } = await setUp();
  const { replace } = MemoryStore.prototype;
  store.replace = (key, text, options) => {
    // Another request ends the session first.
    store.replace = replace;
    store.delete(key, options);
    return replace.call(store, key, text, options);
  };
  assertEquals(await refused(tab((session) => session.regenerate())), "ERR_SESSION_INTERRUPTED");
  assertEquals([store.size, await refused(sessions.update(id, () => {}))], [
    0,
    "ERR_SESSION_INTERRUPTED",
  ]);
});

/** Loses the answer to each regeneration, after it has taken effect. */
class ForgetfulStore extends MemoryStore {
  override replace(id: string, text: string, options: ReplaceOptions): string | undefined {
    const version = super.replace(id, text, options);
    if (/^[^{]* r1/.test(text)) throw new Error("connection lost");
    return version;
  }
}

Deno.test("no ID is valid that the client does not know when the answer to a regeneration is lost", async () => {
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
  const request = () => new Request("http://localhost/", { headers });
  const lost = await handler(request());
  assertEquals([lost.status, lost.headers.getSetCookie()], [503, []]);
  // The session has an ID that nobody received. It can still be ended by its old one.
  assertEquals([store.size, await sessions.load(request())], [1, undefined]);
  assertEquals([await sessions.destroy(id), store.size], [true, 0]);
});
