/** Several tabs of one browser: requests that all send the first cookie. */
import { assertRejects } from "@std/assert";
import {
  MemoryStore,
  Session,
  SessionError,
  SessionMiddleware,
  type SessionOptions,
  type SessionScope,
} from "@pagi/session";
import { Client, respond } from "./client.ts";

/** The work of a request on its session. */
export type Work = (session: Session, scope: SessionScope) => unknown;

/** Sets up sessions on a MemoryStore, and a client whose session is `{ n: 0, a: 1, b: 1 }`. */
export async function setUp(options: Partial<SessionOptions> = {}) {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    ...options,
  });
  const app = (work: Work) =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(new Session(scope), scope);
      await respond(send);
    });
  const client = new Client(app((session) => session.set({ n: 0, a: 1, b: 1 })));
  await client.request();
  const { cookie, id } = client as { cookie: string; id: string };
  /** Sends a request with the first cookie. */
  const tab = (work: Work) => {
    const tab = new Client(app(work), cookie);
    return tab.request().then((answer) => ({ ...answer, id: tab.id! }));
  };
  const stored = async (of = id) => {
    const { _created, _last_access, _id, ...rest } = await store.get(of) ?? {};
    return rest;
  };
  return { store, sessions, tab, stored, id, cookie };
}

/** Resolves to the code of a request's error. */
export async function refused(request: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => request, SessionError)).code;
}

/** Sets up a client with a session, on a clock that the test moves. */
export async function setUpClock() {
  const clock = { seconds: 1_700_000_000 };
  const now = () => clock.seconds * 1000;
  const store = new MemoryStore({ now });
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now,
  });
  const app = (work: Work) =>
    sessions.wrap(async (scope, _receive, send) => {
      await work(new Session(scope), scope);
      await respond(send);
    });
  const client = new Client(app((session) => session.set("a", 1)));
  await client.request();
  return { store, clock, sessions, app, cookie: client.cookie! };
}
