/** What every change of library has to stand, whoever was there before. */
import { assertEquals } from "@std/assert";
import { Browser, type Fetched, send } from "./_browser.ts";

/** What a user who is signed in is shown, by every app here. */
export const SIGNED_IN = { user: "ada", cart: ["tea"] };
const OURS = "pagi_session";

/** What is particular about a library. */
export interface Story {
  /** The old cookie's name. */
  oldCookie: string;
  /** Whether the new cookie holds the data: then a copy of either cookie outlives the logout. */
  isSealed?: boolean;
}

/** Signs in on the old app. */
export async function signIn(old: Fetched): Promise<Browser> {
  const browser = new Browser();
  await browser.request(old, "/login", "POST");
  assertEquals(await browser.request(old, "/"), SIGNED_IN);
  return browser;
}

/** Goes on with the new app, and signs out there. Resolves to both cookies, by then dead. */
export async function goOn(browser: Browser, app: Fetched, story: Story): Promise<string[]> {
  const old = await browser.cookies();
  assertEquals(await browser.names(), [story.oldCookie]);
  // As a page does: several at once, before the first is answered.
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => send(app, "/", old)),
  );
  for (const { data } of answers) assertEquals(data, SIGNED_IN);
  const given = answers.flatMap(({ setCookies }) =>
    setCookies.map((one) => one.split(";")[0]!).filter((pair) => pair.startsWith(`${OURS}=`))
  ).filter((pair) => pair !== `${OURS}=`);
  assertEquals(given.length, answers.length);
  if (!story.isSealed) assertEquals(new Set(given).size, 1);

  assertEquals(await browser.request(app, "/"), SIGNED_IN);
  assertEquals(await browser.names(), [OURS]);
  assertEquals(await browser.request(app, "/"), SIGNED_IN);
  const ours = await browser.cookies();

  await browser.request(app, "/logout", "POST");
  assertEquals(await browser.names(), []);
  assertEquals(await browser.request(app, "/"), {});
  if (!story.isSealed) {
    for (const cookie of [old, ours, `${old}; ${ours}`]) {
      assertEquals((await send(app, "/", cookie)).data, {});
    }
  }
  return [old, ours];
}
