/** The way back from an identity provider, as Chromium really goes it. */
import { assertEquals } from "@std/assert";
import { SessionMiddleware } from "@pagi/session";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";
import type { Handler } from "./_site.ts";

/** The app of docs/how-to/oauth.md, whose provider is on another site of the same server. */
function createApp(provider: () => string): Handler {
  const secret = "the secret of the tests: 32 bytes or more";
  const cookieOptions = { secure: true } as const;
  const sessions = new SessionMiddleware<{ cart: string; state: string }>({
    secret,
    cookieName: "__Host-sid",
    cookieOptions,
  });
  const logins = new SessionMiddleware<{ state: string; code?: string }>({
    secret,
    key: "login",
    expire: 600,
    cookieName: "__Host-login",
    cookieOptions: { ...cookieOptions, sameSite: "None" },
  });
  const redirect = (location: string) => new Response(null, { status: 303, headers: { location } });
  const authorize = (mode: string, state: string) =>
    redirect(`${provider()}/authorize?${new URLSearchParams({ mode, state })}`);

  return logins.handler(async (request, login) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/authorize") {
      const state = searchParams.get("state")!;
      const back = new URL(request.url).searchParams.get("mode") === "post"
        ? `<form method="post" action="${shopOf(request)}/callback-post">
            <input name="state" value="${state}"><input name="code" value="ada"><button>Go</button>
          </form>`
        : `<a href="${shopOf(request)}/callback-get?state=${state}&code=ada">Go</a>`;
      return new Response(back, { headers: { "content-type": "text/html" } });
    }
    if (pathname === "/login-post") {
      login.set("state", crypto.randomUUID());
      return authorize("post", login.get("state"));
    }
    if (pathname === "/callback-post") {
      const form = await request.formData();
      if (form.get("state") !== login.pull("state", undefined)) {
        return new Response("refused", { status: 400 });
      }
      login.set("code", String(form.get("code")));
      return redirect("/done");
    }
    return await sessions.run(request, (session) => {
      switch (pathname) {
        case "/cart":
          session.set("cart", "tea");
          break;
        case "/login-get":
          session.set("state", crypto.randomUUID());
          return authorize("get", session.get("state"));
        case "/callback-get":
          if (searchParams.get("state") !== session.pull("state", undefined)) {
            return new Response("refused", { status: 400 });
          }
          session.subject = searchParams.get("code")!;
          return redirect("/");
        case "/done": {
          const code = login.pull("code", undefined);
          if (code === undefined) return new Response("refused", { status: 400 });
          session.subject = code;
          login.destroy();
          return redirect("/");
        }
      }
      return new Response(`${session.subject}: ${session.get("cart", "nothing")}`);
    });
  });
}

/** The app, as seen from the provider. */
const shopOf = (request: Request) => new URL(request.url).origin.replace("other.test", "shop.test");

for (const way of ["get", "post"]) {
  browserTest(`a login that returns by a cross-site ${way} keeps the cart`, async () => {
    let provider = "";
    const app = createApp(() => provider);
    await using at = await Place.open(app, { scheme: "https" });
    const { shop, site, tab } = at;
    provider = site.at("other.test");
    await tab.goto(`${shop}/cart`);
    await tab.goto(`${shop}/login-${way}`);
    await Promise.all([tab.waitForURL(`${shop}/`), tab.click(way === "get" ? "a" : "button")]);
    assertEquals(await tab.textContent("body"), "ada: tea");
    // The same callback again.
    await tab.goBack({ waitUntil: "commit" });
    const returned = tab.waitForResponse((response) => response.url().includes("/callback-"));
    await tab.click(way === "get" ? "a" : "button");
    assertEquals((await returned).status(), 400);
  });
}
