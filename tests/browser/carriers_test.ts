import { assertEquals } from "@std/assert";
import { createApp, visit } from "./_app.ts";
import { browserTest, type Page } from "./_chromium.ts";
import { Place } from "./_place.ts";
import { page } from "./_site.ts";

/** Opens a page of the site in which the test runs scripts. */
async function script(tab: Page, origin: string): Promise<void> {
  await tab.goto(origin + page("<p>A script</p>"));
}

browserTest(
  "fetch and XMLHttpRequest send the session, and their responses set the cookie",
  async () => {
    const { handler } = createApp();
    await using at = await Place.open(handler);
    const { shop, tab } = at;
    await script(tab, shop);
    assertEquals(await tab.evaluate(`fetch("/count").then((response) => response.json())`), {
      n: 1,
    });
    const responseText = await tab.evaluate(`new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.onload = () => resolve(request.responseText);
    request.open("GET", "/count");
    request.send();
  })`);
    assertEquals(responseText, `{"n":2}`);
    // Without credentials, the browser sends no cookie and ignores Set-Cookie.
    const omitted = `fetch("/count", { credentials: "omit" }).then((response) => response.json())`;
    assertEquals(await tab.evaluate(omitted), { n: 1 });
    assertEquals((await visit(tab, `${shop}/look`)).data, { n: 2 });
  },
);

browserTest(
  "a service worker that forwards requests carries the session in both directions",
  async () => {
    const { handler } = createApp();
    const worker = `
    addEventListener("install", () => skipWaiting());
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));
  `;
    await using at = await Place.open((request) => {
      if (new URL(request.url).pathname !== "/worker.js") return handler(request);
      return new Response(worker, { headers: { "content-type": "text/javascript" } });
    }, { host: "localhost" });
    const { browser, shop, tab } = at;
    await script(tab, shop);
    await tab.evaluate(`new Promise((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => resolve());
    navigator.serviceWorker.register("/worker.js");
  })`);
    for (const [path, data] of [["/count", { n: 1 }], ["/count", { n: 2 }]] as const) {
      const response = (await tab.goto(shop + path))!;
      assertEquals([response.fromServiceWorker(), await response.json()], [true, data]);
    }
    await tab.goto(`${shop}/sign-out`);
    assertEquals(await browser.jar(), []);
  },
);

browserTest("EventSource and WebSocket send the session, and load() reads it", async () => {
  const { handler, sessions } = createApp();
  await using at = await Place.open(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== "/events" && pathname !== "/socket") return await handler(request);
    const n = String((await sessions.load(request))?.get("n"));
    if (pathname === "/events") {
      return new Response(`data: ${n}\n\n`, { headers: { "content-type": "text/event-stream" } });
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => socket.send(n);
    return response;
  });
  const { browser, shop, tab } = at;
  await script(tab, shop);
  const heard = async (source: string) =>
    await tab.evaluate(`new Promise((resolve) => {
      const source = new ${source};
      source.onmessage = ({ data }) => { source.close(); resolve(data); };
    })`);
  const both = async () => [
    await heard(`EventSource("/events")`),
    await heard(`WebSocket("/socket")`),
  ];
  assertEquals(await both(), ["undefined", "undefined"]);
  assertEquals(await browser.jar(), []);
  await tab.evaluate(`fetch("/count")`);
  assertEquals(await both(), ["1", "1"]);
});

browserTest(
  "the session is found among other cookies over HTTP/2, which sends one header a cookie",
  async () => {
    const { handler } = createApp();
    await using at = await Place.open(handler, { scheme: "https" });
    const { shop, site, tab } = at;
    await script(tab, shop);
    await tab.evaluate(`document.cookie = "first=1"`);
    await visit(tab, `${shop}/count`);
    await script(tab, shop);
    await tab.evaluate(`document.cookie = "last=1"`);
    assertEquals((await visit(tab, `${shop}/count`)).data, { n: 2 });
    const protocol = `performance.getEntriesByType("navigation")[0].nextHopProtocol`;
    assertEquals(await tab.evaluate(protocol), "h2");
    const names = site.seen.at(-1)!.cookie!.split("; ").map((pair) => pair.split("=")[0]);
    assertEquals(names, ["first", "pagi_session", "last"]);
  },
);
