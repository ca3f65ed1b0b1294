/** Servers that share a secret and a store for revocations. */
import {
  MemoryStore,
  type ReplaceOptions,
  type Session,
  SessionMiddleware,
  type SessionOptions,
  type WriteOptions,
} from "@pagi/session";
import { CookieStore, type CookieStoreOptions } from "../../store/cookie.ts";
import { secret } from "./cookie_store.ts";
import { cookieOf, fakeClock, requestWith } from "./helpers.ts";

/** Records the ttl of each record, by the session's key. */
class Ledger extends MemoryStore {
  readonly ttls = new Map<string, number>();
  reads = 0;
  override read(id: string) {
    this.reads++;
    return super.read(id);
  }
  override create(id: string, text: string, options: WriteOptions) {
    this.ttls.set(id, options.ttl);
    return super.create(id, text, options);
  }
  override replace(id: string, text: string, options: ReplaceOptions) {
    this.ttls.set(id, options.ttl);
    return super.replace(id, text, options);
  }
}

/** Sets up a server, and a function that adds others. */
export function setUp(
  options: Partial<CookieStoreOptions> = {},
  session: Partial<SessionOptions> = {},
) {
  const clock = fakeClock();
  const revocations = new Ledger({ now: clock.now });
  /** Adds a server that shares only the secret and the revocations. */
  const server = (other: Partial<CookieStoreOptions> = {}) => {
    const store = new CookieStore({ secret, revocations, now: clock.now, ...options, ...other });
    const sessions = new SessionMiddleware({
      secret: "the secret for IDs: 32 bytes or more",
      store,
      now: clock.now,
      ...session,
    });
    const visit = (cookie: string | undefined, act: (session: Session) => unknown = () => {}) =>
      sessions.run(requestWith(cookie === undefined ? {} : { cookie }), async (session) => {
        await act(session);
        return Response.json({ id: session.id, user: session.get("user", undefined) });
      });
    const load = async (cookie: string) =>
      (await sessions.load(requestWith({ cookie })))?.get("user", undefined);
    return { store, sessions, visit, load };
  };
  const here = server();
  const signIn = async () =>
    cookieOf(await here.visit(undefined, (session) => session.set("user", "ada")));
  return { clock, revocations, server, signIn, ...here };
}

export const destroy = (session: Session) => session.destroy();
export const regenerate = (session: Session) => session.regenerate();
