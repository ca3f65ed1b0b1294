/** How `sessions.list` and `sessions.destroyAll` are called, and what they return. */
import { Session } from "../../session.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { SubjectSession } from "./subject_sessions.ts";

/** One of a subject's sessions. */
export interface ListedSession<Data extends object = Record<string, unknown>> {
  /**
   * Stands for the session's ID, which must not be shown: 32 hex digits, for `destroyListed` only.
   */
  hash: string;
  /** When the session was created, in Unix seconds. */
  created: number;
  /**
   * When the session was last used, in Unix seconds. The real time may be up to `touchInterval`
   * later.
   */
  lastAccess: number;
  /** When the session ends if it is not used again, in Unix seconds. */
  expiresAt: number;
  /** Whether it is the session that asked. */
  current: boolean;
  /** The session for reading, without its ID. */
  session: Session<Data>;
}

/** Options of `sessions.list`. */
export interface ListOptions<Data extends object = Record<string, unknown>> {
  /**
   * Marks this session, or the session with this ID, as the current one.
   *
   * @default {undefined, no session}
   */
  current?: string | Session<Data>;
}

/** Options of `sessions.destroyAll`. */
export interface DestroyAllOptions<Data extends object = Record<string, unknown>> {
  /**
   * Keeps this session, or the session with this ID.
   *
   * @default {undefined, no session}
   */
  except?: string | Session<Data>;
}

/** A subject's session as its user may see it. */
export function toListedSession<Data extends object>(
  lifecycle: Lifecycle,
  { hash, session: stored, isCurrent }: SubjectSession,
): ListedSession<Data> {
  const { created, lastAccess, data } = stored;
  // Without the ID, which a page that shows the list must not reveal.
  const shown = Object.assign(Object.create(null), data, { _last_access: lastAccess });
  const session = new Session<Data>(lifecycle.snapshot(shown, undefined, stored));
  return {
    hash,
    created,
    lastAccess,
    expiresAt: session.expiresAt!,
    current: isCurrent,
    session,
  };
}
