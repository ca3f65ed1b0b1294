/** An app that migrates from another library, and a client. */
import {
  CookieState,
  MemoryStore,
  SessionMiddleware,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import {
  LegacyCookie,
  LegacySessions,
  type LegacySessionsOptions,
  type LegacySource,
  MigratingState,
} from "@pagi/session/migrate";
import { cookieOf, fakeClock, requestWith } from "./helpers.ts";

/** The old library's cookie of the first session. */
export const OLD = "old=abc";
const SECRET = "s";

/** Options of {@linkcode migrationRig}. */
export interface RigOptions extends Partial<SessionOptions> {
  legacy?: LegacySource;
  old?: Partial<LegacySessionsOptions>;
}

export function migrationRig({ legacy, old, ...options }: RigOptions = {}) {
  const clock = fakeClock();
  const store = options.store ?? new MemoryStore({ now: clock.now });
  const records = new Map<string, object>([["abc", { user: "ada" }]]);
  const source: LegacySource = legacy ?? {
    get: (value) => records.get(value),
    destroy: (value) => records.delete(value),
  };
  const moving = new LegacySessions({
    secret: SECRET,
    store: store as VersionedStore,
    legacy: source,
    now: clock.now,
    ...old,
  });
  const sessions = new SessionMiddleware<Record<string, unknown>>({
    secret: SECRET,
    store,
    now: clock.now,
    state: new MigratingState({
      state: new CookieState(),
      legacy: new LegacyCookie({ cookieName: "old" }),
      sessions: moving,
    }),
    ...options,
  });
  /** Runs a request with these cookies. The response's body is the session's data. */
  const visit = async (
    cookie: string,
    act: (session: Parameters<Parameters<typeof sessions.run>[1]>[0]) => unknown = () => {},
  ) => {
    const response = await sessions.run(requestWith({ cookie }), async (session) => {
      await act(session);
      return Response.json(session.slice(...session.keys()));
    });
    const cookies = response.headers.getSetCookie();
    const ours = cookies.find((one) => one.startsWith("pagi_session="));
    return { data: await response.json(), cookies, ours: ours && cookieOf(ours), response };
  };
  return { clock, moving, records, sessions, source, store, visit };
}
