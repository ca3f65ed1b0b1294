/** One request of a race, as a server would run it, and everything that came of it. */
import type { SessionMiddleware } from "../../middleware.ts";
import type { App, HeaderPair, Send } from "../../pagi.ts";
import { Session } from "../../session.ts";
import { type CookieChange, type CookieJar, requestHeaders } from "./cookie_jar.ts";
import { Lane } from "./lane.ts";
import type { Plan } from "./program.ts";
import type { Note, SubjectOf } from "./requests.ts";
import type { Step } from "./watch.ts";

/** The app's keys of a session; the simulated requests write nothing but strings and numbers. */
export type Values = Record<string, unknown>;

/** Thrown by handlers that are to fail. */
export class HandlerFailure extends Error {}

/** The status of a response that the commit was for, and of the page that says it failed. */
const STATUS = { ok: 200, refused: 409 };

/** One request: what it found, what it did and what came of it. Times are numbers of steps. */
export class Visit {
  readonly plan: Plan;
  /** Its letter. */
  readonly me: string;
  readonly lane: Lane = new Lane();
  /** The cookie that it presents. */
  presented: string | undefined;
  /** The session's id that its handler saw; undefined when it had no session that it may use. */
  id: string | undefined;
  /** The id when the response had been started. */
  newId: string | undefined;
  /** Whose session it was, and whose the handler made it. */
  subject: { loaded?: string; made?: string } = {};
  /** What its handler found. */
  loaded: Values = {};
  /** What its handler made of that. */
  made: Values = {};
  /** When it was sent. */
  sentAt = 0;
  /** When the last of its writes took. */
  committedAt: number | undefined;
  /** When its response was started. */
  answeredAt: number | undefined;
  /** How often its response was started. */
  answers = 0;
  /** What its response told the browser. */
  cookies: CookieChange[] = [];
  /** What the page told the browser that was sent because the commit had failed. */
  pageCookies: CookieChange[] = [];
  /** When it failed, and with what. */
  failedAt: number | undefined;
  error: unknown;
  /** What it asked of the store when its response had been started. */
  lateCall: string | undefined;
  /** What the browser held when its response came. */
  jarBefore: string | undefined;

  readonly #steps: Step[];
  readonly #isSlow: boolean;
  readonly #subjectOf: SubjectOf;

  /** @param isSlow Whether its response may reach the browser after those of others that left later. */
  constructor(
    plan: Plan,
    at: number,
    steps: Step[],
    isSlow: boolean,
    subjectOf: SubjectOf,
  ) {
    this.#subjectOf = subjectOf;
    this.plan = plan;
    this.#isSlow = isSlow;
    this.me = String.fromCharCode("A".charCodeAt(0) + at);
    this.#steps = steps;
  }

  /** Keys whose values the handler changed. */
  get changedKeys(): string[] {
    const { loaded, made } = this;
    return Object.keys({ ...loaded, ...made }).filter((key) => loaded[key] !== made[key]);
  }

  /** Writes down a step; its number is the time. */
  note(what: string, id?: string): number {
    return this.#steps.push({ me: this.me, what, id });
  }

  /** Runs the request from the browser and back. */
  async run(sessions: SessionMiddleware, jar: CookieJar): Promise<void> {
    if (!this.plan.isEarly) await this.lane.turn(() => {});
    this.presented = jar.value;
    this.sentAt = this.note("is sent with id", this.presented);
    try {
      if (this.plan.kind.job !== undefined) await this.#work(sessions);
      else await this.#request(sessions, jar);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #request(sessions: SessionMiddleware, jar: CookieJar): Promise<void> {
    const app = sessions.wrap(async (scope, _receive, send) => {
      await this.lane.turn(() => this.note("runs its handler"));
      this.id = scope["pagi.session_id"];
      this.#act(new Session(scope));
      await this.lane.turn(() => this.note("starts its response"));
      try {
        await send({ type: "http.response.start", status: STATUS.ok, headers: [] });
      } catch (error) {
        this.#fail(error);
        await send({ type: "http.response.start", status: STATUS.refused, headers: [] });
        return;
      }
      this.newId = scope["pagi.session_id"];
      await send({ type: "http.response.body", body: "" });
    });
    const send: Send = async (event) => {
      if (event.type !== "http.response.start") return;
      if (this.#isSlow) await this.lane.turn(() => {});
      const jarBefore = jar.value;
      const cookies = jar.take(event.headers as HeaderPair[]);
      if (event.status === STATUS.ok) {
        this.answers++;
        this.jarBefore = jarBefore;
        this.cookies.push(...cookies);
        this.answeredAt = this.note("is answered, the browser has id", jar.value);
      } else this.pageCookies.push(...cookies);
    };
    await call(app, "http", this.presented, send);
  }

  #act(session: Session): void {
    const { kind } = this.plan;
    this.subject.loaded = this.subject.made = session.subject;
    this.loaded = session.slice(...session.keys());
    kind.act?.(session, this.me, this.#subjectOf);
    this.made = session.slice(...session.keys());
    this.subject.made = session.subject;
    if (kind.fails) throw new HandlerFailure();
  }

  /** What is done outside of a request, with the id that the browser had. */
  async #work(sessions: SessionMiddleware): Promise<void> {
    if (this.presented === undefined) return;
    this.id = this.newId = this.presented;
    const note: Note = (loaded, made, subject) => {
      this.loaded = loaded;
      this.made = made;
      this.subject.loaded = this.subject.made = subject;
    };
    await this.plan.kind.job!(sessions, this.presented, note, this.#subjectOf);
    this.answers++;
    this.answeredAt = this.note("is done");
  }

  #fail(error: unknown): void {
    this.error = error;
    this.failedAt = this.note(`fails with ${nameOf(error)}`);
  }
}

/** Calls a PAGI app with a cookie. */
export async function call(
  app: App,
  type: "http" | "websocket",
  cookie: string | undefined,
  send: Send,
): Promise<void> {
  const receive = () => Promise.resolve({ type: "http.disconnect" });
  await app({ type, headers: requestHeaders(cookie) }, receive, send);
}

/** What an error is called in a schedule. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error) return String(error.code);
  return error instanceof HandlerFailure ? "an error of its own" : error.message;
}
