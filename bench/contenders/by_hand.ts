/**
 * A session by hand, for the least that any can cost: the headers, a Map and JSON, and nothing that
 * makes it safe. No id is checked, none expires, of two writes one is lost.
 */
import { type Action, actions, ACTS, isWriting, plain, type SessionContent } from "../scenarios.ts";
import { appsOf, BARE_TEXT, BY_HAND, type Contender, type FetchHandler } from "./contender.ts";

/** What the Cookie header starts with. */
export const NAME = "session=";
const ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600";

export const byHand: Contender = {
  name: BY_HAND,
  framework: "fetch",
  stores: ["memory"],
  open({ data }) {
    const texts = new Map<string, string>();
    const does = actions(plain, data);
    const apps = appsOf(ACTS, (act) => handlerByHand(texts, act, does[act]));
    return { apps, bare: { fetch: () => new Response(BARE_TEXT) } };
  },
};

/** A handler that keeps its sessions' JSON in `texts`, by their ids. */
export function handlerByHand(
  texts: Map<string, string>,
  act: typeof ACTS[number],
  does: Action<Partial<SessionContent>>,
): FetchHandler {
  const isNewId = act === "new" || act === "regenerate";
  return (request) => {
    const old = request.headers.get("cookie")?.slice(NAME.length) ?? "";
    const text = texts.get(old);
    const session: Partial<SessionContent> = text === undefined ? {} : JSON.parse(text);
    const response = new Response(does(session));
    response.headers.append("vary", "Cookie");
    if (!isWriting(act)) return response;
    if (!isNewId) {
      texts.set(old, JSON.stringify(session));
      return response;
    }
    const id = crypto.randomUUID();
    texts.delete(old);
    texts.set(id, JSON.stringify(session));
    response.headers.append("set-cookie", NAME + id + ATTRIBUTES);
    response.headers.append("cache-control", "no-store");
    return response;
  };
}
