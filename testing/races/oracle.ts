/**
 * Judges a race by what it left. Every request whose response was started must have taken effect,
 * in the order in which the writes succeeded. No other request may have taken effect.
 */
import { DestroyAllCalls } from "./destroy_all.ts";
import { ExpectedSession, isChange, isRegeneration, type Validity } from "./expected.ts";
import type { Guarantee, Report } from "./guarantee.ts";
import { keyOf } from "./ids.ts";
import { compareRemains } from "./remains.ts";
import type { Run } from "./run.ts";
import { SessionBook } from "./session_book.ts";
import type { Step } from "./timeline.ts";
import { HandlerFailure, nameOf, type Visit } from "./visit.ts";

export type { Guarantee };

/** A broken promise, and how it was broken. */
export interface Violation {
  guarantee: Guarantee;
  why: string;
}

/** The judgment of a run. */
export interface Verdict {
  violations: Violation[];
  /**
   * The number of usable IDs of each session that no request destroyed, without an ID that a
   * rotation has left valid for a while.
   */
  liveIds: number[];
  /**
   * Whether a request with the ID of a destroyed session replaced the cookie of a newer session.
   */
  isReplaced: boolean;
}

/** The session and the validity of a request's ID when its session was looked up. */
interface Finding {
  session: ExpectedSession;
  validity: Validity;
  /** Whether it was the session's current ID. */
  isCurrent: boolean;
  regenerations: number;
  subjectChanges: number;
  /** Whether the session's ID changed so long ago that a navigation may start a new session. */
  isLongAgo: boolean;
}

/** The validity of a request's ID when the store answered the last call of the request. */
interface Decision {
  validity: Validity;
  /** The cookie and the ID that the session had. */
  cookie: string;
  id: string;
}

/**
 * With a replaced ID, a navigation may start a new session after ten seconds and two minutes. The
 * clocks of the simulated servers differ by less than that.
 */
const MIN_SECONDS_BEFORE_RESTART = 15;

/** Judges a run. */
export function judge(run: Run): Verdict {
  return new Oracle(run).judge(run);
}

class Oracle {
  readonly #violations: Violation[] = [];
  readonly #book: SessionBook;
  readonly #destroyAll: DestroyAllCalls;
  readonly #findings = new Map<Visit, Finding>();
  readonly #decisions = new Map<Visit, Decision>();
  /** The sessions that requests have begun. */
  readonly #begun = new Map<Visit, ExpectedSession>();
  /** The requests that gave their session another ID. */
  readonly #moved = new Set<Visit>();
  readonly #everybody: string;
  readonly #isVersioned: boolean;
  readonly #isSlow: boolean;
  readonly #steps: readonly Step[];
  /** Seconds of the race at the event that is applied. */
  #seconds = 0;
  #isReplaced = false;

  constructor({ start, everybody, isVersioned, program, steps }: Run) {
    this.#everybody = everybody;
    this.#isVersioned = isVersioned;
    this.#isSlow = !program.isTouchDue;
    this.#steps = steps;
    this.#book = new SessionBook(isVersioned);
    this.#destroyAll = new DestroyAllCalls(everybody, this.#book);
    const { id, cookie, values, subject } = start;
    this.#book.add(new ExpectedSession(id, cookie, values, subject));
  }

