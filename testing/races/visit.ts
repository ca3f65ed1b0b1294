/** One request of a race: runs it as a server would, and records what happens. */
import type { SessionMiddleware } from "../../middleware.ts";
import type { App, HeaderPair, Scope, Send } from "../../pagi.ts";
import { Session } from "../../session.ts";
import { type CookieChange, cookieChanges, type CookieJar, requestHeaders } from "./cookie_jar.ts";
import { Lane } from "./lane.ts";
import type { Plan } from "./program.ts";
import { type SubjectOf, valuesOf } from "./requests.ts";
import type { Timeline } from "./timeline.ts";

/** The data of a session. The simulated requests write only strings and numbers. */
export type Values = Record<string, unknown>;

/** The error of handlers that fail on purpose. */
export class HandlerFailure extends Error {}

/** The status of the handler's response, and of the error page after a failed commit. */
const STATUS = { ok: 200, refused: 409 };

/** The state that the requests of one race share. */
export interface Race {
  readonly timeline: Timeline;
  readonly jar: CookieJar;
  readonly subjectOf: SubjectOf;
  /** Whether responses may arrive after responses that were sent later. */
  readonly isSlow: boolean;
  /** Whether the store has no room for the markers of ended sessions. */
  readonly isFull: boolean;
}

/** One request and what happened to it. Times are numbers of steps. */
export class Visit {
  readonly plan: Plan;
  /** The letter of the request. */
  readonly me: string;
  readonly lane: Lane = new Lane();
  /** The late copies of its calls. */
  readonly copies: Lane = new Lane();
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
  /** The answer to a job. */
  result: unknown;
  /** When the request was sent. */
  sentAt = 0;
  /** When the store answered its first read. */
  foundAt: number | undefined;
  /** When its handler ran. */
  handledAt: number | undefined;
  /** Whether nothing that the handler did to the session was refused. */
  isActed = false;
  /** When its change of the session took effect. */
  committedAt: number | undefined;
  /** The ID that the session has with that change, if the store has versions. */
  committedId: string | undefined;
  /** When it sent that change to the store, in seconds of the race. */
  composedAt: number | undefined;
  /** When it wrote to the index of a subject's sessions, before its change took effect. */
  readonly listedAt: number[] = [];
  /** When it updated the session's last-access time. */
  touchedAt: number | undefined;
  /** When it ended a session, by the key or ID of the call. */
  readonly ends: Map<string, number> = new Map();
  /** When the store answered its last call. */
  decidedAt: number | undefined;
  /** When the response was started. */
  answeredAt: number | undefined;
  /** When the request failed. */
  failedAt: number | undefined;
  /** The latest use of the session that it has written, in Unix seconds. */
  lastAccess = 0;
  /** How many calls it has made that write. */
  writes = 0;
  /** Whether the store refused one of them. */
  isRefused = false;
  /** How often a response was started. */
  answers = 0;
  /** The changes of the cookie by the response. */
  cookies: CookieChange[] = [];
  /** The changes of the cookie by the error page after a failed commit. */
  pageCookies: CookieChange[] = [];
  error: unknown;
  /** The first store call after the response was started. */
  lateCall: string | undefined;
  /** The cookie value of the browser just before the response arrived. */
  jarBefore: string | undefined;

  readonly #race: Race;

  /** @param at The number of the request in its program. */
  constructor(plan: Plan, at: number, race: Race) {
    this.plan = plan;
    this.me = String.fromCharCode("A".charCodeAt(0) + at);
    this.#race = race;
  }

  /** The keys that the handler changed. */
  get changedKeys(): string[] {
    const { loaded, made } = this;
    return Object.keys({ ...loaded, ...made }).filter((key) => loaded[key] !== made[key]);
  }

  /** Records a step; returns its number, which is the time. */
  note(what: string, id?: string): number {
    return this.#race.timeline.note(this.me, what, id);
  }

  /** Whether the store has no room for the marker of an ended session. */
  get isFull(): boolean {
    return this.#race.isFull;
  }

  /** Seconds since the start of the race. */
  get seconds(): number {
    return this.#race.timeline.seconds;
  }

