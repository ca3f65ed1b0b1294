/** The app that has changed over, in this process. */
import { CookieState, MemoryStore, SessionMiddleware } from "@pagi/session";
import {
  LegacySessions,
  type LegacySessionsOptions,
  MigratingState,
  type MigratingStateOptions,
} from "@pagi/session/migrate";

const SECRET = "the new secret, of at least 32 bytes";

/** Its fetch handler, with a store of its own. */
export function newApp(
  cookie: MigratingStateOptions["legacy"],
  old: Pick<LegacySessionsOptions, "legacy" | "map">,
) {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware<Record<string, unknown>>({
    secret: SECRET,
    store,
    state: new MigratingState({
      state: new CookieState(),
      legacy: cookie,
      sessions: new LegacySessions({ secret: SECRET, store, ...old }),
    }),
  });
  return sessions.handler((request, session) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/logout") session.destroy();
    return Response.json(pathname === "/" ? session.slice(...session.keys()) : {});
  });
}
