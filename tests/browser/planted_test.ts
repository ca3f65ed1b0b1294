import { assertEquals } from "@std/assert";
import { createApp, visit } from "./_app.ts";
import { Browser, browserTest, type Page } from "./_chromium.ts";
import { Place } from "./_place.ts";
import { page, serveHttps } from "./_site.ts";

/** Runs `document.cookie = text` for each text, and returns the cookies that scripts then see. */
async function plant(tab: Page, url: string, ...texts: string[]): Promise<string> {
  await tab.goto(url + page("<p>A script</p>"));
  return await tab.evaluate(
    `for (const text of ${JSON.stringify(texts)}) document.cookie = text; document.cookie`,
  );
}

const FOREIGN = "f".repeat(64);

browserTest("scripts neither see the session's cookie nor change it", async () => {
  const { handler } = createApp();
  await using at = await Place.open(handler, { scheme: "https", host: "www.shop.test" });
  const { shop, tab } = at;
  await visit(tab, `${shop}/count`);
  assertEquals(await plant(tab, shop, `pagi_session=${FOREIGN}; Path=/`), "");
  assertEquals(await plant(tab, shop, "pagi_session=; Path=/; Max-Age=0"), "");
  assertEquals((await visit(tab, `${shop}/count`)).data, { n: 2 });
});

browserTest("an ID that a script planted is not adopted", async () => {
  const { handler } = createApp();
  await using at = await Place.open(handler, { scheme: "https", host: "www.shop.test" });
  const { browser, shop, tab } = at;
  await plant(tab, shop, `pagi_session=${FOREIGN}; Path=/`);
  assertEquals((await visit(tab, `${shop}/look`)).data, {});
  assertEquals((await visit(tab, `${shop}/count`)).data, { n: 1 });
  assertEquals((await visit(tab, `${shop}/count`)).data, { n: 2 });
  const [cookie, ...others] = await browser.jar();
  assertEquals([cookie!.httpOnly, cookie!.value !== FOREIGN, others], [true, true, []]);
});

browserTest(
  "invalid cookies that a script plants beside the session's do not lock the user out",
  async () => {
    const { handler } = createApp();
    await using at = await Place.open(handler, { scheme: "https", host: "www.shop.test" });
    const { shop, site, tab } = at;
    await visit(tab, `${shop}/count`);
    await plant(
      tab,
      site.at("evil.shop.test"),
      `pagi_session=${FOREIGN}; Path=/count; Domain=shop.test`,
      "pagi_session=junk; Path=/; Domain=shop.test",
    );
    assertEquals((await visit(tab, `${shop}/count`)).data, { n: 2 });
    // The browser sends the longest path first, so the session's own cookie is in the middle.
    const names = site.seen.at(-1)!.cookie!.split("; ").map((pair) => pair.slice(0, 17));
    assertEquals([names.length, names[0]], [3, "pagi_session=ffff"]);
  },
);

for (const [cookieName, isSafe] of [["sid", false], ["__Host-sid", true]] as const) {
  browserTest(
    `a sibling host that plants its own live session gets ${
      isSafe ? "nothing" : "the request refused"
    } when the cookie is ${cookieName}`,
    async () => {
      const { handler } = createApp({ cookieName, cookieOptions: { secure: true } });
      await using site = await serveHttps(handler);
      await using attacker = await Browser.open();
      const shop = site.at("www.shop.test");
      await visit(await attacker.tab(), `${shop}/note?note=attacker`);
      const [own] = await attacker.jar();

      await using browser = await Browser.open();
      const tab = await browser.tab();
      await visit(tab, `${shop}/count`);
      const text = `${cookieName}=${own!.value}; Path=/; Domain=shop.test; Secure`;
      await plant(tab, site.at("evil.shop.test"), text);
      const { status, data } = await visit(tab, `${shop}/count`);
      assertEquals([status, data], isSafe ? [200, { n: 2 }] : [400, {}]);
      // A read finds neither session, and no cookie is replaced.
      assertEquals((await visit(tab, `${shop}/look`)).data, isSafe ? { n: 2 } : {});
      assertEquals((await browser.jar()).length, isSafe ? 1 : 2);
    },
  );
}

for (const [priority, isKept] of [["High", true], [false, false]] as const) {
  browserTest(
    `priority ${priority}: two hundred other cookies of the site ${
      isKept ? "leave the session's alone" : "push the session's out"
    }`,
    async () => {
      const { handler } = createApp({ cookieOptions: { secure: true, priority } });
      await using at = await Place.open(handler, { scheme: "https", host: "www.shop.test" });
      const { shop, tab } = at;
      await visit(tab, `${shop}/count`);
      const others = Array.from({ length: 200 }, (_, at) => `other-${at}=1; Secure`);
      await plant(tab, shop, ...others);
      assertEquals((await visit(tab, `${shop}/look`)).data, isKept ? { n: 1 } : {});
    },
  );
}