  /** Sends the request and waits for its response. */
  async run(sessions: SessionMiddleware): Promise<void> {
    const { timeline, jar } = this.#race;
    const { isEarly, kind: { waits, job } } = this.plan;
    if (!isEarly || waits !== undefined) await this.lane.turn(() => {});
    if (waits !== undefined) {
      timeline.skip(waits);
      this.note(`waits for ${waits} seconds`);
    }
    this.presented = jar.value;
    this.sentAt = this.note("is sent with id", this.presented);
    try {
      if (job !== undefined) await this.#work(sessions);
      else await this.#request(sessions);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #request(sessions: SessionMiddleware): Promise<void> {
    const app = sessions.wrap(async (scope, _receive, send) => {
      await this.lane.turn(() => this.handledAt = this.note("runs its handler"));
      this.id = scope["pagi.session_id"];
      const session = new Session(scope);
      await this.#act(session, sessions);
      await this.lane.turn(() => this.note("starts its response"));
      try {
        await send({ type: "http.response.start", status: STATUS.ok, headers: [] });
      } catch (error) {
        this.#fail(error);
        await send({ type: "http.response.start", status: STATUS.refused, headers: [] });
        return;
      }
      this.newId = session.id;
      await send({ type: "http.response.body", body: "" });
    });
    const send: Send = async (event) => {
      if (event.type !== "http.response.start") return;
      if (this.#race.isSlow) await this.lane.turn(() => {});
      this.#receive(event.status === STATUS.ok, cookieChanges(event.headers as HeaderPair[]));
    };
    await call(app, "http", this.presented, send, this.plan.isNavigation);
  }

  #receive(isAnswer: boolean, changes: CookieChange[]): void {
    const { jar } = this.#race;
    const jarBefore = jar.value;
    if (!this.plan.isLost) jar.take(changes);
    if (!isAnswer) {
      this.pageCookies.push(...changes);
      return;
    }
    this.answers++;
    this.jarBefore = jarBefore;
    this.cookies.push(...changes);
    const what = this.plan.isLost
      ? "is answered in vain, the browser has id"
      : "is answered, the browser has id";
    this.answeredAt = this.note(what, jar.value);
  }

  async #act(session: Session, sessions: SessionMiddleware): Promise<void> {
    const { kind } = this.plan;
    const { me, presented } = this;
    const { subjectOf } = this.#race;
    this.subject.loaded = this.subject.made = session.subject;
    this.loaded = valuesOf(session);
    const destroyElsewhere = async () => {
      if (presented !== undefined) await sessions.destroy(presented);
    };
    await kind.act?.(session, { me, subjectOf, destroyElsewhere });
    this.isActed = true;
    this.made = valuesOf(session);
    this.subject.made = session.subject;
    if (kind.fails) throw new HandlerFailure();
  }

  /** Runs the job with the ID that the browser had. */
  async #work(sessions: SessionMiddleware): Promise<void> {
    const id = this.presented;
    if (id === undefined) return;
    this.id = this.newId = id;
    this.result = await this.plan.kind.job!({
      sessions,
      id,
      subjectOf: this.#race.subjectOf,
      note: (loaded, made, subject) => {
        this.loaded = loaded;
        this.made = made;
        this.subject.loaded = this.subject.made = subject;
      },
      hold: async () => {
        const session = await sessions.load(scopeOf("websocket", id));
        await this.lane.turn(() => this.note("goes on"));
        return session;
      },
    });
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
  isNavigation?: boolean,
): Promise<void> {
  const receive = () => Promise.resolve({ type: "http.disconnect" });
  await app(scopeOf(type, cookie, isNavigation), receive, send);
}

function scopeOf(type: "http" | "websocket", cookie?: string, isNavigation?: boolean): Scope {
  const method = isNavigation ? "GET" : "POST";
  return { type, method, path: "/", headers: requestHeaders(cookie, isNavigation) };
}

/** The words for an error in a schedule. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error) return String(error.code);
  return error instanceof HandlerFailure ? "an error of its own" : error.message;
}
