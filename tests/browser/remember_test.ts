/** Lifetimes of single sessions and sessions in several cookies, as Chromium keeps them. */
import { assert, assertEquals } from "@std/assert";
import {
  CookieState,
  CookieStore,
  MemoryStore,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";

const secret = "at least 32 bytes that nobody else knows";
const MONTH = 30 * 86_400;

/** Creates an app with two sessions in one browser, one of which is remembered. */
function createApp(store: () => SessionOptions["store"]) {
  const make = (key: string) => new SessionMiddleware({ secret, store: store(), key });
  const [long, short] = [make("long"), make("short")];
  return (request: Request) =>
    long.run(request, (remembered) =>
      short.run(request, (other) => {
        if (new URL(request.url).pathname === "/sign-in") {
          for (const session of [remembered, other]) session.subject = "ada";
          remembered.lifetime = { idle: MONTH, persistent: true };
          other.lifetime = { persistent: false };
        }
        return Response.json([remembered.subject ?? null, other.subject ?? null]);
      }));
}

const STORES = {
  MemoryStore: () => new MemoryStore(),
  CookieStore: () => new CookieStore({ secret }),
};

for (const [name, store] of Object.entries(STORES)) {
  browserTest(
    `${name}: a restart of the browser keeps the remembered session, not the other`,
    async () => {
      await using at = await Place.open(createApp(store));
      const { browser, shop, tab } = at;
      assertEquals(await (await tab.goto(`${shop}/sign-in`))!.json(), ["ada", "ada"]);
      const jar = await browser.jar();
      const left = jar.find(({ name }) => name === "pagi_session_long")!.expires -
        Date.now() / 1000;
      assert(left > MONTH - 600 && left <= MONTH, `${left}`);
      await browser.restart();
      assertEquals(await (await (await browser.tab()).goto(shop))!.json(), ["ada", null]);
    },
  );
}

browserTest(
  "a session grows and shrinks over several cookies, and a logout clears all",
  async () => {
    const sessions = new SessionMiddleware<{ text: string }>({
      secret,
      store: new CookieStore({ secret }),
      state: new CookieState({ cookieName: "sid", chunks: 4 }),
    });
    const handler = sessions.handler((request, session) => {
      const { pathname, searchParams } = new URL(request.url);
      const length = searchParams.get("length");
      if (length !== null) session.set("text", "x".repeat(Number(length)));
      if (pathname === "/sign-out") session.destroy();
      return new Response(String(session.get("text", "").length));
    });
    await using at = await Place.open(handler);
    const { browser, shop, tab } = at;
    const text = async (path: string) => await (await tab.goto(shop + path))!.text();
    for (const [length, names] of [[100, "sid"], [5000, "sid sid.1"], [100, "sid"]] as const) {
      await text(`/?length=${length}`);
      assertEquals((await browser.jar()).map(({ name }) => name).sort().join(" "), names);
      assertEquals(await text("/"), String(length));
    }
    await text("/?length=5000");
    await browser.restart();
    assertEquals(await (await (await browser.tab()).goto(shop))!.text(), "5000");
    await (await browser.tab()).goto(`${shop}/sign-out`);
    assertEquals(await browser.jar(), []);
  },
);
