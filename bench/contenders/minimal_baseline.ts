/**
 * The minimal baseline: what no session can do without, namely the headers, a Map, JSON and random
 * ids. It gives no guarantee: nothing checks an ID, nothing expires, concurrent writes are lost.
 */
import { Buffer } from "node:buffer";
import { actions, ACTS, isWriting, plain } from "../scenarios.ts";
import type { Act, Action, SessionContent } from "../scenarios.ts";
import { appsOf, BARE_TEXT, BASELINE } from "./contender.ts";
import type { Contender, FetchHandler, Opened } from "./contender.ts";

const NAME = "session=";
const ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600";
const ID_BYTES = 32;

/** Bytes as hex digits, as fast as the runtime can; Node 24 has no `toHex()`. */
const toHex = "toHex" in Uint8Array.prototype
  ? (bytes: Uint8Array<ArrayBuffer>) => bytes.toHex()
  : (bytes: Uint8Array<ArrayBuffer>) => Buffer.from(bytes.buffer).toString("hex");

export const minimalBaseline: Contender = {
  name: BASELINE,
  framework: "fetch",
  stores: ["memory"],
  open({ data }) {
    const texts = new Map<string, string>();
    const apps = baselineApps(texts, data);
    return { apps, bare: { fetch: () => new Response(BARE_TEXT) }, clear: () => texts.clear() };
  },
};

/** The apps that keep each session's JSON in `texts`, by ID. */
export function baselineApps(texts: Map<string, string>, data: SessionContent): Opened["apps"] {
  const does = actions(plain, data);
  return appsOf(ACTS, (act) => baselineHandler(texts, act, does[act]));
}

function baselineHandler(
  texts: Map<string, string>,
  act: Act,
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
    const id = toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
    texts.delete(old);
    texts.set(id, JSON.stringify(session));
    response.headers.append("set-cookie", NAME + id + ATTRIBUTES);
    response.headers.append("cache-control", "no-store");
    return response;
  };
}
