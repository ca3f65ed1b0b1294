import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { bridge } from "../../../examples/_bridge.ts";
import { portOf } from "../../../examples/_serve.ts";
import { app as pagiApp } from "../../../examples/pagi.ts";
import { openStore } from "../../../examples/_stores.ts";
import { type AppOptions, createApp } from "../../../examples/server.ts";
import type { App } from "../../../mod.ts";
import { NAVIGATION } from "../../_kit/helpers.ts";

const ORIGIN = "http://localhost:8000";
type Handler = (request: Request) => Promise<Response>;

/** A browser that keeps the session cookie and follows the redirect after a form. */
class Browser {
  cookie: string | undefined;
  readonly #handler: Handler;

  constructor(handler: Handler, cookie?: string) {
    this.#handler = handler;
    this.cookie = cookie;
  }

  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookie !== undefined) headers.set("cookie", this.cookie);
    const response = await this.#handler(new Request(`${ORIGIN}${path}`, { ...init, headers }));
    for (const cookie of response.headers.getSetCookie()) {
      this.cookie = cookie.includes("Max-Age=0") ? undefined : cookie.split(";")[0];
    }
    return response;
  }

  async page(path = "/look"): Promise<string> {
    return await (await this.send(path, { headers: NAVIGATION })).text();
  }

  async submit(path: string, fields: Record<string, string> = {}): Promise<string> {
    const response = await this.send(path, { method: "POST", body: new URLSearchParams(fields) });
    assertEquals(response.status, 303);
    return await this.page(response.headers.get("location")!);
  }
}

function browser(options?: AppOptions): Browser {
  return new Browser(createApp(options));
}

/** Returns how many of a tea the page shows in the cart. */
function inCart(page: string, tea: string): number {
  return Number(page.match(new RegExp(`${tea} in the cart">(\\d+)<`))?.[1] ?? 0);
}

/** Returns the label of the latest request on the page. */
function outcome(page: string): string | undefined {
  return page.match(/data-outcome="([^"]*)"/)?.[1];
}

Deno.test("createApp() counts the first visit and sends a cookie", async () => {
  const visitor = browser();
  const response = await visitor.send("/");
  assertEquals(response.headers.get("cache-control"), "no-store");
  const first = await response.text();
  assertStringIncludes(first, "<strong>first</strong> visit");
  assertEquals(outcome(first), "New session");
  assertStringIncludes(await visitor.page("/"), "<strong>2</strong> times");
});

Deno.test("createApp() sends no cookie when nothing was written", async () => {
  const visitor = browser();
  assertEquals(outcome(await visitor.page("/look")), "Nothing to save");
  assertEquals(visitor.cookie, undefined);
});

Deno.test("createApp() never shows a complete ID", async () => {
  const visitor = browser();
  const first = await visitor.page("/");
  const id = visitor.cookie!.split("=")[1]!;
  assertStringIncludes(first, id.slice(0, 8));
  assert(!first.includes(id.slice(0, 17)));
});

Deno.test("createApp() lists the sessions of a user and ends the chosen ones", async () => {
  const app = createApp();
  const signIn = async (name: string, agent: string) => {
    const visitor = new Browser(app);
    const headers = { "user-agent": agent };
    const body = new URLSearchParams({ name });
    await visitor.send("/sign-in", { method: "POST", headers, body });
    return visitor;
  };
  const laptop = await signIn("Ada", "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0");
  const phone = await signIn("ada", "Mozilla/5.0 (iPhone) Safari/604.1");
  const tablet = await signIn("Ada", "Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Safari/537.36");
  const other = await signIn("Bob", "Edge");
  const page = await laptop.page("/devices");
  const shown = [...page.matchAll(/<strong>(.*?)<\/strong>/g)].map(([, device]) => device);
  assertEquals(shown.sort(), ["Chrome on Android", "Firefox on Linux", "Safari on iPhone"]);
  assertEquals(page.match(/this one/g)?.length, 1);
  assert(!page.includes(phone.cookie!.split("=")[1]!));

  const [, hash] = page.match(/value="([0-9a-f]{32})"\s+aria-label="Sign out Safari on iPhone"/)!;
  await other.submit("/devices/sign-out", { session: hash! });
  assertStringIncludes(await phone.page("/look"), "Hello, ada");
  const rest = await laptop.submit("/devices/sign-out", { session: hash! });
  assert(!rest.includes("iPhone"));
  assertStringIncludes(await phone.page("/look"), "Have some tea");

  const alone = await laptop.submit("/devices/sign-out-elsewhere");
  assert(!alone.includes("Android"));
  assertStringIncludes(await tablet.page("/look"), "Have some tea");
  assertStringIncludes(await laptop.page("/look"), "Hello, Ada");
  assertStringIncludes(await other.page("/look"), "Hello, Bob");
  assertEquals((await new Browser(app).send("/devices")).headers.get("location"), "/");
});

