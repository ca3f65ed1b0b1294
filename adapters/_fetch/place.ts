/** The place of the session in an object that a framework makes for each request. */
import { placeTaken } from "../../base/check_options.ts";
import type { SessionMiddleware } from "../../middleware.ts";
import { Session } from "../../session.ts";

/** The middleware of each session that lies in a place. */
const owners = new WeakMap<object, unknown>();

/** The place of one middleware's sessions: a property of the request's `locals` or `context`. */
export class Place<Data extends object> {
  readonly #sessions: SessionMiddleware<Data>;
  readonly #container: string;
  readonly key: string;

  /** @param container The name of the object, for messages: `context.locals`. */
  constructor(sessions: SessionMiddleware<Data>, container: string) {
    this.#sessions = sessions;
    this.#container = container;
    this.key = sessions.key ?? "session";
  }

  /**
   * The session that this middleware has put there, if it has.
   *
   * @throws {TypeError} If something else lies there.
   */
  find(container: object): Session<Data> | undefined {
    const present: unknown = (container as Record<string, unknown>)[this.key];
    if (present === undefined) return undefined;
    if (present instanceof Session && owners.get(present) === this.#sessions) return present;
    throw placeTaken(`${this.#container}.${this.key}`);
  }

  /** Puts the session there. */
  put(container: object, session: Session<Data>): void {
    this.own(session);
    (container as Record<string, unknown>)[this.key] = session;
  }

  /** Notes that the session is this middleware's, for a framework that puts it there itself. */
  own(session: Session<Data>): void {
    owners.set(session, this.#sessions);
  }

  /**
   * The session of a request, with its type.
   *
   * @throws {TypeError} If the middleware has not run for this request.
   */
  of(container: object): Session<Data> {
    const session = this.find(container);
    if (session !== undefined) return session;
    throw new TypeError(
      `Cannot find the session: ${this.#container}.${this.key} is missing. Is the session's ` +
        "middleware installed, before the code that asks for it?",
    );
  }
}
