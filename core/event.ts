/** The events that tell operators of problems. */

/**
 * A problem that the operator should know of. Without the option `onEvent`, most are written to
 * the console.
 *
 * | type | what happened |
 * | --- | --- |
 * | `request-failed` | a request failed because of its session; `cause` is the `SessionError`, whose `code` says why |
 * | `session-lost` | a client still sends an ID that was replaced more than two minutes ago: it never got the new one, or its cookie was copied |
 * | `store-without-guarantees` | the store cannot compare versions, or has no storage of its own; the message says what that means |
 * | `touch-failed` | the store failed to update a session's last-access time; the request went on |
 * | `record-corrupt` | the store returned a record that is not a valid session; the client got a new session |
 * | `ambiguous` | a request carried several session IDs, and none could be trusted |
 * | `public-response` | a response with a new ID had a `Cache-Control`, `CDN-Cache-Control` or `Surrogate-Control` that lets shared caches store it; it became `private, no-store` |
 * | `cleanup-failed` | the entry of an ended session in a per-user session index could not be removed; a later sign-in removes it |
 * | `subject-full` | a subject had more active sessions than its index can hold, about 50,000; the session used longest ago was ended |
 * | `destroy-failed` | the handler called `destroy()` and threw; then the store failed too |
 * | `fallback-changed` | a handler changed the fallback that `session.get(key, fallback)` returned, which is not saved; once |
 * | `cookie-nearly-full` | a session takes more than four fifths of what fits into its cookie, or into all chunks; the message names the largest key; once |
 * | `statements-unprepared` | a pooler does not keep the statements of `PostgresStore` prepared; the store no longer prepares them |
 * | `short-secret` | the middleware's `secret` has less than 32 bytes; once, when it is made |
 * | `place-taken` | the scope of a PAGI app holds the session of another middleware where this one puts its own; give one of them a `key` |
 * | `questionable-option` | an option has a value that cannot be kept, or is probably a mistake; the message says what happens instead; once, when the middleware is made |
 * | `changes-dropped` | a response with a status of 500 or more dropped changes, and no exception was reported; call `await session.save()` before such a response. In Express, `abortSession` reports exceptions |
 * | `cookie-dropped` | a cookie with `Secure` was sent over plain HTTP, and browsers drop it; once |
 * | `headers-dropped` | the session's headers could not be added to a 101 response or `Response.error()`, to one that was sent already, or to an error response that others make after `session.save()`. The message says if a session was not stored for that reason |
 */
export interface SessionEvent {
  /** The kind of problem. */
  type:
    | "request-failed"
    | "session-lost"
    | "store-without-guarantees"
    | "touch-failed"
    | "record-corrupt"
    | "ambiguous"
    | "public-response"
    | "cleanup-failed"
    | "subject-full"
    | "destroy-failed"
    | "fallback-changed"
    | "cookie-nearly-full"
    | "statements-unprepared"
    | "headers-dropped"
    | "changes-dropped"
    | "short-secret"
    | "place-taken"
    | "questionable-option"
    | "cookie-dropped";
  /** A description for people. It contains no ID, secret or session data. */
  message: string;
  /** The underlying error, if there is one. */
  cause?: unknown;
}
