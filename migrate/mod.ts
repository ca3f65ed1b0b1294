/**
 * Migrates from another session library without logging users out. {@linkcode MigratingState} reads
 * the old cookies, and {@linkcode LegacySessions} moves the old sessions. `docs/migrate.md`
 * describes it for express-session, hono-sessions, iron-session and PAGI.
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
