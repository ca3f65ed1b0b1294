/** What a request is told that came too late. */
import { SessionError } from "../errors.ts";

/** The session ended while it was being written to. */
export function interrupted(): SessionError {
  return new SessionError(
    "ERR_SESSION_INTERRUPTED",
    "Cannot save the session: it was ended or given a new id meanwhile",
  );
}

/** The id of a new session belongs to another: 256 random bits do not do that. */
export function taken(): SessionError {
  return new SessionError(
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: its new id is taken; is generateId random?",
  );
}

/** Others were faster each time. */
export function conflict(attempts: number): SessionError {
  return new SessionError(
    "ERR_SESSION_CONFLICT",
    `Cannot save the session: others came first ${attempts} times`,
  );
}
