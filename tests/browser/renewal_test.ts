import { assertEquals } from "@std/assert";
import { createApp, visit } from "./_app.ts";
import { browserTest, type Page } from "./_chromium.ts";
import { Place } from "./_place.ts";
import { page } from "./_site.ts";

const MINUTE = 60;
const HOUR = 3600;

/** Opens an app on a clock that the test advances. A tab has a session there. */
async function setUp(scheme: "http" | "https") {
  let ms = Date.now();
  const { handler } = createApp({ now: () => ms });
  let cookies = 0;
  const place = await Place.open(async (request) => {
    const response = await handler(request);
    if (response.headers.has("set-cookie")) cookies++;
    return response;
  }, { scheme });
  const { shop, tab } = place;
  await visit(tab, `${shop}/count`);
  return {
    shop,
    tab,
    /** Sends requests after some seconds, and returns the number of cookies in the responses. */
    async after(seconds: number, send: () => Promise<unknown>): Promise<number> {
      ms += seconds * 1000;
      const before = cookies;
      await send();
      return cookies - before;
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

/** Opens a page that makes the browser send another request, and waits for the response. */
async function show(tab: Page, shop: string, content: string): Promise<void> {
  const answered = tab.waitForResponse((response) => response.url().includes("/look"));
  await tab.goto(shop + page(content));
  await answered;
}

for (const scheme of ["http", "https"] as const) {
  browserTest(
    `opening a page over ${scheme} renews the cookie once a minute, and other requests do not`,
    async () => {
      await using at = await setUp(scheme);
      const { shop, tab } = at;
      const open = () => visit(tab, `${shop}/look`);
      const fetched = () => tab.evaluate(`fetch("/count").then((response) => response.text())`);
      assertEquals(await at.after(MINUTE, open), 1);
      assertEquals(await at.after(MINUTE - 1, open), 0);
      assertEquals(await at.after(MINUTE, () => show(tab, shop, `<img src="/look">`)), 0);
      assertEquals(await at.after(MINUTE, fetched), 0);
      assertEquals(await at.after(MINUTE, open), 1);
      if (scheme === "http") return;
      // Only a secure origin learns that it is in a frame, or that the page is loaded in advance.
      const frame = `<iframe src="/look"></iframe>`;
      assertEquals(await at.after(MINUTE, () => show(tab, shop, frame)), 0);
      const prefetch = `<link rel="prefetch" href="/look?early" as="document">`;
      assertEquals(await at.after(MINUTE, () => show(tab, shop, prefetch)), 0);
      assertEquals(await at.after(MINUTE, open), 1);
    },
  );
}

browserTest("a script's request renews a cookie that is half as old as it gets", async () => {
  await using at = await setUp("https");
  const { tab } = at;
  const fetched = () => tab.evaluate(`fetch("/look").then((response) => response.text())`);
  assertEquals(await at.after(HOUR / 2, fetched), 0);
  assertEquals(await at.after(1, fetched), 1);
  assertEquals(await at.after(1, fetched), 0);
});
