import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { createApp } from "../../examples/server.ts";
import { Gate } from "./_app.ts";
import { browserTest, type Page } from "./_chromium.ts";
import { Place, type PlaceOptions } from "./_place.ts";
import { page } from "./_site.ts";

/** A store that can make writes meet: all of them have read by then, and none has been done. */
function meetingStore() {
  const store = new MemoryStore();
  const write = store.replace.bind(store);
  let gate: Gate | undefined;
  const replace = async (...args: Parameters<typeof write>) => {
    await gate?.enter();
    return write(...args);
  };
  return {
    store: Object.assign(store, { replace }),
    /** The next so many writes wait for each other. */
    meet(count: number) {
      const next = gate = new Gate(count);
      next.full.then(() => next.open());
    },
  };
}

/** The example, open in a tab, and what the browser's console says of errors. */
async function open(options?: PlaceOptions) {
  const { store, meet } = meetingStore();
  const place = await Place.open(createApp({ store }), options);
  const complaints: string[] = [];
  place.tab.on(
    "console",
    (message) => message.type() === "error" && complaints.push(message.text()),
  );
  place.tab.on("pageerror", (error) => complaints.push(error.message));
  await place.tab.goto(place.shop);
  return Object.assign(place, { complaints, meet });
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
      await using at = await open({ scheme });
      const other = await at.browser.tab();
      await other.goto(`${at.shop}/look`);
      at.meet(2);
      await Promise.all([at.tab, other].map((tab) => press(tab, "Add Sencha to the cart")));
      // Of the ten: over HTTP/1.1 a browser sends six at a time, and the panel's stream is one.
      at.meet(4);
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

// Over plain HTTP to another host than this machine, Chromium sends Origin and no Sec-Fetch-Site.
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
