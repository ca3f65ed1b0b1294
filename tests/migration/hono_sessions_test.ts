import { assertEquals } from "@std/assert";
import { LegacyCookie } from "@pagi/session/migrate";
import { Hono } from "npm:hono@4.13.19";
import { decrypt, MemoryStore, type Session, sessionMiddleware } from "npm:hono-sessions@0.8.1";
import { send } from "./_browser.ts";
import { newApp } from "./_new_app.ts";
import { goOn, SIGNED_IN, signIn } from "./_story.ts";

const KEY = "the old key, of at least 32 characters";

type OldData = { _data: Record<string, { value: unknown }> };

for (const encryptionKey of [undefined, KEY]) {
  const how = encryptionKey === undefined ? "an open id" : "a sealed id";
  Deno.test(`hono-sessions with its MemoryStore and ${how}: signed in, and out in both`, async () => {
    const store = new MemoryStore();
    const old = new Hono<{ Variables: { session: Session } }>();
    old.use(sessionMiddleware({
      store,
      encryptionKey,
      expireAfterSeconds: 3600,
      cookieOptions: { path: "/" },
    }));
    old.post("/login", (c) => {
      for (const [key, value] of Object.entries(SIGNED_IN)) c.get("session").set(key, value);
      return c.json({});
    });
    old.get("/", (c) => {
      const get = (key: string) => c.get("session").get(key) ?? undefined;
      return c.json({ user: get("user"), cart: get("cart") });
    });
    const decode = async (value: string) => String(await decrypt(KEY, value));
    const app = newApp(
      new LegacyCookie({ cookieName: "session", decode: encryptionKey ? decode : undefined }),
      {
        legacy: {
          get: (sid) => store.getSessionById(sid),
          destroy: (sid) => store.deleteSession(sid),
        },
        map: ({ _data }) =>
          Object.fromEntries(
            Object.entries(_data as OldData["_data"]).map(([key, { value }]) => [key, value]),
          ),
      },
    );
    const browser = await signIn(old.fetch);
    const dead = await goOn(browser, app, { oldCookie: "session" });
    assertEquals((await send(old.fetch, "/", dead[0]!)).data, {});
    // Every visitor there has a session: what holds nothing is not moved.
    const { setCookies } = await send(old.fetch, "/", "");
    const visitor = await send(app, "/", setCookies[0]!.split(";")[0]!);
    assertEquals([visitor.data, visitor.setCookies], [{}, []]);
  });
}
