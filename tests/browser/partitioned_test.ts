import { assertEquals } from "@std/assert";
import { createApp, visit } from "./_app.ts";
import { browserTest, type Page } from "./_chromium.ts";
import { Place } from "./_place.ts";
import { page } from "./_site.ts";

const EMBEDDED = {
  cookieName: "__Host-sid",
  cookieOptions: { sameSite: "None", secure: true, partitioned: true },
} as const;

/** Opens a page at `top` with `url` in an iframe, and returns the app's response in the iframe. */
async function embed(tab: Page, top: string, url: string): Promise<unknown> {
  const response = tab.waitForResponse(url);
  await tab.goto(top + page(`<iframe src="${url}"></iframe>`));
  return await (await response).json();
}

browserTest(
  "a partitioned session is separate for each embedding site, and ends only there",
  async () => {
    const { handler, store } = createApp(EMBEDDED);
    await using at = await Place.open(handler, { scheme: "https" });
    const { browser, shop, site, tab } = at;
    const [one, other] = [site.at("one.test"), site.at("other.test")];
    const sites = async () =>
      (await browser.jar()).map(({ partitionKey }) => partitionKey?.topLevelSite).sort();

    assertEquals(await embed(tab, one, `${shop}/count`), { n: 1 });
    assertEquals(await embed(tab, one, `${shop}/count`), { n: 2 });
    assertEquals(await embed(tab, other, `${shop}/count`), { n: 1 });
    assertEquals((await visit(tab, `${shop}/look`)).data, {});
    assertEquals((await visit(tab, `${shop}/count`)).data, { n: 1 });
    assertEquals(await sites(), ["https://one.test", "https://other.test", "https://shop.test"]);

    await embed(tab, one, `${shop}/sign-out`);
    assertEquals(await sites(), ["https://other.test", "https://shop.test"]);
    assertEquals(store.size, 2);
    assertEquals(await embed(tab, one, `${shop}/look`), {});
    assertEquals(await embed(tab, other, `${shop}/look`), { n: 1 });
  },
);

browserTest(
  "if third-party cookies are blocked, a session in an iframe lasts only if it is partitioned",
  async () => {
    const profile = { block_third_party_cookies: true, cookie_controls_mode: 1 };
    for (const partitioned of [true, false]) {
      const cookieOptions = { ...EMBEDDED.cookieOptions, partitioned };
      const { handler } = createApp({ ...EMBEDDED, cookieOptions });
      await using at = await Place.open(handler, { scheme: "https", preferences: { profile } });
      const { shop, site, tab } = at;
      const other = site.at("other.test");
      await embed(tab, other, `${shop}/count`);
      assertEquals(await embed(tab, other, `${shop}/count`), { n: partitioned ? 2 : 1 });
    }
  },
);
