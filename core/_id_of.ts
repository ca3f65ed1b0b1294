/** The id that is meant where an app names a session. */
import { Session } from "../session.ts";

/**
 * The id of a session that is named by it, or by the session itself.
 *
 * @param verb What was to be done with it.
 * @throws {TypeError} When it has none.
 */
export function idOf(idOrSession: unknown, verb: string): string {
  const id = idOrSession instanceof Session ? idOrSession.id : idOrSession;
  if (typeof id === "string" && id !== "") return id;
  throw new TypeError(`Cannot ${verb} the session: expected its id, or a Session that has one`);
}
