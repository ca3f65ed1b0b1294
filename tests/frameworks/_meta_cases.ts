/**
 * The cases for meta-frameworks: a shop as a browser without scripts sees it. `apps/_shop.ts` says
 * what each page does.
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { type Page, Visitor } from "./_visitor.ts";

/** A form of a page. */
interface Form {
  action: string;
  method: string;
  enctype: string;
  fields: [name: string, value: string][];
}

/** A browser that shows pages and sends their forms. */
export class Shopper {
  readonly #origin: string;
  readonly visitor: Visitor;

  constructor(url: string, cookie?: string) {
    this.#origin = url;
    this.visitor = new Visitor(url, cookie);
  }

  /** The cookie, `name=value`. */
  get cookie(): string | undefined {
    return this.visitor.cookie;
  }

  /** Opens a page as a navigation does. */
  async open(path: string, init: RequestInit = {}): Promise<Page> {
    const headers = new Headers(init.headers);
    headers.set("accept", "text/html");
    headers.set("origin", this.#origin);
    headers.set("sec-fetch-site", "same-origin");
    headers.set("sec-fetch-mode", "navigate");
    headers.set("sec-fetch-dest", "document");
    return await this.visitor.get(path, { ...init, headers });
  }

  /** Opens a page and follows redirects. */
  async show(path: string): Promise<Page> {
    return await this.#follow(await this.open(path));
  }

  /** Returns the form with this `id` on a page. */
  async form(path: string, id: string): Promise<Form> {
    return findForm((await this.show(path)).text, id, path);
  }

  /** Sends a form without following the redirect. */
  async submit(form: Form, values: Record<string, string> = {}): Promise<Page> {
    const fields = [
      ...form.fields.filter(([name]) => !Object.hasOwn(values, name)),
      ...Object.entries(values),
    ];
    if (form.enctype === "multipart/form-data") {
      const body = new FormData();
      for (const [name, value] of fields) body.append(name, value);
      return await this.open(form.action, { method: form.method, body });
    }
    return await this.open(form.action, {
      method: form.method,
      body: new URLSearchParams(fields),
    });
  }

  /** Sends the form with this `id` of a page and follows redirects. */
  async send(path: string, id: string, values?: Record<string, string>): Promise<Page> {
    return await this.#follow(await this.submit(await this.form(path, id), values));
  }

  async #follow(page: Page): Promise<Page> {
    for (let hops = 0; page.status >= 300 && page.status < 400; hops++) {
      assert(hops < 5, "too many redirects");
      const { pathname, search } = new URL(page.headers.get("location")!, this.#origin);
      page = await this.open(pathname + search);
    }
    return page;
  }
}

/** The visible text of a page, on one line. */
export function textOf(html: string): string {
  return html
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<(script|style|head)\b[\s\S]*?<\/\1>/g, " ")
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#x27;", "'").replaceAll("&amp;", "&")
    .replace(/\s+/g, " ");
}

/** Finds the form with this `id` on a page. */
export function findForm(html: string, id: string, path: string): Form {
  for (const [, head, content] of html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)) {
    const attributes = attributesOf(head!);
    if (attributes.id !== id) continue;
    return {
      action: resolve(attributes.action ?? "", path),
      method: (attributes.method ?? "GET").toUpperCase(),
      enctype: attributes.enctype ?? "application/x-www-form-urlencoded",
      fields: [...content!.matchAll(/<input\b([^>]*)>/g)]
        .map(([, input]) => attributesOf(input!))
        .filter(({ name }) => name !== undefined)
        .map(({ name, value = "" }) => [name!, value]),
    };
  }
  throw new Error(`${path} has no form "${id}": ${textOf(html)}`);
}

/** The path of a form's target, as a browser resolves it. */
function resolve(action: string, path: string): string {
  const { pathname, search } = new URL(action === "" ? path : action, `http://app${path}`);
  return pathname + search;
}

function attributesOf(text: string): Record<string, string | undefined> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:$-]+)(?:="([^"]*)")?/g)].map((
      [, name, value],
    ) => [name!.toLowerCase(), unescape(value ?? "")]),
  );
}

