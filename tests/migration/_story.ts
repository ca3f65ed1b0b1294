/** The steps of a change of library. All must succeed with every old library. */
import { assert, assertEquals } from "@std/assert";
import { Browser, type Fetched, send } from "./_browser.ts";

/** The data of a signed-in user, as every app here returns it. */
export const SIGNED_IN = { user: "ada", cart: ["tea"] };
const OURS = "pagi_session";

/** The properties of an old library. */
export interface Story {
  /** The old cookie's name. */
  oldCookie: string;
  /** Whether the new cookie holds the data. Then a copy of either cookie is valid after the logout. */
  isSealed?: boolean;
}

/** Signs in on the old app. */
export async function signIn(old: Fetched): Promise<Browser> {
  const browser = new Browser();
  await browser.request(old, "/login", "POST");
  assertEquals(await browser.request(old, "/"), SIGNED_IN);
  return browser;
}

/** Returns the new cookie that a response sets, if any. */
function oursIn({ setCookies }: { setCookies: string[] }): string[] {
  const pairs = setCookies.map((one) => one.split(";")[0]!);
  return pairs.filter((pair) => pair.startsWith(`${OURS}=`) && pair !== `${OURS}=`);
}

/** Continues with the new app, and signs out there. Resolves to both cookies, now invalid. */
export async function goOn(browser: Browser, app: Fetched, story: Story): Promise<string[]> {
  const old = await browser.cookies();
  assertEquals(await browser.names(), [story.oldCookie]);
  // A page sends several requests before the first is answered.
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(app, "/", old)));
  for (const { data } of answers) assertEquals(data, SIGNED_IN);
  const given = answers.flatMap(oursIn);
  if (story.isSealed) assertEquals(given.length, answers.length);
  else {
    // Only a request whose touch took effect is answered with the ID. Another one keeps the old
    // cookie, and the next request with it is answered with the same ID.
    for (const answer of answers) {
      if (oursIn(answer).length === 0) assertEquals(answer.setCookies, []);
    }
    assert(given.length > 0, "no response had the new cookie");
    given.push(...oursIn(await send(app, "/", old)), ...oursIn(await send(app, "/", old)));
    assert(given.length > 2, "a later response did not have the new cookie");
    assertEquals(new Set(given).size, 1);
  }

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
