/** The States, each with `handler`. */
import { SessionMiddleware, type SessionState } from "@pagi/session";
import { BearerState } from "@pagi/session/state/bearer";
import { CallbackState } from "@pagi/session/state/callback";
import { CookieState } from "@pagi/session/state/cookie";
import { HeaderState } from "@pagi/session/state/header";
import { type Cases, type Data, same, SECRET } from "./_kit.ts";

const PLAIN = "Path=/; HttpOnly; SameSite=Lax; Max-Age=3600";

export const states: Cases = {
  async "CookieState sends the ID in a cookie with the attributes of its options"() {
    const state = new CookieState({
      cookieName: "__Host-sid",
      cookieOptions: { secure: true, sameSite: "None", partitioned: true, priority: "High" },
    });
    const { first, second } = await twice(state, (response) => {
      const [setCookie] = response.headers.getSetCookie();
      return { cookie: setCookie!.split(";")[0]! };
    });
    const [pair, ...attributes] = first.headers.getSetCookie()[0]!.split("; ");
    same(/^__Host-sid=[0-9a-f]{64}$/.test(pair!), true, pair);
    const expected = "HttpOnly Max-Age=3600 Partitioned Path=/ Priority=High SameSite=None Secure";
    same(attributes.sort().join(" "), expected, "the attributes");
    same(await second.text(), "2", "the second visit");
  },

  async "HeaderState reads the ID from a header and sends it in one"() {
    const state = new HeaderState({ headerName: "X-Session", emit: "X-Session" });
    const { first, second } = await twice(state, (response) => ({
      "x-session": response.headers.get("x-session")!,
    }));
    same(first.headers.getSetCookie(), [], "the cookies");
    same(first.headers.get("vary"), "X-Session");
    same(await second.text(), "2", "the second visit");
  },

  async "BearerState reads the ID from Authorization"() {
    const { second } = await twice(new BearerState({ emit: "X-Token" }), (response) => ({
      authorization: `bearer ${response.headers.get("x-token")}`,
    }));
    same(await second.text(), "2", "the second visit");
  },

  async "CallbackState calls functions, one of them async"() {
    const cookie = new CookieState();
    const state = new CallbackState({
      extract: async ({ request }) => await Promise.resolve(request?.headers.get("x-mine") ?? ""),
      inject: (headers, id, options) => cookie.inject(headers, id, options),
      clear: (headers) => cookie.clear(headers),
      vary: ["X-Mine"],
    });
    const { first, second } = await twice(state, (response) => ({
      "x-mine": /=(\w+)/.exec(response.headers.getSetCookie()[0]!)![1]!,
    }));
    same(first.headers.getSetCookie()[0]!.endsWith(PLAIN), true, "that the cookie is a plain one");
    same(await second.text(), "2", "the second visit");
  },
};

/** Visits a counter twice. The second visit sends headers derived from the first response. */
async function twice(state: SessionState, next: (first: Response) => Record<string, string>) {
  const sessions = new SessionMiddleware<Data>({ secret: SECRET, state });
  const handler = sessions.handler((_request, session) => {
    session.update("n", (n = 0) => n + 1);
    return new Response(String(session.get("n")));
  });
  const first = await handler(new Request("http://localhost/"));
  const second = await handler(new Request("http://localhost/", { headers: next(first) }));
  return { first, second };
}
