/** What sessions do in Next.js beyond the cases that all meta-frameworks share. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { META_APPS, Running } from "./_apps.ts";
import { Shopper, textOf } from "./_meta_cases.ts";

const app = META_APPS.find(({ name }) => name === "Next.js")!;

async function signedIn(url: string): Promise<Shopper> {
  const shopper = new Shopper(url);
  await shopper.send("/", "login", { name: "Ada" });
  return shopper;
}

Deno.test("nextSession() in Next.js", async (t) => {
  await using running = await Running.start(app);
  const { url } = running;

  await t.step("shows what an action has changed on the page that follows", async () => {
    const shopper = await signedIn(url);
    const before = shopper.cookie;
    const page = await shopper.submit(await shopper.form("/", "rename"), { name: "Bob" });
    assertEquals([page.status, page.cookies.length], [200, 1]);
    assert(shopper.cookie !== before);
    assertMatch(textOf(page.text), /Hello, Bob/);
    assertMatch(textOf((await shopper.show("/")).text), /Hello, Bob/);
  });

  await t.step("sends the cookie with an action that a script has called", async () => {
    const shopper = new Shopper(url);
    const form = await shopper.form("/", "login");
    const key = form.fields.find(([name]) => name.startsWith("$ACTION_ID_"))![0];
    const body = new FormData();
    body.append("0", '["$K1"]');
    const headers = { "next-action": key.slice("$ACTION_ID_".length), origin: url };
    const page = await shopper.visitor.get("/", { method: "POST", headers, body });
    assertEquals([page.status, page.cookies.length], [200, 1]);
    // The response has the page to which the action redirects.
    assertMatch(page.text, /Hello, /);
  });

  await t.step("saves nothing if the store fails, and Next.js shows its error page", async () => {
    const shopper = await signedIn(url);
    const page = await shopper.submit(await shopper.form("/", "add"), { item: "store-fails" });
    assertEquals([page.status, page.cookies, page.headers.get("location")], [500, [], null]);
    const unreadable = new Shopper(url, `pagi_session=${"d".repeat(64)}`);
    assertEquals((await unreadable.open("/")).status, 503);
  });

  await t.step("saves before a redirect of a route handler", async () => {
    const shopper = new Shopper(url);
    const page = await shopper.open("/go");
    const location = page.headers.get("location");
    assertEquals([page.status, location, page.cookies.length], [307, "/?a;b", 1]);
    assertMatch(textOf((await shopper.show("/")).text), /Cart: gone/);
  });

  await t.step("keeps a message while pages are prefetched", async () => {
    const shopper = new Shopper(url);
    await shopper.submit(await shopper.form("/", "login"), { name: "Ada" });
    for (const rsc of [{ rsc: "1" }, {}]) {
      const headers = { ...rsc, "next-router-prefetch": "1" };
      await shopper.visitor.get("/", { headers: headers as HeadersInit });
    }
    assertMatch(textOf((await shopper.show("/")).text), /Welcome back/);
    assert(!textOf((await shopper.show("/")).text).includes("Welcome back"));
  });

  await t.step("shows a message in any script", async () => {
    const shopper = await signedIn(url);
    const page = await shopper.send("/", "add", { item: "100 % 茶" });
    assertEquals(page.status, 200);
    assertMatch(textOf(page.text), /Added 100 % 茶/);
  });

  await t.step("lets a component read that streams late", async () => {
    const shopper = await signedIn(url);
    const response = await fetch(`${url}/late`, { headers: { cookie: shopper.cookie! } });
    const parts: string[] = [];
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) parts.push(part);
    assert(!parts[0]!.includes("The late part"), "it did not stream");
    assertMatch(parts.join(""), /The late part for Ada/);
  });
});

Deno.test("nextSession() extends a session that pages only read", async (t) => {
  await using running = await Running.start({ ...app, env: { ...app.env, TOUCH_INTERVAL: "0" } });
  const { url } = running;

  await t.step("in the proxy", async () => {
    const shopper = await signedIn(url);
    const { cookie } = shopper;
    await shopper.open("/account");
    const page = await shopper.open("/account");
    assertEquals([page.status, page.cookies.length, shopper.cookie], [200, 1, cookie]);
  });

  await t.step("and a route handler's new ID comes last", async () => {
    const shopper = await signedIn(url);
    const { cookie } = shopper;
    const page = await shopper.open("/regenerate");
    assertEquals(page.status, 200);
    assert(!page.cookies.at(-1)!.startsWith(cookie!));
    assertMatch(textOf((await shopper.show("/")).text), /Hello, Ada/);
  });
});
