/** Requests to an app in this process. */
import { inject, type Response as InjectedResponse } from "light-my-request";
import type { App } from "./contenders/contender.ts";

/** What an app answered. */
export interface Answer {
  status: number;
  body: string;
  setCookies: string[];
}

/** Makes one request with this Cookie header, or none; what comes back is nobody's concern. */
export type Visit = (cookie: string | undefined) => unknown;

const URL = "http://localhost/";

/** The fastest way to make requests to an app. */
export function visits(app: App): Visit {
  if ("listener" in app) {
    const listener = app.listener as Parameters<typeof inject>[0];
    return (cookie) => inject(listener, { url: "/", headers: cookieHeaders(cookie) });
  }
  if ("url" in app) return (cookie) => fetch(app.url, { headers: cookieHeaders(cookie) });
  return (cookie) => app.fetch(new Request(URL, { headers: cookieHeaders(cookie) }));
}

/** One request, and all that came back. */
export async function visit(app: App, cookie?: string): Promise<Answer> {
  const response = await visits(app)(cookie);
  if (response instanceof Response) {
    const setCookies = response.headers.getSetCookie();
    return { status: response.status, body: await response.text(), setCookies };
  }
  const { statusCode: status, payload: body, headers } = response as InjectedResponse;
  return { status, body, setCookies: [headers["set-cookie"] ?? []].flat() };
}

/** The Cookie header of a client that had no cookie before: of two with a name the last counts. */
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
