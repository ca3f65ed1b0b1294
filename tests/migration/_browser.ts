/** A browser, as far as cookies go. */
import { CookieJar } from "npm:tough-cookie@6.1.0";

/** The same for every server: a browser's cookies do not care for the port. */
const SITE = "http://127.0.0.1/";

export class Browser {
  readonly #jar = new CookieJar();

  /** The names of the cookies that it has. */
  async names(): Promise<string[]> {
    return (await this.#jar.getCookies(SITE)).map(({ key }) => key);
  }

  /** What it sends as Cookie. */
  cookies(): Promise<string> {
    return this.#jar.getCookieString(SITE);
  }

  /** Takes a Set-Cookie. */
  async take(setCookie: string): Promise<void> {
    await this.#jar.setCookie(setCookie, SITE);
  }

  /** Sends a request, does what the answer says of cookies, and resolves to its JSON. */
  async request(fetched: Fetched, path: string, method = "GET"): Promise<unknown> {
    const { data, setCookies } = await send(fetched, path, await this.cookies(), method);
    for (const one of setCookies) await this.take(one);
    return data;
  }
}

/** A server's address, or an app's fetch. */
export type Fetched = string | ((request: Request) => Response | Promise<Response>);

/** Sends a request with these cookies. */
export async function send(fetched: Fetched, path: string, cookie: string, method = "GET") {
  const isAddress = typeof fetched === "string";
  const request = new Request(new URL(path, isAddress ? fetched : SITE), {
    method,
    headers: { cookie },
  });
  const response = await (isAddress ? fetch(request) : fetched(request));
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  return { data: await response.json(), setCookies: response.headers.getSetCookie() };
}