function unescape(value: string): string {
  return value.replaceAll("&quot;", '"').replaceAll("&#x27;", "'").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Returns a visitor who has signed in. */
async function signedIn(url: string, name = "Ada"): Promise<Shopper> {
  const shopper = new Shopper(url);
  assertMatch(textOf((await shopper.send("/", "login", { name })).text), /Hello, Ada/);
  assert(shopper.cookie !== undefined);
  return shopper;
}

/** Asserts what a page says. */
async function assertShows(shopper: Shopper, path: string, text: RegExp): Promise<Page> {
  const page = await shopper.show(path);
  assertEquals(page.status, 200, textOf(page.text));
  assertMatch(textOf(page.text), text);
  return page;
}

/** Asserts that a page fails and that what it wrote is lost. */
async function assertSavesNothing(url: string, path: string): Promise<void> {
  const shopper = await signedIn(url);
  const page = await shopper.open(path);
  assertEquals(page.cookies, []);
  assert(page.status >= 400, String(page.status));
  const text = textOf((await shopper.show("/")).text);
  assertMatch(text, /Hello, Ada/);
  assert(!text.includes("never saved"), text);
  assertEquals((await new Shopper(url).open(path)).cookies, []);
}

/** Asserts that what an action wrote is lost. (TanStack Start answers 200 to a form that fails.) */
async function assertActionSavesNothing(url: string, id: string): Promise<void> {
  const shopper = await signedIn(url);
  // Some apps have these forms on a page of their own, because the documentation shows the first one.
  const form = await shopper.form("/", id).catch(() => shopper.form("/failing", id));
  const page = await shopper.submit(form);
  assertEquals(page.cookies, []);
  assert(page.status < 300 || page.status >= 400, "it redirects, as if it had worked");
  assert(!textOf((await shopper.show("/")).text).includes("never saved"));
  assertEquals((await new Shopper(url).submit(form)).cookies, []);
}

/** The cases, each for the app at `url`. */
export const META_CASES: Record<string, (url: string) => Promise<void>> = {
  "a visitor who only reads gets no cookie": async (url) => {
    const shopper = new Shopper(url);
    const page = await shopper.open("/");
    assertEquals([page.status, page.cookies], [200, []]);
    assertMatch(textOf(page.text), /Sign in/);
  },
  "login and logout": async (url) => {
    const shopper = new Shopper(url);
    const login = await shopper.submit(await shopper.form("/", "login"), { name: "Ada" });
    assert([302, 303].includes(login.status), String(login.status));
    assertEquals(login.cookies.length, 1);
    assertMatch(login.headers.get("cache-control") ?? "", /\bno-store\b/);
    const { cookie } = shopper;
    const stolen = new Shopper(url, cookie);
    await assertShows(shopper, "/", /Hello, Ada/);
    const logout = await shopper.submit(await shopper.form("/", "logout"));
    assert([302, 303].includes(logout.status), String(logout.status));
    assertEquals(shopper.cookie, undefined);
    await assertShows(shopper, "/", /Sign in/);
    await assertShows(stolen, "/", /Sign in/);
  },
  "login gives the session a new ID": async (url) => {
    const shopper = new Shopper(url);
    await shopper.send("/", "add", { item: "tea" });
    const before = new Shopper(url, shopper.cookie);
    assert(before.cookie !== undefined);
    await shopper.send("/", "login", { name: "Ada" });
    assertNotEquals(shopper.cookie, before.cookie);
    await assertShows(shopper, "/", /Hello, Ada.*Cart: tea/);
    const fixed = await before.open("/account");
    assert(fixed.status >= 300 && fixed.status < 400, textOf(fixed.text));
  },
  "a protected page": async (url) => {
    const stranger = await new Shopper(url).open("/account");
    assert(stranger.status >= 300 && stranger.status < 400, String(stranger.status));
    assertEquals(new URL(stranger.headers.get("location")!, url).pathname, "/");
    assert(!stranger.text.includes("Account of"));
    await assertShows(await signedIn(url), "/account", /Account of Ada/);
  },
  "a message is shown once": async (url) => {
    const shopper = await signedIn(url);
    const page = await shopper.send("/", "add", { item: "tea" });
    assertMatch(textOf(page.text), /Added tea.*Cart: tea/);
    assert(!textOf((await shopper.show("/")).text).includes("Added tea"));
    await assertShows(shopper, "/", /Cart: tea/);
  },
  "concurrent actions lose nothing": async (url) => {
    const shopper = await signedIn(url);
    const form = await shopper.form("/", "add");
    const items = Array.from({ length: 10 }, (_, at) => `item${at}`);
    const pages = await Promise.all(items.map((item) => shopper.submit(form, { item })));
    for (const { status } of pages) assert([302, 303].includes(status), String(status));
    const text = textOf((await shopper.show("/")).text);
    for (const item of items) assert(/Cart: (.*)/.exec(text)?.[1]?.includes(item), text);
  },
  "a page that throws saves nothing": async (url) => {
    await assertSavesNothing(url, "/broken");
  },
  "a page that throws an error below 500 saves nothing": async (url) => {
    await assertSavesNothing(url, "/forbidden");
  },
  "an action that throws saves nothing": async (url) => {
    await assertActionSavesNothing(url, "fail");
  },
  "an action that throws an error below 500 saves nothing": async (url) => {
    await assertActionSavesNothing(url, "refuse");
  },
  "an error of a session that a page throws gets its own response": async (url) => {
    const shopper = await signedIn(url);
    const page = await shopper.open("/interrupted");
    assertEquals([page.status, page.cookies], [409, []]);
    assertMatch(page.text, /^Your session ended or changed/);
  },
  "save() before an exception keeps what it saved": async (url) => {
    const shopper = new Shopper(url);
    const page = await shopper.open("/saved-then-broken");
    assertEquals([page.status, page.cookies.length], [500, 1]);
    await assertShows(shopper, "/", /Cart: saved/);
  },
  "no such page": async (url) => {
    const page = await new Shopper(url).open("/nowhere");
    assertEquals([page.status, page.cookies], [404, []]);
  },
  "a store that fails": async (url) => {
    const shopper = await signedIn(url);
    const page = await shopper.submit(await shopper.form("/", "add"), { item: "store-fails" });
    assertEquals([page.status, page.cookies], [503, []]);
    assertEquals(page.headers.get("location"), null);
    assert(!textOf((await shopper.show("/")).text).includes("store-fails"));
    const unreadable = new Shopper(url, `pagi_session=${"d".repeat(64)}`);
    assertEquals((await unreadable.open("/")).status, 503);
  },
  "a streamed page sends its cookie first": async (url) => {
    const shopper = new Shopper(url);
    const response = await fetch(`${url}/stream`, { headers: { accept: "text/html" } });
    assertEquals([response.status, response.headers.getSetCookie().length], [200, 1]);
    let first: string | undefined;
    let all = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      all += chunk;
      first ??= chunk;
    }
    assert(!first!.includes("The late part"), "it did not stream");
    assertMatch(all, /The late part/);
    shopper.visitor.cookie = response.headers.getSetCookie()[0]!.split(";")[0];
    await assertShows(shopper, "/", /Cart: streamed/);
  },
};
