/** Lifetimes of single sessions, in a browser that is closed and opened again. */
import { assertEquals } from "@std/assert";
import { CookieStore, MemoryStore, SessionMiddleware } from "@pagi/session";
import { browserTest } from "./_chromium.ts";
import { Place } from "./_place.ts";
import { page } from "./_site.ts";

const SECRET = "the secret of the tests: 32 bytes or more";
const DAY = 86_400;

for (
  const [name, makeStore] of [
    ["MemoryStore", () => new MemoryStore()],
    ["CookieStore", () => new CookieStore({ secret: SECRET })],
  ] as const
) {
  browserTest(
    `a remembered session is found after a restart, and the other is not, with ${name}`,
    async () => {
      const sessions = new SessionMiddleware({
        secret: SECRET,
        store: makeStore(),
        onEvent: () => {},
      });
      const handler = sessions.handler(async (request, session) => {
        if (request.method === "POST") {
          const form = await request.formData();
          session.subject = String(form.get("user"));
          session.lifetime = form.has("remember")
            ? { idle: 30 * DAY, persistent: true }
            : { persistent: false };
        }
        return new Response(session.subject ?? "nobody");
      });
      await using at = await Place.open(handler);
      const { browser, site } = at;
      // Two hosts, because a browser has one session a host.
      const hosts = [["shop.test", "ada", true], ["other.test", "bob", false]] as const;
      for (const [host, user, isRemembered] of hosts) {
        const tab = await browser.tab();
        const box = isRemembered ? `<input type="checkbox" name="remember" checked>` : "";
        const fields = `<input name="user" value="${user}">${box}<button>Sign in</button>`;
        await tab.goto(
          site.at(host) + page(`<form method="post" action="/login">${fields}</form>`),
        );
        await Promise.all([tab.waitForURL("**/login"), tab.click("button")]);
        assertEquals(await tab.textContent("body"), user);
      }
      const kept = (await browser.jar()).map(({ domain, session }) => [domain, !session]);
      assertEquals(kept.sort(), [["other.test", false], ["shop.test", true]]);

      await browser.restart();
      for (const [host, expected] of [["shop.test", "ada"], ["other.test", "nobody"]] as const) {
        const tab = await browser.tab();
        await tab.goto(`${site.at(host)}/`);
        assertEquals(await tab.textContent("body"), expected);
      }
    },
  );
}
