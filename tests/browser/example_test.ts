import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { createApp } from "../../examples/server.ts";
import { Gate } from "./_app.ts";
import { browserTest, type Page } from "./_chromium.ts";
import { Place, type PlaceOptions } from "./_place.ts";
import { page } from "./_site.ts";

/** Creates a store that can hold writes until several requests have read the session. */
function gatedStore() {
  const store = new MemoryStore();
  const write = store.replace.bind(store);
  let gate: Gate | undefined;
  const replace = async (...args: Parameters<typeof write>) => {
    await gate?.enter();
    return write(...args);
  };
  return {
    store: Object.assign(store, { replace }),
    /** Makes the next `count` writes wait for each other. */
    holdWrites(count: number) {
      const next = gate = new Gate(count);
      next.full.then(() => next.open());
    },
  };
}

/** Opens the example in a tab and collects the errors of the browser's console. */
async function open(options?: PlaceOptions) {
  const { store, holdWrites } = gatedStore();
  const place = await Place.open(createApp({ store }), options);
  const errors: string[] = [];
  place.tab.on(
    "console",
    (message) => message.type() === "error" && errors.push(message.text()),
  );
  place.tab.on("pageerror", (error) => errors.push(error.message));
  await place.tab.goto(place.shop);
  return Object.assign(place, { errors, holdWrites });
}

/** Presses a button that sends a form, and waits for the next page. */
async function press(tab: Page, name: string): Promise<void> {
  const loaded = tab.waitForEvent("load");
  await tab.getByRole("button", { name, exact: true }).click();
  await loaded;
}

async function signIn(tab: Page): Promise<void> {
  await tab.getByLabel("Your name").fill("Ada Lovelace");
  await press(tab, "Sign in");
}

/** Returns how many of a tea the page shows in the cart. */
async function inCart(tab: Page, tea: string): Promise<number> {
  return Number(await tab.getByLabel(`${tea} in the cart`).textContent());
}

for (const scheme of ["http", "https"] as const) {
  browserTest(
    `the example over ${scheme}: signs in with a new ID, keeps the cart, signs out`,
    async () => {
      await using at = await open({ scheme });
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
      // The live panel has connected.
      await at.tab.locator('#panel[data-state="live"]').waitFor();

      await press(at.tab, "Sign out");
      assertEquals(new URL(at.tab.url()).pathname, "/signed-out");
      assertEquals(await at.browser.jar(), []);
      assertEquals(at.errors, []);
    },
  );

  browserTest(
    `the example over ${scheme}: counts the changes of two tabs and of ten parallel requests`,
    async () => {
      await using at = await open({ scheme });
      const other = await at.browser.tab();
      await other.goto(`${at.shop}/look`);
      at.holdWrites(2);
      await Promise.all([at.tab, other].map((tab) => press(tab, "Add Sencha to the cart")));
      // Only some of the ten: over HTTP/1.1, a browser opens six connections, and the live panel
      // uses one.
      at.holdWrites(4);
      await press(at.tab, "Add Sencha ten times in parallel");
      assertEquals(await inCart(at.tab, "Sencha"), 12);
      assertEquals(at.errors, []);
    },
  );
}

// With Chromium's defaults, and with the feature that caches pages with no-store.
for (const features of [undefined, "CacheControlNoStoreEnterBackForwardCache"]) {
  browserTest(
    `the example: Back after the sign-out shows nothing of the page (${features ?? "as is"})`,
    async () => {
      await using at = await open({ features });
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

// Over plain HTTP to a host other than localhost, Chromium sends Origin but not Sec-Fetch-Site.
for (const scheme of ["http", "https"] as const) {
  browserTest(
    `the example over ${scheme}: another site's form is refused, and the session stays`,
    async () => {
      await using at = await open({ scheme });
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
    },
  );
}
