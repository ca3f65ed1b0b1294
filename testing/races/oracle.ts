/**
 * Judges a race by what it left. Every request whose response was started must have taken effect,
 * in the order in which the writes succeeded. No other request may have taken effect.
 */
import { ExpectedSession, isChange } from "./expected.ts";
import type { Run } from "./run.ts";
import { HandlerFailure, nameOf, type Visit } from "./visit.ts";

/** A promise of the library that a race can break. Reports count each of them. */
export type Guarantee =
  | "lost"
  | "resurrected"
  | "undoneLogins"
  | "extraIds"
  | "deadSessions"
  | "wrongAnswers";

/** A broken promise, and how it was broken. */
export interface Violation {
  guarantee: Guarantee;
  why: string;
}

/** The judgment of a run. */
export interface Verdict {
  violations: Violation[];
  /** The number of usable IDs of each session that no request destroyed. */
  liveIds: number[];
  /**
   * Whether a request with the ID of a destroyed session replaced the cookie of a newer session.
   */
  isReplaced: boolean;
}

/** Judges a run. */
export function judge(run: Run): Verdict {
  return new Oracle(run).judge(run);
}

class Oracle {
  readonly #violations: Violation[] = [];
  /** The session that each ID and each cookie value belongs to. */
  readonly #sessions = new Map<string | undefined, ExpectedSession>();
  /**
   * The calls of `destroyAll()` that are running, with the sessions that existed at their start.
   */
  readonly #ending = new Map<Visit, Set<ExpectedSession>>();
  /** When the last call of `destroyAll()` was done. */
  #allEndedAt = 0;
  readonly #everybody: string;
  readonly #canList: boolean;
  #isReplaced = false;

  constructor({ start: { id, cookie, values, subject }, everybody, canList }: Run) {
    this.#everybody = everybody;
    this.#canList = canList;
    const first = new ExpectedSession(id, cookie, values, subject);
    this.#sessions.set(id, first).set(cookie, first);
  }

