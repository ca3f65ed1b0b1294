/**
 * From other session libraries to this one, with nobody logged out: a {@linkcode MigratingState} reads
 * their cookies, and {@linkcode LegacySessions} moves their sessions. `docs/migrate.md` has it for
 * express-session, hono-sessions, iron-session and PAGI.
 *
 * @module
 */
export {
  type AdoptingSessions,
  MigratingState,
  type MigratingStateOptions,
} from "./migrating_state.ts";
export {
  ConnectCookie,
  type ConnectCookieOptions,
  LegacyCookie,
  type LegacyCookieOptions,
} from "./legacy_cookie.ts";
export {
  type ConnectSessions,
  connectSource,
  LegacySessions,
  type LegacySessionsOptions,
  type LegacySource,
  sealedSource,
} from "./legacy_sessions.ts";
