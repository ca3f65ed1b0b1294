import { assertEquals } from "@std/assert";
import { createApp, visit } from "./_app.ts";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";

for (const cacheControl of [undefined, "no-cache", "no-store"]) {
  const isShown = cacheControl !== "no-store";
  browserTest(
    `Back after the sign-out shows ${
      isShown ? "the old page" : "nothing"
    } when it said Cache-Control: ${cacheControl ?? "nothing"}`,
    async () => {
      const { sessions, handler } = createApp();
      const account = sessions.handler((_request, session) => {
        const headers = new Headers({ "content-type": "text/html" });
        if (cacheControl !== undefined) headers.set("cache-control", cacheControl);
        return new Response(`<h1>${session.get("user", "nobody")}</h1>`, { headers });
      });
      await using at = await Place.open((request) =>
        new URL(request.url).pathname === "/account" ? account(request) : handler(request)
      );
      const { shop, tab } = at;
      await visit(tab, `${shop}/sign-in`);
      await tab.goto(`${shop}/account`);
      await visit(tab, `${shop}/sign-out`);
      await tab.goBack({ waitUntil: "commit" });
      assertEquals(await tab.textContent("h1"), isShown ? "Ada" : "nobody");
    },
  );
}
