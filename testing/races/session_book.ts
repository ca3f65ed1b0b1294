/** The expected sessions of a race, by everything that names them. */
import type { ExpectedSession } from "./expected.ts";
import { keyOf } from "./ids.ts";

export class SessionBook {
  /** The session that each ID and each cookie value belongs to. */
  readonly #sessions = new Map<string, ExpectedSession>();
  /** The session that each key belongs to, if the store has versions. */
  readonly #keys = new Map<string, ExpectedSession>();
  readonly #isVersioned: boolean;

  constructor(isVersioned: boolean) {
    this.#isVersioned = isVersioned;
  }

  /** Every session, in the order of their beginning. */
  get all(): ExpectedSession[] {
    return [...new Set(this.#sessions.values())];
  }

  /** Adds a session. */
  add(session: ExpectedSession): void {
    const { id, cookie } = session;
    this.name(session, id, cookie);
    if (this.#isVersioned) this.#keys.set(keyOf(id), session);
  }

  /** Adds IDs or cookie values of a session. */
  name(session: ExpectedSession, ...names: string[]): void {
    for (const name of names) this.#sessions.set(name, session);
  }

  /** The session that an ID or a cookie value belongs to. */
  get(name: string | undefined): ExpectedSession | undefined {
    if (name === undefined) return undefined;
    return this.#sessions.get(name) ?? this.#keys.get(keyOf(name));
  }

  /** Whether an ID or a cookie value is known, and not only the key in it. */
  has(name: string): boolean {
    return this.#sessions.has(name);
  }
}
