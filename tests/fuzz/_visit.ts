/** A visit through the cheapest door: a million of them take seconds. */
import type { App, HeaderPair, Scope, SessionApp } from "@pagi/session";

const receive = () => Promise.resolve({ type: "http.request" });

/** The headers of an app's answer to a request with these headers. */
export async function visit(app: App, headers: HeaderPair[] = []): Promise<HeaderPair[]> {
  const scope: Scope = { type: "http", method: "GET", path: "/", headers };
  let sent: HeaderPair[] = [];
  await app(scope, receive, (event) => {
    sent = event.headers as HeaderPair[];
    return Promise.resolve();
  });
  return sent;
}

/** An app that looks at its session's data, and answers. */
export const looking =
  (look: (data: Record<string, unknown>) => void): SessionApp => async (scope, _receive, send) => {
    look(scope["pagi.session"]);
    await send({ type: "http.response.start", status: 200, headers: [] });
  };
