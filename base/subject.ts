/** Checks the subject of a session. */

/**
 * Whether `value` can be a subject. Half of a surrogate pair has no UTF-8: every such half would
 * become the same character, and with it two users would share an index of their sessions.
 */
export function isSubject(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.isWellFormed();
}

/**
 * Requires a value that can be a subject.
 *
 * @param purpose The action that the subject is for, as the message names it.
 * @throws {TypeError} If it is not one. The message does not contain it.
 */
export function checkSubject(purpose: string, value: unknown): asserts value is string {
  if (isSubject(value)) return;
  const why = typeof value !== "string" || value === ""
    ? "the subject must be a string that is not empty"
    : "the subject must be well-formed Unicode, and this one has half of a surrogate pair. Use " +
      "the user's ID from your database, and do not cut it within a character";
  throw new TypeError(`Cannot ${purpose}: ${why}`);
}
