/**
 * {@linkcode MigratingState}: a State that also knows clients by what another session library gave
 * them, so that nobody is logged out when an app changes over.
 *
 * @module
 */
import { after, type Awaitable } from "../_awaitable.ts";
import { checkOptions, hasMethods } from "../_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { type Extracted, type InjectOptions, type SessionState, State } from "./state.ts";

/** What a {@linkcode MigratingState} asks of the old sessions; a `LegacySessions` does it. */
export interface AdoptingSessions {
  /** The id, or sealed session, that an old one has now; moves it over if that is still to do. */
  adopt(value: string): Awaitable<string | undefined>;
  /** Whether there is a session of ours under what the client presents. */
  holds(presented: string): Awaitable<boolean>;
}

/** Options of {@linkcode MigratingState}. */
export interface MigratingStateOptions {
  /** How ids travel from now on. */
  state: SessionState;
  /** What the old library gave its clients: a `LegacyCookie`, a `ConnectCookie`, or any State. */
  legacy: Pick<SessionState, "extract" | "clear" | "vary">;
  /** Where the old sessions are, and where they go. */
  sessions: AdoptingSessions;
}

/** How many of a client's candidates are looked at, as in lifecycle. */
const MAX_CANDIDATES = 4;

/**
 * Reads what `state` reads and, from clients that have no session there, what `legacy` reads. It
 * sends what `state` sends: a client that came with an old cookie is given a new one with the first
 * response that tells of its session, and each of these removes the old cookie.
 *
 * A client that presents a session of both kinds has the new one.
 *
 * @example From express-session
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { CookieState, MemoryStore, SessionMiddleware } from "@pagi/session";
 * import { ConnectCookie, LegacySessions, MigratingState } from "@pagi/session/migrate";
 *
 * const secret = "change me";
 * const store = new MemoryStore();
 * const old = new Map([["abc", { user: "ada" }]]);
 * const sessions = new SessionMiddleware<{ user: string }>({
 *   secret,
 *   store,
 *   state: new MigratingState({
 *     state: new CookieState(),
 *     legacy: new ConnectCookie({ secret: "keyboard cat" }),
 *     sessions: new LegacySessions({ secret, store, legacy: { get: (sid) => old.get(sid) } }),
 *   }),
 * });
 * const handler = sessions.handler((_request, session) => new Response(session.get("user")));
 *
 * const cookie = "connect.sid=s%3Aabc.BpxCrWRpvZMh%2Fwk%2Fdjl34N%2Bm%2BVQEU7K%2F5WenLwJCgFU";
 * const response = await handler(new Request("http://localhost/", { headers: { cookie } }));
 * assertEquals(await response.text(), "ada");
 * const [removed, given] = response.headers.getSetCookie();
 * assertEquals(removed, "connect.sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
 * assertEquals(given?.startsWith("pagi_session="), true);
 * ```
 */
export class MigratingState extends State {
  /** What both read. */
  override readonly vary: readonly string[];
  readonly #state: SessionState;
  readonly #legacy: MigratingStateOptions["legacy"];
  readonly #sessions: AdoptingSessions;

  /**
   * Checks the options.
   *
   * @throws {TypeError} When an option is unknown or of the wrong kind.
   */
  constructor(options: MigratingStateOptions) {
    super();
    checkOptions("MigratingState", options, ["state", "legacy", "sessions"]);
    const { state, legacy, sessions } = options;
    checkMethods("state", state, ["extract", "inject"]);
    checkMethods("legacy", legacy, ["extract"]);
    checkMethods("sessions", sessions, ["adopt", "holds"]);
    this.#state = state;
    this.#legacy = legacy;
    this.#sessions = sessions;
    this.vary = [...new Set([...state.vary ?? [], ...legacy.vary ?? []])];
  }

  /**
   * Finds the client's id, or that of its old session.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` when the old or the new store fails.
   */
  override extract(scope: Scope): Extracted | Promise<Extracted> {
    return after(this.#legacy.extract(scope), (found) => {
      const values = candidates(found);
      const own = this.#state.extract(scope);
      return values.length === 0 ? own : this.#choose(own, values);
    });
  }

  /** Adds what hands `id` to the client, and what removes the old cookie. */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions): void {
    // First: where both have the same name the last one stands.
    this.#legacy.clear?.(headers);
    this.#state.inject(headers, id, options);
  }

  /** Adds what makes the client forget both. */
  override clear(headers: HeaderPair[]): void {
    this.#legacy.clear?.(headers);
    this.#state.clear?.(headers);
  }

  async #choose(pending: Awaitable<Extracted>, values: readonly string[]): Promise<Extracted> {
    const own = await pending;
    for (const presented of candidates(own)) {
      if (await this.#sessions.holds(presented)) return own;
    }
    const ids: string[] = [];
    for (const value of values) {
      const id = await this.#sessions.adopt(value);
      if (id !== undefined) ids.push(id);
    }
    // Of several that are alive lifecycle takes none.
    return ids.length === 0 ? own : ids.length === 1 ? { id: ids[0]!, mustInject: true } : ids;
  }
}

function candidates(extracted: Extracted): readonly string[] {
  if (extracted === undefined || extracted === null) return [];
  if (typeof extracted === "string") return [extracted];
  return "mustInject" in extracted ? [extracted.id] : extracted.slice(0, MAX_CANDIDATES);
}

function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  if (hasMethods(value, methods)) return;
  throw new TypeError(
    `Cannot make MigratingState: ${name} must have the methods ${methods.join(", ")}`,
  );
}
