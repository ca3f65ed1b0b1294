/** The operations of a `Session` that the rules carry out. */
export interface SessionLink {
  /** Saves the session now. Resolves to what the client will send, if that is anything. */
  save(): Promise<string | undefined>;
  /** Notes that the session is used. Resolves to whether there is such a session. */
  touch(): Promise<boolean>;
}
