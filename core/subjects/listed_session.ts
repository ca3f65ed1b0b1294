/** How all sessions of a subject are asked for, and what they look like. */
import type { Member } from "./subject_sessions.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { Session } from "../../session.ts";

/** One of a subject's sessions. */
export interface ListedSession<Data extends object = Record<string, unknown>> {
  /** What stands for its id, which is not to be shown: 32 hex digits, of no use but for `destroyListed`. */
  hash: string;
  /** When it was made, in Unix seconds. */
  created: number;
  /** When it was last used, in Unix seconds; up to `touchInterval` more. */
  lastAccess: number;
  /** Whether it is the one that asked. */
  current: boolean;
  /** The session for reading, without its id. */
  session: Session<Data>;
}

/** Options of `sessions.list`. */
export interface ListOptions<Data extends object = Record<string, unknown>> {
  /**
   * The session that asks, or its id.
   *
   * @default {undefined, none of them}
   */
  current?: string | Session<Data>;
}

/** Options of `sessions.destroyAll`. */
export interface DestroyAllOptions<Data extends object = Record<string, unknown>> {
  /**
   * The session that stays, or its id.
   *
   * @default {undefined, none of them}
   */
  except?: string | Session<Data>;
}

/** What is shown of a session to whom it belongs. */
export function show<Data extends object>(
  lifecycle: Lifecycle,
  { hash, record: { created, lastAccess, data }, isCurrent }: Member,
): ListedSession<Data> {
  // Without its id: whoever shows the list must not show that.
  const shown = Object.assign(Object.create(null), data, { _last_access: lastAccess });
  const session = new Session<Data>(lifecycle.snapshot(shown));
  return { hash, created, lastAccess, current: isCurrent, session };
}
