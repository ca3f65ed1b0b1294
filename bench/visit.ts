/** Requests to an app in this process. */
import type { InjectApp, LocalApp } from "./contenders/contender.ts";

/** The answer of an app. */
export interface Answer {
  status: number;
  body: string;
  setCookies: string[];
}

/** Makes one request with this Cookie header, or without one, and ignores the answer. */
export type Visit = (cookie: string | undefined) => unknown;

const URL = "http://localhost/";

/** The fastest way to make requests to an app. */
export function visits(app: LocalApp): Visit {
  if ("inject" in app) return (cookie) => app.inject(cookieHeaders(cookie));
  return (cookie) => app.fetch(new Request(URL, { headers: cookieHeaders(cookie) }));
}

/** Makes one request, and returns the whole answer. */
export async function visit(app: LocalApp, cookie?: string): Promise<Answer> {
  const response = await visits(app)(cookie);
  if (response instanceof Response) {
    const setCookies = response.headers.getSetCookie();
    return { status: response.status, body: await response.text(), setCookies };
  }
  const { statusCode: status, payload: body, headers } = response as Awaited<
    ReturnType<InjectApp["inject"]>
  >;
  return { status, body, setCookies: [headers["set-cookie"] ?? []].flat() };
}

/** The Cookie header of a client after this answer: of two cookies with one name the last counts. */
export function cookieOf({ setCookies }: Answer): string {
  const jar = new Map<string, string>();
  for (const cookie of setCookies) {
    const pair = cookie.split(";", 1)[0]!;
    jar.set(pair.slice(0, pair.indexOf("=")), pair);
  }
  return [...jar.values()].join("; ");
}

const NO_HEADERS = {};

function cookieHeaders(cookie: string | undefined): { cookie?: string } {
  return cookie === undefined ? NO_HEADERS : { cookie };
}
