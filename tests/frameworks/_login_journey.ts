/**
 * The journey through the login app of each documentation page: `GET /` says `Hello, NAME` or
 * `Sign in`, `POST /login` with the field `name` signs in, and `POST /logout` signs out.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Page, Visitor } from "./_visitor.ts";

const NAME = "Ada Lovelace";

/** Asserts that a page leads back to `/`. */
function assertLeadsHome({ status, headers, text }: Page, url: string): void {
  assert([302, 303].includes(status), `${status} ${text.slice(0, 500)}`);
  assertEquals(new URL(headers.get("location")!, url).pathname, "/");
}

async function assertSignedIn(visitor: Visitor): Promise<void> {
  const page = await visitor.get("/");
  assertEquals(page.status, 200);
  // Some templates mark where a value begins.
  assertMatch(page.text.replaceAll(/<!--.*?-->/g, ""), /Hello, Ada Lovelace/);
}

async function assertSignedOut(visitor: Visitor): Promise<void> {
  const { status, text } = await visitor.get("/");
  assertEquals([status, text.includes("Sign in")], [200, true], text.slice(0, 500));
  assert(!text.includes("Ada"), text);
}

/** How an app differs from that. */
export interface Journey {
  /** Signs in. By default, it posts the form to `/login`. */
  login?(visitor: Visitor, name: string): Promise<Page>;
  /** Signs out. By default, it posts to `/logout`. */
  logout?(visitor: Visitor): Promise<Page>;
}

/** Goes through a login app. */
export async function goThrough(
  url: string,
  {
    login = (visitor, name) => visitor.post("/login", { name }),
    logout = (visitor) => visitor.post("/logout"),
  }: Journey = {},
): Promise<void> {
  // A visitor who only reads gets no cookie.
  const visitor = new Visitor(url);
  await assertSignedOut(visitor);
  await assertSignedOut(visitor);
  assertEquals(visitor.cookie, undefined);

  assertLeadsHome(await login(visitor, NAME), url);
  assert(visitor.cookie !== undefined, "the login set no cookie");
  await assertSignedIn(visitor);
  await assertSignedOut(new Visitor(url));

  // Signing in again changes the ID, and the ID before is worth nothing.
  const before = visitor.copy();
  assertLeadsHome(await login(visitor, "Grace Hopper"), url);
  assert(visitor.cookie !== before.cookie, "the login kept the ID");
  await assertSignedOut(before);
  assertLeadsHome(await login(visitor, NAME), url);
  await assertSignedIn(visitor);

  // An ID that the server has not issued is not adopted.
  const planted = `pagi_session=${"a".repeat(64)}`;
  const victim = new Visitor(url, planted);
  await login(victim, NAME);
  assert(victim.cookie !== planted, "the login adopted a planted ID");
  await assertSignedOut(new Visitor(url, planted));

  const other = visitor.copy();
  assertLeadsHome(await logout(visitor), url);
  assertEquals(visitor.cookie, undefined);
  await assertSignedOut(visitor);
  // The ID is dead at the server, too.
  await assertSignedOut(other);
  await assertSignedIn(victim);
}
