import { assert, assertEquals } from "@std/assert";
import type { CookieOptions } from "@pagi/session";
import { createApp, visit } from "./_app.ts";
import { Browser, browserTest, type StoredCookie } from "./_chromium.ts";
import { serveHttp, serveHttps } from "./_site.ts";

const DAY = 86_400;
const UNTIL_CLOSED = -1;

/** The attributes of a stored cookie that the test compares. */
type Kept =
  & Pick<StoredCookie, "name" | "domain" | "path" | "httpOnly" | "secure" | "priority" | "sameSite">
  & { partition: string | undefined };

/** The stored cookie that the defaults lead to. */
const PLAIN: Kept & { lifetime: number } = {
  name: "pagi_session",
  domain: "www.shop.test",
  path: "/",
  httpOnly: true,
  secure: false,
  sameSite: "Lax",
  priority: "Medium",
  partition: undefined,
  /** In seconds. */
  lifetime: 3600,
};

/** Cookie name and options, and the differences of the stored cookie from the plain one. */
const TABLE: [name: string, options: CookieOptions, stored: Partial<typeof PLAIN>][] = [
  ["pagi_session", {}, {}],
  ["pagi_session", { httpOnly: false }, { httpOnly: false }],
  ["pagi_session", { sameSite: "Strict" }, { sameSite: "Strict" }],
  ["pagi_session", { sameSite: false }, { sameSite: undefined }],
  ["pagi_session", { sameSite: "None", secure: true }, { sameSite: "None", secure: true }],
  ["pagi_session", { secure: true }, { secure: true }],
  ["pagi_session", { path: "/shop" }, { path: "/shop" }],
  ["pagi_session", { path: false }, {}],
  ["pagi_session", { domain: "shop.test" }, { domain: ".shop.test" }],
  ["pagi_session", { domain: "WWW.Shop.test" }, { domain: ".www.shop.test" }],
  ["pagi_session", { priority: "Low" }, { priority: "Low" }],
  ["pagi_session", { priority: "High" }, { priority: "High" }],
  ["pagi_session", { maxAge: 120 }, { lifetime: 120 }],
  ["pagi_session", { maxAge: false }, { lifetime: UNTIL_CLOSED }],
  // Browsers keep a cookie for at most 400 days.
  ["pagi_session", { maxAge: 10 * 365 * DAY }, { lifetime: 400 * DAY }],
  ["__Secure-sid", { secure: true }, { name: "__Secure-sid", secure: true }],
  ["__Host-sid", { secure: true }, { name: "__Host-sid", secure: true }],
  ["__Http-sid", { secure: true }, { name: "__Http-sid", secure: true }],
  ["__Host-Http-sid", { secure: true }, { name: "__Host-Http-sid", secure: true }],
  ["!#$%&'*+-.^_`|~", {}, { name: "!#$%&'*+-.^_`|~" }],
  ["sid", { partitioned: true, secure: true }, {
    name: "sid",
    secure: true,
    partition: "https://shop.test",
  }],
];

function kept(cookie: StoredCookie): Kept {
  const { name, domain, path, httpOnly, secure, sameSite, priority, partitionKey } = cookie;
  const partition = partitionKey?.topLevelSite;
  return { name, domain, path, httpOnly, secure, sameSite, priority, partition };
}

browserTest(
  "Chromium keeps the session's cookie with the attributes that cookieOptions names",
  async () => {
    await using browser = await Browser.open();
    const tab = await browser.tab();
    for (const [cookieName, cookieOptions, stored] of TABLE) {
      const label = `${cookieName} ${JSON.stringify(cookieOptions)}`;
      const { handler, store } = createApp({ cookieName, cookieOptions });
      await using site = cookieOptions.secure ? await serveHttps(handler) : serveHttp(handler);
      const shop = `${site.at("www.shop.test")}/shop`;
      const before = Date.now() / 1000;
      await visit(tab, `${shop}/count`);
      const after = Date.now() / 1000;

      const [cookie, ...others] = await browser.jar();
      assertEquals(others, [], label);
      const { lifetime, ...attributes } = { ...PLAIN, ...stored };
      assertEquals(kept(cookie!), attributes, label);
      assert(/^[0-9a-f]{64}$/.test(cookie!.value), label);
      assertEquals(cookie!.session, lifetime === UNTIL_CLOSED, label);
      if (lifetime !== UNTIL_CLOSED) {
        const { expires } = cookie!;
        assert(before + lifetime - 1 <= expires && expires <= after + lifetime + 1, label);
      }

      assertEquals((await visit(tab, `${shop}/count`)).data, { n: 2 }, label);
      await visit(tab, `${shop}/sign-out`);
      assertEquals([await browser.jar(), store.size], [[], 0], label);
    }
  },
);
