import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { createApp } from "../../examples/server.ts";
import { Browser, browserTest, type Setup } from "./_chromium.ts";
import { page, serveHttp, serveHttps } from "./_site.ts";

/** The example on a server of its own, and a tab in which it is open. */
async function setUp(scheme: "http" | "https", setup?: Setup) {
  await using stack = new AsyncDisposableStack();
  const app = createApp();
  const site = stack.use(scheme === "http" ? serveHttp(app) : await serveHttps(app));
  const browser = stack.use(await Browser.open(setup));
  const tab = await browser.tab();
  const complaints: string[] = [];
  tab.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  tab.on("pageerror", (error) => complaints.push(error.message));
  const shop = site.at("shop.test");
  await tab.goto(shop);
  const owned = stack.move();
  return {
    site,
    browser,
    tab,
    shop,
    /** What the browser's console says of errors, those of the policy for scripts included. */
    complaints,
    /** The value of the session's cookie, if there is one. */
    cookie: async () => (await browser.jar())[0]?.value,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Presses a button that sends a form, and waits for the page that comes of it. */
async function press(tab: Page, name: string): Promise<void> {
  const loaded = tab.waitForEvent("load");
  await tab.getByRole("button", { name, exact: true }).click();
  await loaded;
}

async function signIn(tab: Page): Promise<void> {
  await tab.getByLabel("Your name").fill("Ada Lovelace");
  await press(tab, "Sign in");
}

/** How many of a tea the page says are in the cart. */
async function inCart(tab: Page, tea: string): Promise<number> {
  return Number(await tab.getByLabel(`${tea} in the cart`).textContent());
}

for (const scheme of ["http", "https"] as const) {
  browserTest(
    `the example over ${scheme}: signs in under a new id, keeps the cart, signs out`,
    async () => {
      await using at = await setUp(scheme);
      await press(at.tab, "Add Assam to the cart");
      const before = await at.cookie();
      await signIn(at.tab);
      const after = await at.cookie();
      assert(before !== undefined && after !== undefined);
      assertNotEquals(after, before);
      assertEquals(
        await at.tab.getByRole("heading", { level: 1 }).textContent(),
        "Hello, Ada Lovelace",
      );
      assertEquals(await inCart(at.tab, "Assam"), 1);
      assertEquals(await at.tab.evaluate("document.cookie"), "");
      // The live panel has its stream.
      await at.tab.locator('#panel[data-state="live"]').waitFor();

      await press(at.tab, "Sign out");
      assertEquals(new URL(at.tab.url()).pathname, "/signed-out");
      assertEquals(await at.browser.jar(), []);
      assertEquals(at.complaints, []);
    },
  );

  browserTest(
    `the example over ${scheme}: counts what two tabs and ten requests at once put into the cart`,
    async () => {
      await using at = await setUp(scheme);
      const other = await at.browser.tab();
      await other.goto(`${at.shop}/look`);
      await Promise.all([at.tab, other].map((tab) => press(tab, "Add Sencha to the cart")));
      await press(at.tab, "Add Sencha ten times at once");
      assertEquals(await inCart(at.tab, "Sencha"), 12);
      assertEquals(at.complaints, []);
    },
  );
}

// As it is by itself, and as Chromium may be set to keep pages that say no-store.
for (const features of [undefined, "CacheControlNoStoreEnterBackForwardCache"]) {
  browserTest(
    `the example: Back after the sign-out shows nothing of the page (${features ?? "as is"})`,
    async () => {
      await using at = await setUp("http", { features });
      await signIn(at.tab);
      await press(at.tab, "Sign out");
      const count = at.site.seen.length;
      await at.tab.goBack({ waitUntil: "commit" });
      await at.tab.getByRole("heading", { name: "Have some tea" }).waitFor();
      assert(!(await at.tab.content()).includes("Ada"));
      assertEquals(at.site.seen[count]!.path, "/");
    },
  );
}

browserTest("the example: a form of another site is refused, and the session stays", async () => {
  await using at = await setUp("http");
  await signIn(at.tab);
  const before = await at.cookie();
  const other = await at.browser.tab();
  const action = `${at.shop}/sign-in`;
  const form = `<form method="post" action="${action}"><input name="name" value="Eve">` +
    "<button>Send</button></form>";
  await other.goto(at.site.at("other.test") + page(form));
  await press(other, "Send");
  assertEquals(await other.getByRole("heading", { level: 1 }).textContent(), "Refused");
  assertEquals(await at.cookie(), before);
  await at.tab.reload();
  assert((await at.tab.content()).includes("Hello, Ada Lovelace"));
});
