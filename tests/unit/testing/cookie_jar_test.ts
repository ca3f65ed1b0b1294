import { assertEquals } from "@std/assert";
import { testClock } from "@pagi/session/testing";
import { CookieJar } from "../../../testing/cookie_jar.ts";

/** A jar that has taken these cookies from a response of `url`, and what it sends where. */
function jarOf(url: string, ...cookies: string[]) {
  const clock = testClock();
  const jar = new CookieJar(clock.now);
  const headers = new Headers();
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  const refused = jar.take(headers, new URL(url));
  const sends = (to: string, { method = "GET", isSameSite = true } = {}) =>
    jar.headerFor({ url: new URL(to), method, isSameSite });
  return { clock, jar, refused, sends };
}

Deno.test("CookieJar sends a cookie without Domain only to its host", () => {
  const { sends } = jarOf("https://a.example/", "id=1");
  assertEquals(sends("https://a.example/x"), "id=1");
  assertEquals(sends("https://b.a.example/"), undefined);
  assertEquals(sends("https://other.example/"), undefined);
});

Deno.test("CookieJar sends a cookie with Domain to the hosts below it", () => {
  const { sends } = jarOf("https://www.shop.example/", "id=1; Domain=.shop.example");
  assertEquals(sends("https://shop.example/"), "id=1");
  assertEquals(sends("https://api.shop.example/"), "id=1");
  assertEquals(sends("https://notshop.example/"), undefined);
});

Deno.test("CookieJar refuses a cookie when its attributes do not fit", () => {
  for (
    const [url, cookie] of [
      ["https://a.example/", "id=1; Domain=b.example"],
      ["https://a.example/", "id=1; Domain=x.a.example"],
      ["https://a.example/", "id=1; Domain=example"],
      ["https://10.0.0.1/", "id=1; Domain=0.0.1"],
      ["http://a.example/", "id=1; Secure"],
      ["https://a.example/", "id=1; SameSite=None"],
      ["https://a.example/", "id=1; Partitioned"],
      ["https://a.example/", "__Secure-id=1"],
      ["https://a.example/", "__Host-id=1; Secure"],
      ["https://a.example/", "__Host-id=1; Secure; Path=/x"],
      ["https://a.example/", "__Host-id=1; Secure; Path=/; Domain=a.example"],
      ["https://a.example/", `id=${"x".repeat(4096)}`],
    ] as const
  ) {
    const { refused, sends } = jarOf(url, cookie);
    assertEquals([refused.length, sends(url)], [1, undefined], cookie);
  }
});

Deno.test("CookieJar takes Secure from localhost as browsers do", () => {
  for (const url of ["http://localhost:8000/", "http://127.0.0.1/", "http://a.localhost/"]) {
    assertEquals(jarOf(url, "__Host-id=1; Secure; Path=/").sends(url), "__Host-id=1");
  }
});

Deno.test("CookieJar sends a cookie at and below its path, the longest path first", () => {
  const { sends } = jarOf(
    "http://localhost/a/b",
    "x=1; Path=/",
    "y=2; Path=/a",
    "z=3",
    "r=4; Path=q",
  );
  assertEquals(sends("http://localhost/a/b"), "y=2; z=3; r=4; x=1");
  assertEquals(sends("http://localhost/ab"), "x=1");
  assertEquals(sends("http://localhost/"), "x=1");
});

Deno.test("CookieJar ends a cookie when its Max-Age is over", () => {
  const { clock, sends } = jarOf(
    "http://localhost/",
    "a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "b=2; Max-Age=x",
    "c=3; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "d=4; Expires=Thu, 01 Jan 2099 00:00:00 GMT",
  );
  assertEquals(sends("http://localhost/"), "a=1; b=2; d=4");
  clock.advance(59);
  assertEquals(sends("http://localhost/"), "a=1; b=2; d=4");
  clock.advance(1);
  assertEquals(sends("http://localhost/"), "b=2; d=4");
  clock.advance(400 * 86_400);
  assertEquals(sends("http://localhost/"), "b=2");
});

Deno.test("CookieJar.endBrowser() drops cookies that have no lifetime", () => {
  const { jar, sends } = jarOf("http://localhost/", "a=1; Max-Age=60", "b=2");
  jar.endBrowser();
  assertEquals(sends("http://localhost/"), "a=1");
});

Deno.test("CookieJar removes a cookie only if domain and path are the same", () => {
  const { jar, sends } = jarOf("http://localhost/", "id=1; Path=/a");
  const clear = (cookie: string) =>
    jar.take(new Headers({ "set-cookie": cookie }), new URL("http://localhost/a/x"));
  clear("id=; Path=/; Max-Age=0");
  assertEquals(sends("http://localhost/a"), "id=1");
  clear("id=; Path=/a; Max-Age=0");
  assertEquals(sends("http://localhost/a"), undefined);
});

Deno.test("CookieJar follows SameSite when another site makes the request", () => {
  const url = "https://a.example/";
  const { sends } = jarOf(
    url,
    "s=1; SameSite=Strict; Path=/",
    "l=2; Path=/",
    "n=3; SameSite=None; Secure; Path=/",
  );
  assertEquals(sends(url), "s=1; l=2; n=3");
  assertEquals(sends(url, { isSameSite: false }), "l=2; n=3");
  assertEquals(sends(url, { isSameSite: false, method: "POST" }), "n=3");
});

Deno.test("CookieJar reads a header as browsers do", () => {
  const { sends } = jarOf(
    "http://localhost/",
    " a = 1=2 ;Path=/",
    "b",
    "c=\x01",
    "",
    "=;",
    "d=\u00a0; MAX-AGE=60",
  );
  assertEquals(sends("http://localhost/"), "a=1=2; b; d=\u00a0");
});
