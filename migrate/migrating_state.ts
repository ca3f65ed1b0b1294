/**
 * {@linkcode MigratingState}: a State that also knows clients by what another session library gave
 * them, or by a cookie's former name, so that nobody is logged out when an app changes over.
 *
 * @module
 */
import { after, type Awaitable } from "../base/awaitable.ts";
import { checkOptions, hasMethods } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { MAX_CANDIDATES } from "../base/limits.ts";
import { type Extracted, type InjectOptions, type SessionState, State } from "../state/state.ts";

/** What a {@linkcode MigratingState} asks of the old sessions; a `LegacySessions` does it. */
export interface AdoptingSessions {
  /**
   * The id, or sealed session, that an old one has now; moves it over if that is still to do. What is
   * sealed is for `name`, the new State's.
   */
  adopt(value: string, name?: string): Awaitable<string | undefined>;
  /** Whether there is a session of ours under what the client presents, carried under `name`. */
  holds(presented: string, name?: string): Awaitable<boolean>;
}

/** Options of {@linkcode MigratingState}. */
export interface MigratingStateOptions {
  /** How ids travel from now on. */
  state: SessionState;
  /** What clients have until now: a `LegacyCookie`, a `ConnectCookie`, or any State. */
  legacy: Pick<SessionState, "extract" | "clear" | "vary" | "name">;
  /**
   * Where the old sessions are, and where they go.
   *
   * @default {undefined, what `legacy` reads is ours as it is: the cookie was renamed}
   */
  sessions?: AdoptingSessions;
}

/**
 * Reads what `state` reads and, from clients that have no session there, what `legacy` reads. It
 * sends what `state` sends: a client that came with an old cookie is given a new one with the first
 * response that tells of its session, and each of these removes the old cookie.
 *
 * A client that presents a session of both kinds has the new one. Where a cookie was renamed, it is
 * enough that it presents something under the new name.
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
 *
 * @example A cookie that gets another name
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { CookieState } from "@pagi/session";
 * import { MigratingState } from "@pagi/session/migrate";
 *
 * const state = new MigratingState({
 *   state: new CookieState({ cookieName: "__Host-sid", cookieOptions: { secure: true } }),
 *   legacy: new CookieState({ cookieName: "sid" }),
 * });
 * const found = await state.extract({ type: "http", headers: [["cookie", "sid=abc"]] });
 * assertEquals(found, { id: "abc", mustInject: true, name: "sid" });
 * ```
 */
export class MigratingState extends State {
  /** What both read. */
  override readonly vary: readonly string[];
  /** What `state` carries the id under. */
  override readonly name?: string;
  readonly #state: SessionState;
  readonly #legacy: MigratingStateOptions["legacy"];
  readonly #sessions: AdoptingSessions | undefined;

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
    if (sessions !== undefined) checkMethods("sessions", sessions, ["adopt", "holds"]);
    this.#state = state;
    this.#legacy = legacy;
    this.#sessions = sessions;
    this.name = state.name;
    this.vary = [...new Set([...state.vary ?? [], ...legacy.vary ?? []])];
  }

  /**
   * Finds the client's id, or that of its old session.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` when the old or the new store fails.
   */
  override extract(scope: Scope): Extracted | Promise<Extracted> {
    return after(this.#legacy.extract(scope), (found) => {
      const old = carried(found, this.#legacy.name);
      const own = this.#state.extract(scope);
      if (old.ids.length === 0) return own;
      return this.#sessions === undefined
        ? after(own, (own) => this.#renamed(own, old))
        : this.#choose(own, old.ids, this.#sessions);
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

  #renamed(own: Extracted, { ids, name }: Carried): Extracted {
    if (carried(own, this.name).ids.length > 0) return own;
    return { id: ids.length === 1 ? ids[0]! : ids, mustInject: true, name };
  }

  async #choose(
    pending: Awaitable<Extracted>,
    values: readonly string[],
    sessions: AdoptingSessions,
  ): Promise<Extracted> {
    const own = await pending;
    const { ids: presented, name } = carried(own, this.name);
    for (const id of presented.slice(0, MAX_CANDIDATES)) {
      if (await sessions.holds(id, name)) return own;
    }
    if (values.length > MAX_CANDIDATES) return own;
    const ids: string[] = [];
    for (const value of values) {
      const id = await sessions.adopt(value, this.name);
      if (id !== undefined) ids.push(id);
    }
    // Of several that are alive lifecycle takes none.
    return ids.length === 0 ? own : ids.length === 1 ? { id: ids[0]!, mustInject: true } : ids;
  }
}

/** What a client presents, and under which name. */
interface Carried {
  ids: readonly string[];
  name: string | undefined;
}

/** What a State of this name has found; where it translated it, it may say another. */
function carried(extracted: Extracted, name: string | undefined): Carried {
  if (extracted === undefined || extracted === null) return { ids: [], name };
  if (typeof extracted === "string") return { ids: [extracted], name };
  if (!("mustInject" in extracted)) return { ids: extracted, name };
  return carried(extracted.id, extracted.name ?? name);
}

function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  if (hasMethods(value, methods)) return;
  throw new TypeError(
    `Cannot make MigratingState: ${name} must have the methods ${methods.join(", ")}`,
  );
}