  judge({ visits, left }: Run): Verdict {
    this.#follow(visits);
    const liveIds = this.#compare(left);
    return { violations: this.#violations, liveIds, isReplaced: this.#isReplaced };
  }

  /** Applies what happened, in its order. */
  #follow(visits: readonly Visit[]): void {
    const events: [at: number, happens: () => void][] = [];
    for (const visit of visits) {
      const { sentAt, committedAt, answeredAt, failedAt, plan } = visit;
      if (plan.kind.destroysAll) {
        events.push([sentAt, () => this.#ending.set(visit, new Set(this.#ofSubject()))]);
        if (answeredAt !== undefined) events.push([answeredAt, () => this.#endAll(visit)]);
      } else if (answeredAt !== undefined) {
        events.push([committedAt ?? answeredAt, () => this.#commit(visit)]);
        events.push([answeredAt, () => this.#answer(visit)]);
      }
      if (failedAt === undefined) continue;
      // A destroy counts even if the handler fails afterwards.
      if (plan.kind.destroys) events.push([committedAt ?? failedAt, () => this.#commit(visit)]);
      events.push([failedAt, () => this.#fail(visit)]);
    }
    // The sort is stable: events of the same time keep their order.
    for (const [, happens] of events.sort(([a], [b]) => a - b)) happens();
  }

  #ofSubject(): ExpectedSession[] {
    return [...new Set(this.#sessions.values())].filter(({ subject }) =>
      subject === this.#everybody
    );
  }

  /**
   * Marks the sessions that existed at the start of `destroyAll()` as destroyed. Sessions that were
   * created in the meantime may be destroyed or not.
   */
  #endAll(visit: Visit): void {
    const before = this.#ending.get(visit)!;
    this.#ending.delete(visit);
    this.#allEndedAt = visit.answeredAt!;
    for (const session of before) {
      if (session.subject === this.#everybody) session.isEnded = true;
    }
  }

  /** Whether `destroyAll()` may have destroyed the session that the request was creating. */
  #isMet(visit: Visit): boolean {
    return this.#ending.size > 0 || visit.sentAt < this.#allEndedAt;
  }

  #commit(visit: Visit): void {
    const session = this.#sessionOf(visit);
    if (visit.plan.kind.destroys) {
      if (session !== undefined) session.isEnded = true;
    } else if (!isChange(visit)) {
      return;
    } else if (visit.id === undefined) {
      this.#break("wrongAnswers", `${visit.me}'s change was taken, and it had no session`);
    } else if (session === undefined) {
      this.#begin(visit);
    } else {
      if (session.isEnded) {
        this.#break("resurrected", `${visit.me} wrote to the session after its end`);
      }
      if (session.subject !== visit.subject.loaded) {
        this.#break("wrongAnswers", `${visit.me}'s change reached another user's session`);
      }
      if (visit.subject.made === this.#everybody && session.subject !== this.#everybody) {
        session.isUncertain = this.#isMet(visit);
        // It now counts as new: `destroyAll()` may miss it.
        for (const before of this.#ending.values()) before.delete(session);
      }
      session.apply(visit);
      this.#move(visit, session);
    }
  }

  /** Begins a session: the first write of a client that has none, or a destroyed one. */
  #begin(visit: Visit): void {
    const { id, newId = id, made, subject } = visit;
    const cookie = cookieOf(visit);
    if (cookie !== undefined) {
      const session = new ExpectedSession(newId!, cookie, made);
      session.subject = subject.made;
      session.isUncertain = subject.made === this.#everybody && this.#isMet(visit);
      this.#sessions.set(id, session).set(newId, session).set(cookie, session);
    } else if (visit.changedKeys.length > 0 || subject.made !== undefined) {
      this.#break("lost", `${visit.me} wrote to a new session and was not sent its id`);
    }
  }

  #move(visit: Visit, session: ExpectedSession): void {
    const { me, newId, plan } = visit;
    const cookie = cookieOf(visit);
    if (plan.kind.rotates) {
      if (cookie === undefined || newId === undefined || newId === session.id) {
        this.#break("wrongAnswers", `${me} asked for a new id and was sent none`);
        return;
      }
      Object.assign(session, { id: newId, cookie });
      this.#sessions.set(newId, session).set(cookie, session);
    }
  }

  #answer(visit: Visit): void {
    const { me, plan: { kind }, cookies, answers, lateCall } = visit;
    if (answers > 1) this.#break("wrongAnswers", `${me} was answered ${answers} times`);
    if (lateCall !== undefined) {
      this.#break("wrongAnswers", `${me} was answered before its ${lateCall}()`);
    }
    if (cookies.length > 1) this.#break("wrongAnswers", `${me} was sent more than one cookie`);
    const session = this.#sessionOf(visit);
    const presented = this.#sessions.get(visit.presented);
    const [cookie] = cookies;
    if (cookie === undefined) {
      if (kind.destroys && !kind.job) {
        this.#break("wrongAnswers", `${me} logged out and kept its cookie`);
      }
      return;
    }
    this.#isReplaced ||= this.#replaces(visit);
    this.#learn(visit, session);
    if (cookie === "clear") {
      if (!kind.destroys) this.#break("undoneLogins", `${me} lost its cookie without a logout`);
    } else if (session !== presented) {
      if (presented?.isEnded === false && !this.#mayHaveEnded(presented)) {
        this.#break("undoneLogins", `${me} was sent a new session in place of its own`);
      }
    } else if (session?.isEnded) {
      if (!isChange(visit)) {
        this.#break("wrongAnswers", `${me} only read and was sent the id of an ended session`);
      }
    } else if (cookie.set !== session?.cookie) {
      this.#break("undoneLogins", `${me} was sent an old id in place of a newer one`);
    }
  }

  /**
   * Learns a new cookie value. If the cookie holds the data, each write and each touch makes one.
   */
  #learn(visit: Visit, session: ExpectedSession | undefined): void {
    const cookie = cookieOf(visit);
    if (session === undefined || cookie === undefined || cookie === visit.newId) return;
    if (this.#sessions.has(cookie)) return;
    session.cookie = cookie;
    this.#sessions.set(cookie, session);
  }

  /**
   * Whether the request sent the ID of a destroyed session and replaced the cookie of another one.
   */
  #replaces({ presented, jarBefore, id }: Visit): boolean {
    const before = this.#sessions.get(jarBefore);
    return this.#sessions.get(presented)?.isEnded === true && before?.isEnded === false &&
      before !== this.#sessions.get(id);
  }

  #fail(visit: Visit): void {
    const { me, error, plan, id = visit.presented } = visit;
    // The middleware refuses such a call before it does anything.
    if (plan.kind.destroysAll && !this.#canList) return;
    if (visit.pageCookies.length > 0) {
      this.#break("wrongAnswers", `${me} was refused and sent a cookie`);
    }
    if (visit.answers > 0) {
      this.#break("wrongAnswers", `${me} failed after it had been answered`);
    } else if (error instanceof HandlerFailure) {
      return;
    } else if (nameOf(error) !== "ERR_SESSION_INTERRUPTED") {
      this.#break("wrongAnswers", `${me} failed with ${nameOf(error)}`);
    } else {
      const session = this.#sessions.get(id);
      const isLate = session === undefined || session.isEnded || session.id !== id ||
        this.#mayHaveEnded(session) ||
        (visit.subject.made === this.#everybody && this.#isMet(visit));
      // With an old ID a handler is refused before it has changed anything, and so is a job.
      const isRead = visit.id !== undefined && !isChange(visit) && !plan.kind.job;
      if (!isLate || isRead) {
        this.#break("wrongAnswers", `${me} was interrupted, and nothing had come between`);
      }
    }
  }

  #mayHaveEnded({ subject, isUncertain }: ExpectedSession): boolean {
    return isUncertain || (subject === this.#everybody && this.#ending.size > 0);
  }

  /** Compares the sessions that are left with the expected ones. */
  #compare(left: Run["left"]): number[] {
    const sessions = new Set(this.#sessions.values());
    const [first] = sessions;
    const liveIds: number[] = [];
    for (const session of sessions) {
      // An ID that was never sent can only belong to the session that all requests started with.
      const alive = [...left].filter(([id, found]) =>
        found !== undefined && (this.#sessions.get(id) ?? first) === session
      ).length;
      if (session.isEnded) {
        if (alive > 0) {
          this.#break("resurrected", "the session is usable after its logout");
        }
        continue;
      }
      if (alive > 1) {
        this.#break("extraIds", `${alive} ids of one session are usable`);
      }
      if (session.isUncertain) {
        continue;
      }
      liveIds.push(alive);
      const found = left.get(session.cookie);
      if (found === undefined) {
        this.#break("deadSessions", "nobody logged out, and the session's id is not usable");
        continue;
      }
      const difference = session.differsFrom(found);
      if (difference !== undefined) {
        this.#break("lost", difference);
      }
    }
    return liveIds;
  }

  /**
   * The session that the handler had; if it was refused one, the session of the ID that it sent.
   */
  #sessionOf({ id, presented, plan }: Visit): ExpectedSession | undefined {
    return this.#sessions.get(id ?? presented) ??
      (plan.kind.destroys ? this.#sessions.get(presented) : undefined);
  }

  #break(guarantee: Guarantee, why: string): void {
    this.#violations.push({ guarantee, why });
  }
}

function cookieOf({ cookies: [cookie] }: Visit): string | undefined {
  return cookie === undefined || cookie === "clear" ? undefined : cookie.set;
}
