import { assertEquals } from "@std/assert";
import { createApp, visit } from "./_app.ts";
import { Browser, browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";
import { page, serveHttp } from "./_site.ts";

for (const [maxAge, isKept] of [[undefined, true], [100, true], [false, false]] as const) {
  browserTest(
    `maxAge ${maxAge}: the session ${isKept ? "survives" : "ends with"} a restart of the browser`,
    async () => {
      const { handler } = createApp({ cookieOptions: { maxAge } });
      await using at = await Place.open(handler);
      const { browser, shop, tab } = at;
      const url = `${shop}/count`;
      await visit(tab, url);
      await browser.restart();
      assertEquals((await visit(await browser.tab(), url)).data, { n: isKept ? 2 : 1 });
    },
  );
}

browserTest("maxAge false: the session survives if the browser restores its tabs", async () => {
  const { handler } = createApp({ cookieOptions: { maxAge: false } });
  await using at = await Place.open(handler, {
    preferences: { session: { restore_on_startup: 1 } },
  });
  const { browser, shop, tab } = at;
  await visit(tab, `${shop}/count`);
  // The restart also restores this tab, which loads its page again.
  await tab.goto(shop + page("<p>Later</p>"));
  await browser.restart();
  // Chromium restores session cookies with the tabs. Only `expire` and `absoluteExpire` end a
  // session reliably.
  assertEquals((await visit(await browser.tab(), `${shop}/count`)).data, { n: 2 });
});

browserTest("a visitor with an unchanged session gets no cookie", async () => {
  const { handler, store } = createApp();
  await using at = await Place.open(handler);
  const { browser, shop, tab } = at;
  for (const path of ["/look", "/sign-out", "/look"]) await visit(tab, shop + path);
  assertEquals([await browser.jar(), store.size], [[], 0]);
});

browserTest("secure: true keeps no session over plain HTTP, except on localhost", async () => {
  const { handler } = createApp({ cookieName: "__Host-sid", cookieOptions: { secure: true } });
  await using at = await Place.open(handler);
  const { site, tab } = at;
  for (const [host, n] of [["shop.test", 1], ["localhost", 2], ["127.0.0.1", 2]] as const) {
    await visit(tab, `${site.at(host)}/count`);
    assertEquals((await visit(tab, `${site.at(host)}/count`)).data, { n }, host);
  }
});

browserTest(
  "domain: the name of another server or of a registry keeps no session",
  async () => {
    await using browser = await Browser.open();
    const tab = await browser.tab();
    const domains = [["shop.test", 2], ["www.shop.test", 2], ["other.test", 1], [
      "test",
      1,
    ]] as const;
    for (const [domain, n] of domains) {
      const { handler } = createApp({ cookieOptions: { domain } });
      await using site = serveHttp(handler);
      const url = `${site.at("www.shop.test")}/count`;
      await visit(tab, url);
      assertEquals((await visit(tab, url)).data, { n }, domain);
      await visit(tab, `${site.at("www.shop.test")}/sign-out`);
    }
  },
);
