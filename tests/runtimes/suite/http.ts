/** An app with sessions, and cases for its behavior over HTTP. */
import type { SessionMiddleware } from "@pagi/session";
import { type Cases, type Data, same } from "./_kit.ts";

const CONCURRENT = 20;
/** A response and headers that an app creates once and reuses for all clients. */
const NOTHING = new Response(null, { status: 404 });
const PLAIN = new Headers({ "content-type": "text/plain" });
const CHUNKS = ["one ", "two ", "three"];

/** Returns a fetch handler for any server. It responds to `/` with the session's data. */
export function app(sessions: SessionMiddleware<Data>): (request: Request) => Promise<Response> {
  return sessions.handler(async (request, session) => {
    switch (new URL(request.url).pathname.split("/").at(-1)) {
      case "add":
        session.update("n", (n = 0) => n + 1);
        break;
      case "login":
        session.set("user", "ada").regenerate();
        break;
      case "peek":
        return Response.json((await sessions.load(request))?.slice("user") ?? {});
      case "logout":
        session.destroy();
        break;
      case "stream":
        session.set("user", "eve");
        return new Response(streamed(), { headers: { "set-cookie": "theme=dark" } });
      case "nothing":
        session.set("user", "mallory");
        return NOTHING;
      case "plain":
        session.set("user", "trent");
        return new Response("plain", { headers: PLAIN });
      case "redirect":
        session.set("user", "bob");
        return Response.redirect(new URL("/", request.url).href, 303);
    }
    return Response.json(session.slice("user", "n"));
  });
}

/** Returns the cases for any store. `url` ends in a slash. */
export function overHttp(url: string): Cases {
  return {
    async "the session follows its client through visits, login and logout"() {
      const browser = new Browser(url);
      same(await browser.read(), {}, "a first visit");
      same(browser.cookies.size, 0, "the number of cookies");
      await browser.get("add");
      const anonymous = browser.cookies.get("pagi_session");
      await browser.get("add");
      await browser.get("login");
      same(browser.cookies.get("pagi_session") === anonymous, false, "that the id is the same");
      same(await browser.read(), { user: "ada", n: 2 });
      same(await (await browser.get("peek")).json(), { user: "ada" }, "what load() finds");
      await browser.get("logout");
      same(browser.cookies.size, 0, "the number of cookies");
      same(await browser.read(), {}, "a visit after the logout");
    },

    async "a streamed body is complete, and the app's own cookie stays beside the session's"() {
      const browser = new Browser(url);
      same(await (await browser.get("stream")).text(), CHUNKS.join(""));
      same([...browser.cookies.keys()].sort(), ["pagi_session", "theme"]);
      same(await browser.read(), { user: "eve" });
    },

    async "a redirect brings the cookie"() {
      const browser = new Browser(url);
      same((await browser.get("redirect")).status, 303);
      same(await browser.read(), { user: "bob" });
    },

    async "a reused response carries only the cookie of its client"() {
      for (const path of ["nothing", "plain"]) {
        const users = [new Browser(url), new Browser(url)];
        for (const user of users) await user.get(path);
        const ids = users.map(({ cookies }) => cookies.get("pagi_session"));
        same(ids[0] === ids[1], false, `that both have one session, of ${path}`);
        same(users.map(({ received }) => received), [1, 1], `what ${path} set`);
      }
    },

    async "one client's session is not another's"() {
      const [ada, bob] = [new Browser(url), new Browser(url)];
      await Promise.all([ada.get("login"), bob.get("redirect")]);
      same(await Promise.all([ada.read(), bob.read()]), [{ user: "ada" }, { user: "bob" }]);
    },
  };
}

/** Returns the cases for versioned stores. */
export function concurrentOverHttp(url: string): Cases {
  return {
    async "concurrent requests of one client all count"() {
      const browser = new Browser(url);
      await browser.get("add");
      await Promise.all(Array.from({ length: CONCURRENT }, () => browser.get("add")));
      same(await browser.read(), { n: CONCURRENT + 1 });
    },
  };
}

/** A browser that keeps its cookies. */
class Browser {
  readonly cookies = new Map<string, string>();
  /** The number of Set-Cookie headers received. */
  received = 0;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async get(path: string): Promise<Response> {
    const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(this.#url + path, { headers: { cookie }, redirect: "manual" });
    for (const setCookie of response.headers.getSetCookie()) {
      this.received++;
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(setCookie)!;
      if (setCookie.includes("Max-Age=0")) this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    if (response.status >= 500) throw new Error(`${path} is a ${response.status}`);
    // Read the body to its end, so that the connection is released.
    const body = await response.text();
    return new Response(body === "" ? null : body, response);
  }

  async read(): Promise<unknown> {
    return await (await this.get("")).json();
  }
}

function streamed(): ReadableStream<Uint8Array> {
  const chunks = CHUNKS.values();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = chunks.next();
      if (done) controller.close();
      else controller.enqueue(new TextEncoder().encode(value));
    },
  });
}
