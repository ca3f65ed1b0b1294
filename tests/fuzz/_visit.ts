/** Requests through the PAGI entry point, which is fast enough for millions of them. */
import type { App, HeaderPair, Scope, SessionApp } from "@pagi/session";

const receive = () => Promise.resolve({ type: "http.request" });

/** The response headers for a request with these headers. */
export async function visit(app: App, headers: HeaderPair[] = []): Promise<HeaderPair[]> {
  const scope: Scope = { type: "http", method: "GET", path: "/", headers };
  let sent: HeaderPair[] = [];
  await app(scope, receive, (event) => {
    sent = event.headers as HeaderPair[];
    return Promise.resolve();
  });
  return sent;
}

/** An app that reads the session's data and responds. */
export const looking =
  (look: (data: Record<string, unknown>) => void): SessionApp => async (scope, _receive, send) => {
    look(scope["pagi.session"]);
    await send({ type: "http.response.start", status: 200, headers: [] });
  };
