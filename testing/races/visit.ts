/** One request of a race: runs it as a server would, and records what happens. */
import type { SessionMiddleware } from "../../middleware.ts";
import type { App, HeaderPair, Send } from "../../pagi.ts";
import { Session } from "../../session.ts";
import { type CookieChange, type CookieJar, requestHeaders } from "./cookie_jar.ts";
import { Lane } from "./lane.ts";
import type { Plan } from "./program.ts";
import type { Note, SubjectOf } from "./requests.ts";

/** Something that happened in a race. */
export interface Step {
  /** The letter of the request. */
  me: string;
  /** The event in words. */
  what: string;
  /** The ID or cookie value that it was about. */
  id: string | undefined;
}

/** The data of a session. The simulated requests write only strings and numbers. */
export type Values = Record<string, unknown>;

/** The error of handlers that fail on purpose. */
export class HandlerFailure extends Error {}

/** The status of the handler's response, and of the error page after a failed commit. */
const STATUS = { ok: 200, refused: 409 };

/** One request and what happened to it. Times are numbers of steps. */
export class Visit {
  readonly plan: Plan;
  /** The letter of the request. */
  readonly me: string;
  readonly lane: Lane = new Lane();
  /** The cookie value that the request sends. */
  presented: string | undefined;
  /** The session ID that the handler saw; undefined if it had no usable session. */
  id: string | undefined;
  /** The session ID after the response was started. */
  newId: string | undefined;
  /** The session's subject before and after the handler. */
  subject: { loaded?: string; made?: string } = {};
  /** The data that the handler found. */
  loaded: Values = {};
  /** The data that the handler left. */
  made: Values = {};
  /** When the request was sent. */
  sentAt = 0;
  /** When its last write succeeded. */
  committedAt: number | undefined;
  /** When the response was started. */
  answeredAt: number | undefined;
  /** How often a response was started. */
  answers = 0;
  /** The changes of the cookie by the response. */
  cookies: CookieChange[] = [];
  /** The changes of the cookie by the error page after a failed commit. */
  pageCookies: CookieChange[] = [];
  /** When the request failed. */
  failedAt: number | undefined;
  error: unknown;
  /** The first store call after the response was started. */
  lateCall: string | undefined;
  /** The cookie value of the browser just before the response arrived. */
  jarBefore: string | undefined;

  readonly #steps: Step[];
  readonly #isSlow: boolean;
  readonly #subjectOf: SubjectOf;

  /** @param isSlow Whether the response may arrive after responses that were sent later. */
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

  /** The keys that the handler changed. */
  get changedKeys(): string[] {
    const { loaded, made } = this;
    return Object.keys({ ...loaded, ...made }).filter((key) => loaded[key] !== made[key]);
  }

  /** Records a step; returns its number, which is the time. */
  note(what: string, id?: string): number {
    return this.#steps.push({ me: this.me, what, id });
  }

  /** Sends the request and waits for its response. */
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

  /** Runs the job with the ID that the browser had. */
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

/** Calls a PAGI app with a session cookie. */
export async function call(
  app: App,
  type: "http" | "websocket",
  cookie: string | undefined,
  send: Send,
): Promise<void> {
  const receive = () => Promise.resolve({ type: "http.disconnect" });
  await app({ type, headers: requestHeaders(cookie) }, receive, send);
}

/** The words for an error in a schedule. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error) return String(error.code);
  return error instanceof HandlerFailure ? "an error of its own" : error.message;
}
