/** Sessions in encrypted cookies. */
import { type Session, SessionMiddleware, type SessionOptions } from "@pagi/session";
import { CookieStore, type CookieStoreOptions } from "../../store/cookie.ts";
import { cookieOf, fakeClock, requestWith } from "./helpers.ts";

export const secret = "a secret of more than 32 bytes, for tests";

/** Sets up a server with a CookieStore. */
export function setUp(
  options: Partial<CookieStoreOptions> = {},
  session: Partial<SessionOptions> = {},
) {
  const clock = fakeClock();
  const store = new CookieStore({ secret, now: clock.now, ...options });
  const events: string[] = [];
  const sessions = new SessionMiddleware({
    secret: "the secret for IDs: 32 bytes or more",
    store,
    now: clock.now,
    onEvent: ({ type }) => void events.push(type),
    ...session,
  });
  /** Runs a request with this cookie. The response contains the ID and the data. */
  const visit = (
    cookie: string | undefined,
    act: (session: Session) => unknown = () => {},
  ) =>
    sessions.run(requestWith(cookie === undefined ? {} : { cookie }), async (session) => {
      await act(session);
      return Response.json({ id: session.id, ...session.slice(...session.keys()) });
    });
  const signIn = async () =>
    cookieOf(await visit(undefined, (session) => session.set("user", "ada")));
  const load = async (cookie: string) => {
    const found = await sessions.load(requestWith({ cookie }));
    return found?.slice(...found.keys());
  };
  return { clock, store, events, sessions, visit, signIn, load };
}

/** Returns the value of a `name=value` pair. */
export const valueOf = (cookie: string) => cookie.slice(cookie.indexOf("=") + 1);
