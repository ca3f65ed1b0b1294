/** The headers and cookies that Chromium really sends with forms of this and of other sites. */
import { assertEquals } from "@std/assert";
import { SessionMiddleware } from "@pagi/session";
import { browserTest, type Page } from "./_chromium.ts";
import { Place } from "./_place.ts";
import { page } from "./_site.ts";

/** An app with a form, which counts orders. Its cookie goes everywhere, so that only the check helps. */
function createShop(hasToken: boolean) {
  const sessions = new SessionMiddleware<{ orders: number }>({
    secret: "the secret of the tests: 32 bytes or more",
    cookieOptions: { sameSite: "None", secure: true },
    onEvent: () => {},
  });
  const handler = sessions.handler(async (request, session) => {
    await sessions.verifyCsrf(request, session);
    if (request.method === "POST") {
      session.update("orders", (orders = 0) => orders + 1);
      return new Response("ordered");
    }
    const field = hasToken
      ? `<input type="hidden" name="_csrf" value="${session.csrfToken()}">`
      : "";
    return new Response(`<p>${session.get("orders", 0)}</p>${form("", field)}`, {
      headers: { "content-type": "text/html" },
    });
  });
  return { sessions, handler };
}

const form = (action: string, fields: string, encoding = "application/x-www-form-urlencoded") =>
  `<form method="post" action="${action}" enctype="${encoding}">${fields}<button>Send</button></form>`;

/** Sends the form of the page. Returns the status of the response. */
async function send(tab: Page): Promise<number> {
  const [response] = await Promise.all([
    tab.waitForResponse((response) => response.request().method() === "POST"),
    tab.click("button"),
  ]);
  return response.status();
}

browserTest("verifyCsrf() accepts the app's own form and no form of another site", async () => {
  const { handler } = createShop(true);
  await using at = await Place.open(handler, { scheme: "https", host: "www.shop.test" });
  const { shop, site, tab } = at;
  for (const orders of ["0", "1"]) {
    await tab.goto(`${shop}/`);
    assertEquals(await tab.textContent("p"), orders);
    assertEquals(await send(tab), 200);
  }
  await tab.goto(`${shop}/`);
  const token = await tab.inputValue("[name=_csrf]");
  const stolen = `<input type="hidden" name="_csrf" value="${token}">`;
  for (const host of ["other.test", "api.shop.test"]) {
    for (const encoding of ["application/x-www-form-urlencoded", "multipart/form-data"]) {
      await tab.goto(site.at(host) + page(form(`${shop}/`, stolen, encoding)));
      assertEquals(await send(tab), 403, `${host} ${encoding}`);
    }
  }
  await tab.goto(`${shop}/`);
  assertEquals(await tab.textContent("p"), "2");
});

browserTest("verifyCsrf() refuses the app's own form without a token", async () => {
  const { handler } = createShop(false);
  await using at = await Place.open(handler, { scheme: "https" });
  await at.tab.goto(`${at.shop}/`);
  assertEquals(await send(at.tab), 403);
});

browserTest("verifyCsrf() accepts a script of the app and none of another site", async () => {
  const { handler } = createShop(true);
  await using at = await Place.open(handler, { scheme: "https" });
  const { shop, site, tab } = at;
  await tab.goto(`${shop}/`);
  const token = await tab.inputValue("[name=_csrf]");
  const order = (url: string, headers: Record<string, string>) =>
    tab.evaluate(async ([url, headers]) => {
      const init = { method: "POST", headers, credentials: "include" } as const;
      return await fetch(url, init).then(({ status }) => status, () => "failed");
    }, [`${url}/`, headers] as const);
  assertEquals(await order(shop, { "x-csrf-token": token }), 200);
  assertEquals(await order(shop, {}), 403);
  await tab.goto(site.at("other.test") + page("<p>Evil</p>"));
  // The browser asks first whether the header is allowed, which the app does not answer.
  assertEquals(await order(shop, { "x-csrf-token": token }), "failed");
  await tab.goto(`${shop}/`);
  assertEquals(await tab.textContent("p"), "1");
});

browserTest(
  "verifyCsrf() compares Origin over plain HTTP, where Sec-Fetch-Site is missing",
  async () => {
    const sessions = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      onEvent: () => {},
    });
    const seen: (string | null)[] = [];
    const handler = sessions.handler(async (request, session) => {
      if (request.method === "POST") seen.push(request.headers.get("sec-fetch-site"));
      await sessions.verifyCsrf(request, session);
      const field = `<input type="hidden" name="_csrf" value="${session.csrfToken()}">`;
      return new Response(form("", field), { headers: { "content-type": "text/html" } });
    });
    await using at = await Place.open(handler, { host: "www.shop.test" });
    const { shop, site, tab } = at;
    await tab.goto(`${shop}/`);
    assertEquals(await send(tab), 200);
    const token = await tab.inputValue("[name=_csrf]");
    const stolen = `<input type="hidden" name="_csrf" value="${token}">`;
    // Lax lets the cookie through from a sibling.
    await tab.goto(site.at("api.shop.test") + page(form(`${shop}/`, stolen)));
    assertEquals(await send(tab), 403);
    assertEquals(seen, [null, null]);
  },
);
