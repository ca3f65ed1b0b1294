import { assertEquals } from "@std/assert";
import { CookieStore, type SessionError, SessionMiddleware } from "@pagi/session";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";

const secret = "at least 32 bytes that nobody else knows";
const LIMIT = 4096;

/** Creates an app that stores a text of the given length in the client's cookie. */
function createApp() {
  const options = { cookieName: "sid", cookieOptions: { secure: true } } as const;
  const sessions = new SessionMiddleware<{ text: string }>({
    secret,
    store: new CookieStore({ secret }),
    ...options,
  });
  return sessions.handler((request, session) => {
    const { pathname, searchParams } = new URL(request.url);
    const length = searchParams.get("length");
    if (length !== null) session.set("text", "x".repeat(Number(length)));
    if (pathname === "/sign-out") session.destroy();
    return new Response(String(session.get("text", "").length));
  });
}

/** Returns the length of the longest text that the app accepts. */
async function longestAccepted(handler: (request: Request) => Promise<Response>): Promise<number> {
  for (let length = LIMIT; length > 0; length--) {
    const request = new Request(`http://localhost/?length=${length}`);
    const { ok } = await handler(request).catch((error) => {
      assertEquals((error as SessionError).code, "ERR_SESSION_TOO_LARGE");
      return new Response(null, { status: 500 });
    });
    if (ok) return length;
  }
  throw new Error("The app accepts no text at all");
}

browserTest(
  "the browser keeps the largest session that CookieStore accepts; a larger one changes nothing",
  async () => {
    const handler = createApp();
    await using at = await Place.open(
      (request) =>
        handler(request).catch((error) =>
          new Response((error as SessionError).code, { status: 500 })
        ),
      { scheme: "https" },
    );
    const { browser, shop, tab } = at;
    const length = await longestAccepted(handler);
    const text = async (path: string) => await (await tab.goto(shop + path))!.text();

    await text(`/?length=${length}`);
    const [cookie] = await browser.jar();
    const size = cookie!.name.length + cookie!.value.length;
    // Base64 grows in steps of four characters, and the encrypted data in blocks.
    assertEquals([size <= LIMIT, size > LIMIT - 64], [true, true], `${size} bytes`);
    assertEquals(await text("/"), String(length));

    assertEquals(await text(`/?length=${length + 1}`), "ERR_SESSION_TOO_LARGE");
    assertEquals(await text("/"), String(length));
    await text("/sign-out");
    assertEquals(await browser.jar(), []);
  },
);

browserTest(
  "Chromium keeps a cookie of 4096 bytes for name and value, and drops a longer one",
  async () => {
    let cookie = "";
    await using at = await Place.open(() =>
      new Response("ok", { headers: { "set-cookie": cookie } })
    );
    const { browser, shop, tab } = at;
    const sizes = async (...values: number[]) => {
      for (const size of values) {
        cookie = `sid=${"x".repeat(size - "sid".length)}; Path=/; HttpOnly; SameSite=Lax`;
        await tab.goto(shop);
      }
      return (await browser.jar()).map(({ name, value }) => name.length + value.length);
    };
    assertEquals(await sizes(LIMIT), [LIMIT]);
    // The old cookie stays.
    assertEquals(await sizes(10, LIMIT + 1), [10]);
  },
);
