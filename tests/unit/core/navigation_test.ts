/** Which requests are navigations. */
import { assertEquals } from "@std/assert";
import type { HeaderPair, Scope } from "@pagi/session";
import { isNavigation } from "../../../core/navigation.ts";
import { RequestScope } from "../../../core/entry/scope.ts";

/** Whether a GET with these headers is a navigation. */
function navigates(headers: Record<string, string> | HeaderPair[], rest: Partial<Scope> = {}) {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  return isNavigation({ type: "http", method: "GET", path: "/", headers: pairs, ...rest });
}

const HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

Deno.test("isNavigation() believes Sec-Fetch-Dest, whatever else the request accepts", () => {
  assertEquals(navigates({ "sec-fetch-dest": "document" }), true);
  for (const destination of ["iframe", "frame", "empty", "image", "script", "", "Document"]) {
    assertEquals(navigates({ "sec-fetch-dest": destination, accept: HTML }), false, destination);
  }
});

Deno.test("isNavigation() looks for HTML in Accept when there is no Sec-Fetch-Dest", () => {
  for (
    const accept of [
      HTML,
      "text/html",
      "application/xhtml+xml",
      "TEXT/HTML;q=0.1",
      "*/*, text/html",
    ]
  ) {
    assertEquals(navigates({ accept }), true, accept);
  }
  for (const accept of ["", "*/*", "application/json", "text/plain", "text/html5", "xtext/html"]) {
    assertEquals(navigates({ accept }), false, accept);
  }
  assertEquals(navigates({}), false);
});

Deno.test("isNavigation() is false for every method but GET", () => {
  for (const method of ["POST", "HEAD", "PUT", "get", "", undefined]) {
    assertEquals(navigates({ "sec-fetch-dest": "document", accept: HTML }, { method }), false);
  }
});

Deno.test("isNavigation() is false when the page is loaded in advance", () => {
  const purposes = {
    "sec-purpose": ["prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip", "PREFETCH"],
    purpose: ["prefetch", "preview"],
    "x-moz": ["prefetch"],
  };
  for (const [name, values] of Object.entries(purposes)) {
    for (const value of values) {
      assertEquals(navigates({ [name]: value, "sec-fetch-dest": "document" }), false, value);
      assertEquals(navigates({ [name]: value, accept: HTML }), false, value);
    }
    assertEquals(navigates({ [name]: "", accept: HTML }), true, name);
  }
});

Deno.test("isNavigation() finds headers in any case, and none in a scope without headers", () => {
  assertEquals(navigates({ "Sec-Fetch-Dest": "document" }), true);
  assertEquals(navigates({ ACCEPT: HTML }), true);
  assertEquals(navigates({ "Sec-Purpose": "prefetch", ACCEPT: HTML }), false);
  assertEquals(isNavigation({ type: "http", method: "GET" }), false);
});

Deno.test("isNavigation() never throws on what a server puts into the headers", () => {
  for (
    const pair of [[undefined, undefined], [1, 2], ["accept"], ["accept", null], ["accept", {}]]
  ) {
    assertEquals(navigates([pair as never]), false);
  }
  assertEquals(navigates([["accept", ["text/html"] as never]]), true);
});

Deno.test("isNavigation() reads a fetch request", () => {
  const of = (init: RequestInit) => isNavigation(new RequestScope(new Request("http://a/", init)));
  assertEquals(of({ headers: { accept: HTML } }), true);
  assertEquals([of({}), of({ method: "POST", headers: { accept: HTML } })], [false, false]);
});
