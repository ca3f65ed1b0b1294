/** A meta-framework's shop in Chromium, where scripts send the forms and fetch the pages' data. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Browser, browserTest } from "../browser/_chromium.ts";
import { META_APPS, Running } from "./_apps.ts";

browserTest("the shop in React Router, in Chromium", async () => {
  await using running = await Running.start(META_APPS.find(({ name }) => name === "React Router")!);
  await using browser = await Browser.open();
  const tab = await browser.tab();
  const documents: string[] = [];
  tab.on("request", (request) => {
    if (request.resourceType() === "document") documents.push(request.method());
  });
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  const cookie = async () => (await browser.jar()).find(({ name }) => name === "pagi_session");
  const press = (name: string) => tab.getByRole("button", { name, exact: true }).click();

  await tab.goto(running.url, { waitUntil: "networkidle" });
  assertEquals(await cookie(), undefined);
  await tab.locator("#add input").fill("tea");
  await press("Add");
  await tab.getByText("Added tea").waitFor();
  const before = await cookie();
  assert(before!.httpOnly);

  await tab.locator("#login input").fill("Ada");
  await press("Sign in");
  await tab.getByText("Hello, Ada").waitFor();
  await tab.getByText("Cart: tea").waitFor();
  assertNotEquals((await cookie())!.value, before!.value);
  assertEquals(await tab.evaluate("document.cookie"), "");
  // React Router sent the forms by scripts.
  assertEquals(documents, ["GET"]);

  await tab.reload({ waitUntil: "networkidle" });
  assertEquals(await tab.getByText("Welcome back").count(), 0);
  await tab.getByText("Hello, Ada").waitFor();
  await press("Sign out");
  await tab.getByText("Sign in").waitFor();
  assertEquals(await cookie(), undefined);
  assertEquals(errors, []);
});
