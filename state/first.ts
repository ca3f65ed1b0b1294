/**
 * {@linkcode FirstState}: several ways for an ID to travel, such as bearer tokens and a cookie.
 *
 * @module
 */
import { after, type Awaitable } from "../base/awaitable.ts";
import { hasMethods, kindOf, optionError } from "../base/check_options.ts";
import type { HeaderPair, Scope } from "../pagi.ts";
import {
  type ChosenState,
  type Extracted,
  type InjectOptions,
  type SessionState,
  State,
} from "./state.ts";

/**
 * Asks several States for the ID, one after the other. The first that finds an ID answers the
 * request: it alone sends a new ID, or removes the old one. If none finds an ID, the last State
 * answers. An ID that is not valid counts as found, so no later State is asked.
 *
 * With a `CookieStore`, an encrypted session is bound to the State that carries it.
 *
 * @example Bearer tokens for API clients, a cookie for browsers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BearerState, CookieState, FirstState, SessionMiddleware } from "@pagi/session";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: "replace this with: openssl rand -hex 32",
 *   state: new FirstState(new BearerState(), new CookieState()),
 * });
 * const logIn = sessions.handler(async (_request, session) => {
 *   session.subject = "user-7";
 *   return Response.json({ token: await session.save() });
 * });
 * const whoAmI = sessions.handler((_request, session) => new Response(session.subject));
 *
 * const { token } = await (await logIn(new Request("http://localhost/login"))).json();
 * const headers = { authorization: `Bearer ${token}` };
 * const response = await whoAmI(new Request("http://localhost/", { headers }));
 * assertEquals(await response.text(), "user-7");
 * ```
 */
export class FirstState extends State {
  /** The request headers that any of the States reads. */
  override readonly vary: readonly string[];
  /** The name of the last State. */
  override readonly name?: string;
  /** As the last State has it. */
  override readonly isExplicit?: boolean;
  /** As the last State has it. */
  override readonly maxAge?: number | false;
  /** As the last State has it. */
  override readonly maxValueBytes?: number;
  readonly #states: readonly SessionState[];

  /**
   * Takes the States in the order in which they are asked.
   *
   * @throws {TypeError} If there is no State, or one lacks the methods `extract` and `inject`.
   */
  constructor(...states: SessionState[]) {
    super();
    if (states.length === 0) throw optionError("FirstState", "it takes at least one State");
    for (const state of states) {
      if (hasMethods(state, ["extract", "inject"])) continue;
      throw optionError(
        "FirstState",
        `each State must have the methods extract and inject; one is ${kindOf(state)}`,
      );
    }
    this.#states = states;
    const { name, isExplicit, maxAge, maxValueBytes } = this.#last;
    this.name = name;
    this.isExplicit = isExplicit;
    this.maxAge = maxAge;
    this.maxValueBytes = maxValueBytes;
    this.vary = [...new Set(states.flatMap(({ vary = [] }) => vary))];
  }

  /** Finds the ID that the first State finds. */
  override extract(scope: Scope): Extracted | Promise<Extracted> {
    return after(this.choose(scope), ({ extracted }) => extracted);
  }

  /** Finds the State that answers the request. */
  override choose(scope: Scope): Awaitable<ChosenState> {
    return this.#choose(scope, 0);
  }

  #choose(scope: Scope, at: number): Awaitable<ChosenState> {
    const state = this.#states[at]!;
    const chosen = state.choose === undefined
      ? after(state.extract(scope), (extracted): ChosenState => ({ state, extracted }))
      : state.choose(scope);
    return after(chosen, (one) => {
      const isLast = at === this.#states.length - 1;
      return isLast || isFound(one.extracted) ? one : this.#choose(scope, at + 1);
    });
  }

  /** Adds the headers of the last State, for a client that sent no ID. */
  override inject(headers: HeaderPair[], id: string, options: InjectOptions): void {
    this.#last.inject(headers, id, options);
  }

  /** Adds the headers with which the last State removes the ID. */
  override clear(headers: HeaderPair[]): void {
    this.#last.clear?.(headers);
  }

  get #last(): SessionState {
    return this.#states.at(-1)!;
  }
}

/** Whether a State has found anything that the client sent. */
function isFound(extracted: unknown): boolean {
  if (typeof extracted === "string" || Array.isArray(extracted)) return extracted.length > 0;
  return typeof extracted === "object" && extracted !== null && "id" in extracted &&
    isFound(extracted.id);
}
