import type { SessionLifetime } from "../base/lifetime.ts";

/** The operations of a `Session` that the rules carry out, and the facts that they know. */
export interface SessionLink {
  /** The flash messages of the stored session. */
  readonly messages: readonly string[];
  /** The session's own lifetime, before the request changes it. */
  readonly lifetime: SessionLifetime | undefined;
  /** When the session ends if it is not used again, in Unix seconds. */
  readonly expiresAt: number | undefined;
  /** Saves the session now. Resolves to what the client will send, if that is anything. */
  save(): Promise<string | undefined>;
  /** Notes that the session is used. Resolves to whether there is such a session. */
  touch(): Promise<boolean>;
  /** Whether the client's own code has put the session's ID into a header of the request. */
  readonly isExplicit: boolean;
  /** Makes a CSRF token for the session as its response leaves it. */
  csrfToken(): string;
  /** Whether a client has sent a CSRF token of the session as its request found it. */
  isCsrfToken(text: string): boolean;
}