  judge(run: Run): Verdict {
    this.#follow(run.visits);
    const report: Report = (guarantee, why) => this.#break(guarantee, why);
    const liveIds = compareRemains(run, this.#book, report);
    return { violations: this.#violations, liveIds, isReplaced: this.#isReplaced };
  }

  /** Applies what happened, in its order. */
  #follow(visits: readonly Visit[]): void {
    const events: [at: number, happens: () => void][] = [];
    for (const visit of visits) {
      for (const [at, happens] of this.#eventsOf(visit)) {
        if (at !== undefined) events.push([at, happens]);
      }
    }
    // The sort is stable: events of the same time keep their order.
    for (const [at, happens] of events.sort(([a], [b]) => a - b)) {
      this.#seconds = this.#steps[at - 1]!.seconds;
      happens();
    }
  }

  *#eventsOf(visit: Visit): Generator<[at: number | undefined, happens: () => void]> {
    const { foundAt, committedAt, touchedAt, decidedAt, answeredAt, failedAt } = visit;
    const { kind } = visit.plan;
    const endedAt = this.#endedAt(visit);
    if (kind.destroysAll) {
      yield [visit.sentAt, () => this.#destroyAll.start(visit)];
      yield [answeredAt, () => this.#endAll(visit)];
      yield [failedAt, () => this.#fail(visit)];
      return;
    }
    yield [foundAt, () => this.#find(visit)];
    // A destroy counts even if the handler fails afterwards.
    const isOver = answeredAt ?? failedAt;
    if (kind.destroys) yield [endedAt ?? isOver, () => this.#end(visit)];
    else if (kind.restarts) yield [endedAt ?? answeredAt, () => this.#end(visit)];
    if (answeredAt !== undefined) {
      if (!kind.destroys || kind.restarts) {
        yield [committedAt ?? touchedAt ?? decidedAt ?? answeredAt, () => this.#commit(visit)];
      }
      yield [committedAt ?? touchedAt, () => this.#use(visit)];
      yield [decidedAt ?? answeredAt, () => this.#decide(visit)];
      yield [answeredAt, () => this.#answer(visit)];
    } else if (this.#isVersioned) {
      yield [committedAt, () => this.#commit(visit)];
      yield [failedAt, () => this.#refuse(visit)];
    }
    yield [failedAt, () => this.#fail(visit)];
  }

  /** Looks up the ID that a request came with. */
  #find(visit: Visit): void {
    const { me, plan: { kind }, presented, id, handledAt } = visit;
    const session = this.#book.get(presented);
    if (session === undefined) return;
    const known = this.#knownId(visit);
    const validity = session.validity(known, this.#seconds);
    const isCurrent = session.id === known;
    const { regenerations, subjectChanges, isEnded } = session;
    const isLongAgo = this.#seconds - session.changedAt > MIN_SECONDS_BEFORE_RESTART;
    this.#findings.set(visit, {
      session,
      validity,
      isCurrent,
      regenerations,
      subjectChanges,
      isLongAgo,
    });
    if (isCurrent) session.present(this.#seconds);
    if (kind.job || handledAt === undefined) return;
    const isOpen = id !== undefined && this.#book.get(id) === session;
    if (isEnded) {
      if (isOpen) this.#break("resurrected", `${me} opened the session after its end`);
    } else if (validity === "valid") {
      if (!isOpen && !this.#destroyAll.mayHaveEnded(session)) {
        this.#break("deadSessions", `${me}'s valid ID did not open its session`);
      }
    } else if (validity === "invalid" && isOpen) {
      this.#break("extraIds", `${me} opened the session with an ID that is not valid any more`);
    }
  }

  /** The ID that a request knows its session by. A sealed cookie is not an ID. */
  #knownId({ presented, id }: Visit): string | undefined {
    return this.#isVersioned ? presented : id ?? presented;
  }

  /** Applies the end of all sessions of the subject. */
  #endAll(visit: Visit): void {
    const { me, result } = visit;
    const count = this.#destroyAll.finish(visit);
    if (typeof result === "number" && result < count) {
      this.#break("wrongAnswers", `${me} counted ${result} sessions and ended ${count}`);
    }
  }

  /**
   * Refuses a request although its change took effect. Nothing of it may be left: either the session
   * has ended since, or it ends now, because `destroyAll()` may have missed the sign-in.
   */
  #refuse(visit: Visit): void {
    const { me, subject, plan: { kind } } = visit;
    const session = this.#begun.get(visit) ?? this.#sessionOf(visit);
    if (session === undefined || visit.committedAt === undefined) return;
    const isSignIn = kind.restarts || subject.loaded !== this.#everybody;
    if (subject.made === this.#everybody && isSignIn) session.isEnded = true;
    else if (!session.isEnded && !this.#destroyAll.mayHaveEnded(session)) {
      this.#break("lost", `${me} was refused, and its change was stored`);
    }
  }

  /** When the request ended the session that it came with. */
  #endedAt({ ends, presented }: Visit): number | undefined {
    if (this.#isVersioned) return presented === undefined ? undefined : ends.get(keyOf(presented));
    return [...ends.values()].at(0);
  }

  /** Applies a logout, or the end of the session before a restart. */
  #end(visit: Visit): void {
    const { me, plan: { kind }, result, presented } = visit;
    const endedAt = this.#endedAt(visit);
    const session = this.#sessionOf(visit) ?? this.#book.get(presented);
    if (session === undefined) return;
    if (result === false && endedAt !== undefined) {
      this.#break("wrongAnswers", `${me} ended the session and said that it did not exist`);
    } else if (result === true && endedAt === undefined && this.#isVersioned) {
      this.#break("wrongAnswers", `${me} ended no session and said that there was one`);
    }
    if (!kind.destroys) {
      const finding = this.#findings.get(visit);
      if (finding?.validity === "invalid") {
        if (endedAt !== undefined) {
          this.#break("undoneLogins", `${me} restarted with an old ID and ended the newer session`);
        }
        return;
      }
      const isOutdated = session.validity(this.#knownId(visit), this.#seconds) !== "valid" ||
        this.#isOutdated(visit, session);
      if (endedAt === undefined && isOutdated) return;
    }
    session.isEnded = true;
  }

  #commit(visit: Visit): void {
    const { me, id, plan: { kind } } = visit;
    if (!isWrite(visit)) {
      const session = this.#sessionOf(visit);
      if (session?.isEnded === false) this.#move(visit, session);
      return;
    }
    // With an ID that was replaced, only a new session can be written to.
    if (id === undefined && !kind.restarts && !kind.namesSubject) {
      this.#break("wrongAnswers", `${me}'s change was taken, and it had no session`);
      return;
    }
    const session = kind.restarts ? undefined : this.#book.get(id);
    if (session === undefined) this.#begin(visit);
    else this.#change(visit, session);
  }

  /** Begins a session: the first write of a client that has none, or a destroyed one. */
  #begin(visit: Visit): void {
    const { id, made, subject } = visit;
    const newId = visit.committedId ?? visit.newId ?? id;
    const cookie = cookieOf(visit) ?? visit.committedId;
    if (cookie !== undefined && newId !== undefined) {
      const session = new ExpectedSession(newId, cookie, made, subject.made);
      if (subject.made === this.#everybody) this.#signIn(visit, session);
      session.changedAt = this.#seconds;
      this.#begun.set(visit, session);
      if (id !== undefined && !visit.plan.kind.restarts) this.#book.name(session, id);
      this.#book.add(session);
    }
    const isSaved = visit.changedKeys.length > 0 || subject.made !== undefined;
    if (isSaved && visit.answeredAt !== undefined && cookieOf(visit) === undefined) {
      this.#break("lost", `${visit.me} wrote to a new session and was not sent its ID`);
    }
  }

  #change(visit: Visit, session: ExpectedSession): void {
    const { me, subject, loaded, plan: { kind } } = visit;
    if (session.isEnded) {
      this.#break("resurrected", `${me} wrote to the session after its end`);
    } else if (session.subject !== subject.loaded) {
      this.#break("wrongAnswers", `${me}'s change reached another user's session`);
    } else if (this.#isOutdated(visit, session)) {
      this.#break("wrongAnswers", `${me}'s change reached a session that was regenerated since`);
    }
    if (subject.made === this.#everybody && session.subject !== this.#everybody) {
      this.#signIn(visit, session);
    }
    if (kind.pulls && loaded.token !== session.values.token) {
      this.#break("wrongAnswers", `${me} took a value that another request had taken`);
    }
    session.apply(visit);
    this.#move(visit, session);
  }

  /** Gives a session the subject of `destroyAll()`. */
  #signIn(visit: Visit, session: ExpectedSession): void {
    const isMissed = this.#destroyAll.signIn(visit, session);
    if (isMissed && visit.answeredAt !== undefined) {
      this.#break("resurrected", `${visit.me} signed in, and destroyAll() had missed its session`);
    }
  }

  /**
   * Whether the session was regenerated or given to another user since the request found it. A
   * `Session` object follows the session of a user when it is regenerated.
   */
  #isOutdated(visit: Visit, session: ExpectedSession): boolean {
    const finding = this.#findings.get(visit);
    if (finding?.session !== session) return false;
    if (session.subjectChanges !== finding.subjectChanges) return true;
    if (session.regenerations === finding.regenerations) return false;
    return !visit.plan.kind.holds || session.subject === undefined;
  }

  /** Gives the session the ID that the request's write has made. */
  #move(visit: Visit, session: ExpectedSession): void {
    const { me, failedAt, composedAt: seconds = this.#seconds, plan: { kind, isNavigation } } =
      visit;
    const cookie = cookieOf(visit);
    const id = visit.committedId ?? (cookie === undefined ? undefined : visit.newId);
    const isNew = id !== undefined && !session.ids.includes(id);
    const isSent = isNew && cookie !== undefined;
    if (isRegeneration(visit)) {
      session.regenerations++;
      if (!isSent && failedAt === undefined) {
        this.#break("wrongAnswers", `${me} asked for a new ID and was sent none`);
      }
    }
    if (!isNew) return;
    const isRotated = !isRegeneration(visit);
    if (isRotated && !kind.rotates && !isNavigation) {
      this.#break("wrongAnswers", `${me} was sent a new ID and had not asked for one`);
    }
    // Without versions, the store has no grace.
    if (isRotated && !this.#isVersioned) session.regenerations++;
    this.#moved.add(visit);
    const value = this.#isVersioned ? id : cookie ?? id;
    session.move(id, value, seconds, isRotated && this.#isVersioned);
    this.#book.name(session, id, value);
  }

  /** Notes that the store has recorded a use of the session. */
  #use(visit: Visit): void {
    const session = this.#begun.get(visit) ?? this.#sessionOf(visit);
    if (session === undefined) return;
    session.lastAccess = Math.max(session.lastAccess, visit.lastAccess);
    const { isCurrent } = this.#findings.get(visit) ?? {};
    const isStillCurrent = isCurrent && session.id === this.#knownId(visit);
    if (isStillCurrent && !visit.isRefused && !visit.plan.kind.job) session.confirm(this.#seconds);
  }

  #decide(visit: Visit): void {
    const session = this.#book.get(visit.presented);
    if (session === undefined) return;
    const validity = session.validity(this.#knownId(visit), this.#seconds);
    const { cookie, id } = session;
    this.#decisions.set(visit, { validity, cookie, id });
  }

  #answer(visit: Visit): void {
    const { me, plan: { kind }, cookies, answers, lateCall } = visit;
    if (answers > 1) this.#break("wrongAnswers", `${me} was answered ${answers} times`);
    if (lateCall !== undefined) {
      this.#break("wrongAnswers", `${me} was answered before its ${lateCall}()`);
    }
    if (cookies.length > 1) this.#break("wrongAnswers", `${me} was sent more than one cookie`);
    const session = this.#begun.get(visit) ?? this.#sessionOf(visit);
    const presented = this.#book.get(visit.presented);
    const [cookie] = cookies;
    if (cookie === undefined) {
      if (kind.destroys && !kind.job) {
        this.#break("wrongAnswers", `${me} logged out and kept its cookie`);
      } else if (kind.rotates && this.#isRotationDue(visit)) {
        this.#break("wrongAnswers", `${me} asked for a new ID and was sent none`);
      }
      return;
    }
    this.#isReplaced ||= this.#replaces(visit);
    this.#learn(visit, session);
    if (cookie === "clear") {
      // A navigation that may start a new session loses a replaced ID, with which it cannot write.
      const isAllowed = kind.destroys ||
        (presented !== undefined && this.#mayStartAnew(visit, presented));
      if (!isAllowed) this.#break("undoneLogins", `${me} lost its cookie without a logout`);
    } else if (session !== presented) {
      if (presented?.isEnded === false && !this.#mayStartAnew(visit, presented)) {
        this.#break("undoneLogins", `${me} was sent a new session in place of its own`);
      }
    } else if (session?.isEnded) {
      if (!isChange(visit) && !this.#isOvertaken(visit, cookie.set)) {
        this.#break("wrongAnswers", `${me} only read and was sent the ID of an ended session`);
      }
    } else if (cookie.set !== session?.cookie) {
      if (!this.#isOvertaken(visit, cookie.set)) {
        this.#break("undoneLogins", `${me} was sent an old ID in place of a newer one`);
      }
    } else if (!this.#moved.has(visit)) {
      this.#checkResent(visit, cookie.set);
    }
  }

  /**
   * Whether the response to a request that rotates has to carry a new ID. If another request has
   * replaced the ID in the meantime, that is enough.
   */
  #isRotationDue(visit: Visit): boolean {
    const finding = this.#findings.get(visit);
    const id = this.#moved.has(visit) ? visit.committedId : this.#knownId(visit);
    return finding?.isCurrent === true && this.#book.get(visit.id) === finding.session &&
      this.#decisions.get(visit)?.id === id;
  }

  /** Whether the response may carry a session that is not the one that the request came with. */
  #mayStartAnew(visit: Visit, presented: ExpectedSession): boolean {
    const { plan: { kind, isNavigation }, id } = visit;
    if (this.#destroyAll.mayHaveEnded(presented) || kind.restarts) return true;
    if (kind.namesSubject && id === undefined) return true;
    const finding = this.#findings.get(visit);
    return isNavigation === true && finding?.isLongAgo === true && finding.validity !== "valid";
  }

  /**
   * Whether the response carries the ID that the session had when it was sent. A response to a
   * rotation, or one that changes the cookie's lifetime, may arrive after the response to a login
   * that was sent later. Nothing can prevent that.
   */
  #isOvertaken(visit: Visit, cookie: string): boolean {
    const isRotation = this.#moved.has(visit) && !isRegeneration(visit);
    const isInGrace = this.#findings.get(visit)?.isCurrent === false;
    return this.#isSlow && (isRotation || isInGrace || visit.plan.kind.resends === true) &&
      this.#decisions.get(visit)?.cookie === cookie;
  }

  /** Checks a response that sends the current ID, which the request has not made. */
  #checkResent(visit: Visit, cookie: string): void {
    const { me, presented, committedAt, touchedAt } = visit;
    if (!this.#isVersioned || presented === cookie) return;
    if (this.#decisions.get(visit)?.validity === "invalid") {
      this.#break("wrongAnswers", `${me} was sent the ID of a session that its own ID cannot open`);
    } else if (committedAt === undefined && touchedAt === undefined) {
      this.#break("wrongAnswers", `${me} was sent a newer ID, and no write had confirmed it`);
    }
  }

  /**
   * Learns a new cookie value. If the cookie holds the data, each write and each touch makes one.
   */
  #learn(visit: Visit, session: ExpectedSession | undefined): void {
    const cookie = cookieOf(visit);
    if (session === undefined || cookie === undefined || cookie === visit.newId) return;
    if (this.#book.has(cookie)) return;
    session.cookie = cookie;
    this.#book.name(session, cookie);
  }

  /**
   * Whether the request sent the ID of a destroyed session and replaced the cookie of another one.
   */
  #replaces({ presented, jarBefore, id }: Visit): boolean {
    const before = this.#book.get(jarBefore);
    return this.#book.get(presented)?.isEnded === true && before?.isEnded === false &&
      before !== this.#book.get(id);
  }

  #fail(visit: Visit): void {
    const { me, error, plan } = visit;
    // The middleware refuses such a call before it does anything.
    if (plan.kind.destroysAll && !this.#isVersioned) return;
    if (visit.pageCookies.length > 0) {
      this.#break("wrongAnswers", `${me} was refused and sent a cookie`);
    }
    if (visit.answers > 0) {
      this.#break("wrongAnswers", `${me} failed after it had been answered`);
    } else if (error instanceof HandlerFailure) {
      return;
    } else if (nameOf(error) === "ERR_SESSION_CONFLICT" && this.#isTaken(visit)) {
      return;
    } else if (nameOf(error) !== "ERR_SESSION_INTERRUPTED") {
      this.#break("wrongAnswers", `${me} failed with ${nameOf(error)}`);
    } else {
      // With an old ID a handler is refused before it has changed anything, and so is a job.
      const isRead = visit.handledAt === undefined || (visit.isActed && !isChange(visit));
      if (!this.#mayBeInterrupted(visit) || (isRead && !plan.kind.job)) {
        this.#break("wrongAnswers", `${me} was interrupted, and nothing had come between`);
      }
    }
  }

  /** Whether another request has taken the value that the request pulled. */
  #isTaken(visit: Visit): boolean {
    const session = this.#sessionOf(visit);
    return visit.plan.kind.pulls === true && session !== undefined &&
      session.values.token !== visit.loaded.token;
  }

  /** Whether something has come between the request and its session. */
  #mayBeInterrupted(visit: Visit): boolean {
    const session = this.#book.get(visit.id ?? visit.presented);
    if (session === undefined || session.isEnded || this.#destroyAll.mayHaveEnded(session)) {
      return true;
    }
    if (visit.subject.made === this.#everybody && this.#destroyAll.isMet(visit)) return true;
    const { presented, plan: { kind: { job, holds } } } = visit;
    // The ID that a job has must still be valid when the job writes. A later rotation, or the end of
    // the grace, may come between.
    const isById = job !== undefined && holds !== true;
    if (isById && session.validity(presented, this.#seconds) !== "valid") return true;
    const finding = this.#findings.get(visit);
    return finding?.session !== session || finding.validity !== "valid" ||
      this.#isOutdated(visit, session);
  }

  /**
   * The session that the handler had; if it was refused one, the session of the ID that it sent.
   */
  #sessionOf({ id, presented }: Visit): ExpectedSession | undefined {
    return this.#book.get(id ?? presented);
  }

  #break(guarantee: Guarantee, why: string): void {
    this.#violations.push({ guarantee, why });
  }
}

/** Whether the request writes to its session. A rotation that comes second does not. */
function isWrite(visit: Visit): boolean {
  const { plan: { kind }, committedAt, changedKeys } = visit;
  const isDropped = kind.rotates && committedAt === undefined && changedKeys.length === 0;
  return isChange(visit) && !isDropped;
}

function cookieOf({ cookies: [cookie] }: Visit): string | undefined {
  return cookie === undefined || cookie === "clear" ? undefined : cookie.set;
}
