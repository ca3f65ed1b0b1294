/** Sessions under test, on a clock that the test moves. */
import {
  type App,
  type HeaderPair,
  MemoryStore,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type SessionScope,
} from "@pagi/session";
import { respond } from "./client.ts";

/** Sessions on a clock that the test moves, with what happened to see. */
export function setUp(options: Partial<SessionOptions> = {}) {
  const clock = { seconds: 1_700_000_000 };
  const now = () => clock.seconds * 1000;
  const store = new MemoryStore({ now });
  const events: SessionEvent[] = [];
  const sessions = new SessionMiddleware({
    secret: "test",
    store,
    now,
    onEvent: (event) => events.push(event),
    ...options,
  });
  /** An app that does `work` on its session and answers. */
  const app = (work: (scope: SessionScope) => unknown, headers?: HeaderPair[]): App =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(scope);
      await respond(send, headers);
    });
  return { clock, store, sessions, events, app };
}

/** An app's work that writes one key. */
export const set = (key: string, value: unknown) => (scope: SessionScope) => {
  scope["pagi.session"][key] = value;
};