Deno.test("createApp() keeps sessions in cookies and says that it cannot list them", async () => {
  const visitor = browser({ store: await openStore("cookie") });
  await visitor.submit("/cart", { add: "assam" });
  const page = await visitor.submit("/sign-in", { name: "Ada" });
  assertStringIncludes(page, "Hello, Ada");
  assertEquals(inCart(page, "Assam"), 1);
  assert(!page.includes(visitor.cookie!.split("=")[1]!.slice(0, 17)));
  assertStringIncludes(await visitor.page("/devices"), "the server cannot list sessions");
});

Deno.test("createApp() changes the ID and keeps the cart when a visitor signs in", async () => {
  const visitor = browser();
  await visitor.submit("/cart", { add: "assam" });
  const planted = visitor.cookie;
  const page = await visitor.submit("/sign-in", { name: "Ada" });
  assertNotEquals(visitor.cookie, planted);
  assertStringIncludes(page, "Hello, Ada");
  assertEquals(inCart(page, "Assam"), 1);
  assertStringIncludes(page, 'data-outcome="New ID"');
});

Deno.test("createApp() keeps both changes when two tabs change the cart at the same time", async () => {
  const handler = createApp();
  const visitor = new Browser(handler);
  await visitor.page("/");
  // The body of the first form arrives only after the response to the second form.
  const slow = new TransformStream<Uint8Array, Uint8Array>();
  const first = new Browser(handler, visitor.cookie)
    .send("/cart", { method: "POST", body: slow.readable });
  assertEquals(inCart(await visitor.submit("/cart", { add: "sencha" }), "Sencha"), 1);
  const writer = slow.writable.getWriter();
  await writer.write(new TextEncoder().encode("add=sencha"));
  await writer.close();
  assertEquals((await first).status, 303);
  assertEquals(inCart(await visitor.page(), "Sencha"), 2);
});

Deno.test("createApp() removes from the cart until it is empty", async () => {
  const visitor = browser();
  await visitor.submit("/cart", { add: "rooibos" });
  assertStringIncludes(await visitor.submit("/cart", { take: "rooibos" }), "Nothing in it yet");
  assertStringIncludes(await visitor.submit("/cart", { take: "rooibos" }), "Nothing in it yet");
});

Deno.test("createApp() shows a flash message once", async () => {
  const visitor = browser();
  assertStringIncludes(await visitor.submit("/cart", { add: "sencha" }), "Sencha is in your cart.");
  assert(!(await visitor.page()).includes("Sencha is in your cart."));
});

Deno.test("createApp() rejects the old cookie after the visitor has signed out", async () => {
  const handler = createApp();
  const visitor = new Browser(handler);
  await visitor.submit("/sign-in", { name: "Ada" });
  const old = visitor.cookie;
  const page = await visitor.submit("/sign-out");
  assertEquals(visitor.cookie, undefined);
  assertEquals(page.match(/data-outcome="[^"]*"/g)?.slice(0, 2), [
    'data-outcome="Nothing to save"',
    'data-outcome="Ended"',
  ]);
  assert(!(await new Browser(handler, old).page()).includes("Ada"));
});

Deno.test("createApp() escapes the name when it is hostile", async () => {
  const visitor = browser();
  const name = `<img src=x onerror="1">'&`;
  const page = await visitor.submit("/sign-in", { name });
  assertStringIncludes(page, "Hello, &lt;img src=x onerror=&quot;1&quot;&gt;&#39;&amp;");
  assert(!page.includes("<img"));
  const events = (await visitor.send("/events")).body!.getReader();
  assert(!new TextDecoder().decode((await events.read()).value).includes("<img"));
  await events.cancel();
});

