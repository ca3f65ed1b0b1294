/** PAGI apps with sessions, on a clock that tests move. */
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

/** Sets up sessions, a clock and their events. */
export function setUp(options: Partial<SessionOptions> = {}) {
  const clock = { seconds: 1_700_000_000 };
  const now = () => clock.seconds * 1000;
  const store = new MemoryStore({ now });
  const events: SessionEvent[] = [];
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now,
    onEvent: (event) => events.push(event),
    ...options,
  });
  /** Creates an app that does `work` on its session and responds. */
  const app = (work: (scope: SessionScope) => unknown, headers?: HeaderPair[]): App =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(scope);
      await respond(send, headers);
    });
  return { clock, store, sessions, events, app };
}

/** Returns work that writes one key. */
export const set = (key: string, value: unknown) => (scope: SessionScope) => {
  scope["pagi.session"][key] = value;
};
