/** The cookie that clears another repeats each of its attributes, so that browsers delete that one. */
import { assertEquals, assertMatch } from "@std/assert";
import { type CookieOptions, Session } from "@pagi/session";
import { Client } from "../_kit/client.ts";
import { set, setUp } from "../_kit/pagi_app.ts";

const OPTIONS: Record<string, CookieOptions> = {
  "the default attributes": {},
  "no expiry": { maxAge: false },
  "every attribute": {
    path: "/shop",
    domain: "example.com",
    secure: true,
    httpOnly: true,
    sameSite: "None",
    partitioned: true,
    priority: "High",
  },
};

for (const [what, cookieOptions] of Object.entries(OPTIONS)) {
  Deno.test(`destroy() sends a cookie with the attributes of the first one when it has ${what}`, async () => {
    const { app } = setUp({ cookieOptions });
    const client = new Client(app(set("a", 1)));
    const { cookies: [first] } = await client.request();
    const signOut = app((scope) => new Session(scope).destroy());
    const { cookies: [clearing] } = await new Client(signOut, client.cookie).request();
    assertMatch(clearing!, /^pagi_session=;.*; Max-Age=0$/);
    assertEquals(attributes(clearing!), attributes(first!));
  });
}

/** Returns the attributes of a cookie besides its lifetime. */
function attributes(cookie: string): string[] {
  return cookie.split("; ").slice(1).filter((attribute) => !attribute.startsWith("Max-Age="));
}