Deno.test("createApp() refuses a form when another site sends it", async () => {
  const visitor = browser();
  await visitor.page("/");
  const foreign: HeadersInit[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "https://evil-localhost:8000" },
    { origin: "null" },
  ];
  for (const headers of foreign) {
    const body = new URLSearchParams({ name: "Mallory" });
    const response = await visitor.send("/sign-in", { method: "POST", headers, body });
    assertEquals(response.status, 403);
    await response.body?.cancel();
  }
  assert(!(await visitor.page()).includes("Mallory"));
  const own = { headers: { origin: ORIGIN, "sec-fetch-site": "same-origin" } };
  assertEquals((await visitor.send("/new-id", { method: "POST", ...own })).status, 303);
});

Deno.test("createApp() refuses a form with invalid fields", async () => {
  const visitor = browser();
  for (
    const [path, fields] of [["/cart", { add: "__proto__" }], ["/sign-in", { name: " " }]] as const
  ) {
    const response = await visitor.send(path, {
      method: "POST",
      body: new URLSearchParams(fields),
    });
    assertEquals(response.status, 400);
    await response.body?.cancel();
  }
  const body = `name=${"a".repeat(100_000)}`;
  const response = await visitor.send("/sign-in", { method: "POST", body });
  assertEquals(response.status, 400);
  await response.body?.cancel();
});

Deno.test("createApp() saves nothing when the handler throws", async () => {
  const visitor = browser();
  await visitor.submit("/cart", { add: "sencha" });
  const response = await visitor.send("/fail", { method: "POST" });
  assertEquals(response.status, 500);
  assertEquals(outcome(await response.text()), "Failed");
  const page = await visitor.page();
  assertEquals(inCart(page, "Sencha"), 1);
  assert(!page.includes("somebody else"));
});

Deno.test("createApp() says that a change was saved when no cookie was sent with it", async () => {
  const visitor = browser();
  await visitor.page("/");
  const page = await visitor.page("/");
  assertEquals(outcome(page), "Saved");
  assertStringIncludes(page, "Changed: visits.");
  assertStringIncludes(page, "no Set-Cookie");
});

Deno.test("createApp() explains why a cookie was sent or not when nothing changed", async () => {
  let now = 1_800_000_000_000;
  const visitor = browser({ now: () => now });
  await visitor.page("/");
  now += 59_000;
  const early = await visitor.page();
  assertEquals(outcome(early), "Unchanged");
  assertStringIncludes(early, "59 s ago, less than the touchInterval of 60 s");
  now += 1_000;
  const touched = await visitor.page();
  assertEquals(outcome(touched), "Touched");
  assertStringIncludes(touched, "and the cookie renewed");
  now += 60_000;
  // A script's request does not renew it.
  const fetched = await (await visitor.send("/look")).text();
  assertEquals(outcome(fetched), "Touched");
  assertStringIncludes(fetched, "no Set-Cookie");
  // A session may live for `touchInterval` longer than `expire`.
  now += 3_661_000;
  const late = await visitor.page("/");
  assertEquals(outcome(late), "New session");
  assertStringIncludes(late, "The cookie no longer matched a session");
});

Deno.test("createApp() responds with 409 when the session got a new ID in the meantime", async () => {
  const handler = createApp();
  const visitor = new Browser(handler);
  await visitor.page("/");
  const late = new Browser(handler, visitor.cookie);
  await visitor.submit("/new-id");
  const response = await late.send("/cart", {
    method: "POST",
    body: new URLSearchParams({ add: "sencha" }),
  });
  assertEquals(response.status, 409);
  assertEquals(response.headers.getSetCookie(), []);
  assertStringIncludes(await response.text(), "Your session has changed");
});

Deno.test("createApp() signs a visitor in whose ID was replaced in the meantime", async () => {
  const handler = createApp();
  const visitor = new Browser(handler);
  await visitor.page("/");
  const late = new Browser(handler, visitor.cookie);
  await visitor.submit("/new-id");
  const page = await late.submit("/sign-in", { name: "Ada" });
  assertStringIncludes(page, "Hello, Ada");
  assertNotEquals(late.cookie, visitor.cookie);
});

Deno.test("createApp() responds with 404 and opens no session for an unknown path", async () => {
  const response = await browser().send("/nothing");
  assertEquals(response.status, 404);
  assertEquals(response.headers.get("vary"), null);
  await response.body?.cancel();
});

Deno.test("createApp() sends the stylesheet and the script", async () => {
  for (const path of ["/style.css", "/live.js", "/icon.svg"]) {
    const response = await browser().send(path);
    assertEquals(response.status, 200);
    assert((await response.text()).length > 100);
  }
});

