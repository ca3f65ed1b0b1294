/**
 * {@linkcode MigratingState}: a State that also accepts the cookies of another session library, or
 * a cookie's previous name, so that users stay logged in during a migration.
 *
 * @module
 */
import { after, type Awaitable } from "../base/awaitable.ts";
import { checkOptions, hasMethods, optionError } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import { MAX_CANDIDATES } from "../base/limits.ts";
import { type Extracted, type InjectOptions, type SessionState, State } from "../state/state.ts";

/** The old sessions of a {@linkcode MigratingState}. `LegacySessions` implements it. */
export interface AdoptingSessions {
  /**
   * Returns the new ID, or the encrypted session, of an old session. Moves the session first,
   * unless that has been done. `name` is that of the new State, which an encrypted session is bound
   * to.
   */
  adopt(value: string, name?: string): Awaitable<string | undefined>;
  /**
   * Returns whether the value that a client sends under `name` belongs to a session of this
   * package.
   */
  holds(presented: string, name?: string): Awaitable<boolean>;
}

/** Options of {@linkcode MigratingState}. */
export interface MigratingStateOptions {
  /** Carries the new session IDs. */
  state: SessionState;
  /** Reads the old cookies: a `LegacyCookie`, a `ConnectCookie` or any State. */
  legacy: Pick<SessionState, "extract" | "clear" | "vary" | "name">;
  /**
   * Moves the old sessions. Omit it if only the cookie was renamed.
   *
   * @default {undefined, `legacy` reads IDs of this package}
   */
  sessions?: AdoptingSessions;
}

/**
 * Reads session IDs with `state`. For clients without a session there, it reads them with `legacy`.
 * It sends IDs with `state`: a client with an old cookie receives the new one with the first
 * response that saves or extends its session. Every response that sends the new cookie also removes
 * the old one.
 *
 * If a client sends a session of both kinds, the new one is used. If the cookie was only renamed,
 * any value under the new name is enough.
 *
 * @example From express-session
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { CookieState, MemoryStore, SessionMiddleware } from "@pagi/session";
 * import { ConnectCookie, LegacySessions, MigratingState } from "@pagi/session/migrate";
 *
 * const secret = "replace this with: openssl rand -hex 32";
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
 * @example Rename a cookie
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
  /** The headers that both States read. */
  override readonly vary: readonly string[];
  /** The name under which `state` carries the ID. */
  override readonly name?: string;
  /** As `state` has it. */
  override readonly isExplicit?: boolean;
  /** As `state` has it. */
  override readonly maxAge?: number | false;
  /** As `state` has it. */
  override readonly maxValueBytes?: number;
  readonly #state: SessionState;
  readonly #legacy: MigratingStateOptions["legacy"];
  readonly #sessions: AdoptingSessions | undefined;

  /**
   * Validates the options.
   *
   * @throws {TypeError} If an option is unknown or of the wrong type.
   */
  constructor(options: MigratingStateOptions) {
    super();
    checkOptions("MigratingState", options, ["state", "legacy", "sessions"]);
    const { state, legacy, sessions } = options;
    checkMethods("state", state, ["extract", "inject"]);
    checkMethods("legacy", legacy, ["extract"]);
    if (typeof state.choose === "function") {
      throw optionError(
        "MigratingState",
        "state must not consist of several; put the MigratingState into the FirstState instead",
      );
    }
    if (sessions !== undefined) checkMethods("sessions", sessions, ["adopt", "holds"]);
    this.#state = state;
    this.#legacy = legacy;
    this.#sessions = sessions;
    this.name = state.name;
    this.isExplicit = state.isExplicit;
    this.maxAge = state.maxAge;
    this.maxValueBytes = state.maxValueBytes;
    this.vary = [...new Set([...state.vary ?? [], ...legacy.vary ?? []])];
  }

  /**
   * Finds the client's ID, or the new ID of its old session.
   *
   * @throws {SessionError} `ERR_SESSION_STORE` if the old or the new store fails.
   */
  override extract(scope: Scope): Extracted | Promise<Extracted> {
    return after(this.#legacy.extract(scope), (found) => {
      const old = candidatesOf(found, this.#legacy.name);
      const own = this.#state.extract(scope);
      if (old.ids.length === 0) return own;
      return this.#sessions === undefined
        ? after(own, (own) => this.#chooseRenamed(own, old))
        : this.#adoptUnlessNew(own, old.ids, this.#sessions);
    });
  }

  /** Adds the headers that send `id` to the client and remove the old cookie. */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions): void {
    // First: if both cookies have the same name, the last header applies.
    this.#legacy.clear?.(headers);
    this.#state.inject(headers, id, options);
  }

  /** Adds the headers that remove both cookies. */
  override clear(headers: HeaderPair[]): void {
    this.#legacy.clear?.(headers);
    this.#state.clear?.(headers);
  }

  #chooseRenamed(own: Extracted, { ids, name }: Candidates): Extracted {
    if (candidatesOf(own, this.name).ids.length > 0) return own;
    return { id: ids.length === 1 ? ids[0]! : ids, mustInject: true, name };
  }

  async #adoptUnlessNew(
    pending: Awaitable<Extracted>,
    values: readonly string[],
    sessions: AdoptingSessions,
  ): Promise<Extracted> {
    const own = await pending;
    const { ids: ownIds, name } = candidatesOf(own, this.name);
    for (const id of ownIds.slice(0, MAX_CANDIDATES)) {
      if (await sessions.holds(id, name)) return own;
    }
    if (values.length > MAX_CANDIDATES) return own;
    const ids: string[] = [];
    for (const value of values) {
      const id = await sessions.adopt(value, this.name);
      if (id !== undefined) ids.push(id);
    }
    // If several of them are valid, the middleware rejects them all.
    return ids.length === 0 ? own : ids.length === 1 ? { id: ids[0]!, mustInject: true } : ids;
  }
}

/** The IDs that a client sends, and the name under which it sends them. */
interface Candidates {
  ids: readonly string[];
  name: string | undefined;
}

/** The IDs that a State with this name has found. The State may name another origin for them. */
function candidatesOf(extracted: Extracted, name: string | undefined): Candidates {
  if (extracted === undefined || extracted === null) return { ids: [], name };
  if (typeof extracted === "string") return { ids: [extracted], name };
  if (!("mustInject" in extracted)) return { ids: extracted, name };
  return candidatesOf(extracted.id, extracted.name ?? name);
}

function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  if (hasMethods(value, methods)) return;
  throw optionError("MigratingState", `${name} must have the methods ${methods.join(", ")}`);
}
