/**
 * The bare handler and one more thing each, of those that no session can do without: what a server
 * asks for these before anything of a session is done.
 */
import { BARE_TEXT, BARE_WITH, type Contender, type FetchHandler } from "./contender.ts";
import { pagi } from "./pagi.ts";

/** For the part behind real servers alone. Neither loads nor stores. */
export const BARE_HEADERS: readonly Contender[] = [
  bareWith(BARE_WITH.cookie, (request) => new Response(textFor(request))),
  bareWith(BARE_WITH.vary, () => varying(new Response(BARE_TEXT))),
  bareWith(BARE_WITH.both, (request) => varying(new Response(textFor(request)))),
];

function bareWith(name: string, fetch: FetchHandler): Contender {
  return {
    name,
    framework: "fetch",
    stores: ["memory"],
    async open(setup) {
      const { apps: { regenerate: _, ...apps }, ...others } = await pagi.open(setup);
      // The rest of the apps stays: requests bring the cookies that a session would. What reads without a
      // session would find one under an old id, too.
      return { ...others, apps: { ...apps, read: { fetch } } };
    },
  };
}

function textFor(request: Request): string {
  return request.headers.get("cookie") === null ? "nobody" : BARE_TEXT;
}

function varying(response: Response): Response {
  response.headers.append("vary", "Cookie");
  return response;
}