Deno.test("live() sends the session and cancels the timer when the client disconnects", async () => {
  const armed = Promise.withResolvers<void>();
  let canceled = 0;
  const visitor = browser({
    tick: () => {
      armed.resolve();
      return () => canceled++;
    },
  });
  await visitor.page("/");
  const response = await visitor.send("/events");
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assertEquals(response.headers.getSetCookie(), []);
  const reader = response.body!.getReader();
  const event = new TextDecoder().decode((await reader.read()).value);
  assertStringIncludes(event, "event: session\ndata: {");
  assertStringIncludes(event, "&quot;visits&quot;: 1");
  const next = reader.read();
  await armed.promise;
  await reader.cancel();
  assertEquals((await next).done, true);
  assertEquals(canceled, 1);
});

Deno.test("live() sends an event and closes when the session has ended", async () => {
  const wakes = Promise.withResolvers<() => void>();
  const visitor = browser({
    tick: (wake) => {
      wakes.resolve(wake);
      return () => {};
    },
  });
  await visitor.page("/");
  const reader = (await visitor.send("/events")).body!.getReader();
  await reader.read();
  await visitor.submit("/sign-out");
  const last = reader.read();
  (await wakes.promise)();
  assertStringIncludes(new TextDecoder().decode((await last).value), "event: ended\n");
  assertEquals((await reader.read()).done, true);
});

Deno.test("live() responds with 204 when there is no session", async () => {
  assertEquals((await browser().send("/events")).status, 204);
});

Deno.test("pagi.ts counts, signs in with a new ID, and signs out", async () => {
  const visitor = new Browser(bridge(pagiApp));
  assertStringIncludes(await visitor.page("/"), "Visit 1");
  const planted = visitor.cookie;
  await visitor.submit("/cart", { add: "assam" });
  const page = await visitor.submit("/sign-in", { name: "<b>Ada" });
  assertNotEquals(visitor.cookie, planted);
  assertStringIncludes(page, "Hello, &lt;b&gt;Ada");
  assertStringIncludes(page, "&quot;assam&quot;: 1");
  assertStringIncludes(await visitor.submit("/sign-out"), "Visit 1");
  assertStringIncludes(await visitor.page("/style.css"), ":root");
});

Deno.test("bridge() keeps every Set-Cookie and streams what is sent", async () => {
  const handler = bridge(async (scope, receive, send) => {
    assertEquals([scope.path, scope.query_string], ["/a b", "c=%20"]);
    assertEquals((await receive()).type, "http.request");
    const headers = [["set-cookie", "a=1"], ["set-cookie", "b=2"]];
    await send({ type: "http.response.start", status: 200, headers });
    await send({ type: "http.response.body", body: "one ", more: true });
    await send({ type: "http.response.body", body: new TextEncoder().encode("two") });
  });
  const response = await handler(new Request(`${ORIGIN}/a%20b?c=%20`));
  assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assertEquals(await response.text(), "one two");
});

Deno.test("bridge() sends http.disconnect when the client has disconnected", async () => {
  const seen = Promise.withResolvers<string>();
  const handler = bridge(async (_scope, receive, send) => {
    while ((await receive()).more);
    await send({ type: "http.response.start", status: 200, headers: [] });
    seen.resolve((await receive()).type);
    await send({ type: "http.response.body", body: "too late" });
  });
  await (await handler(new Request(ORIGIN))).body!.cancel();
  assertEquals(await seen.promise, "http.disconnect");
});

Deno.test("bridge() rejects when the app sends nothing, and aborts when it does not finish", async () => {
  const rejects = async (app: App) => {
    const response = await bridge(app)(new Request(ORIGIN));
    await response.text();
  };
  const apps: App[] = [
    () => {},
    () => Promise.reject(new Error("no")),
    (_scope, _receive, send) => send({ type: "http.response.start", status: 200, headers: [] }),
  ];
  for (const app of apps) {
    assertEquals(await rejects(app).then(() => "complete", () => "failed"), "failed");
  }
});

Deno.test("portOf() takes ports and nothing else", () => {
  assertEquals([undefined, "", "0", "8001", "65535"].map(portOf), [8000, 8000, 0, 8001, 65535]);
  for (const text of ["65536", "-1", "80.5", "1e3", "0x50", "http", " 80"]) {
    assertEquals(portOf(text), undefined);
  }
});
