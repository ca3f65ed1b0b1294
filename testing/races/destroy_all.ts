/** The effects of calls of `destroyAll()` on the expected sessions of a race. */
import type { ExpectedSession } from "./expected.ts";
import type { SessionBook } from "./session_book.ts";
import type { Visit } from "./visit.ts";

export class DestroyAllCalls {
  readonly #subject: string;
  readonly #book: SessionBook;
  /** The calls that are running, with the sessions that existed at their start. */
  readonly #running = new Map<Visit, Set<ExpectedSession>>();
  /** The requests that have given sessions the subject. */
  readonly #signIns = new Map<ExpectedSession, Visit>();
  /** When the last call was done. */
  #doneAt = 0;
  /** When the calls that are done began to refuse sessions that had been listed before. */
  readonly #refusedFrom: number[] = [];

  /** @param subject The subject that `destroyAll()` is called for. */
  constructor(subject: string, book: SessionBook) {
    this.#subject = subject;
    this.#book = book;
  }

  /** Begins a call. */
  start(visit: Visit): void {
    this.#running.set(visit, new Set(this.#book.all.filter((one) => this.#isMeant(one))));
  }

  /**
   * Ends a call. The sessions that existed at its start, or were listed before it refused them, have
   * ended. Sessions that came later may have ended or not. Returns how many sessions it must have
   * counted at least.
   */
  finish(visit: Visit): number {
    const before = this.#running.get(visit)!;
    this.#running.delete(visit);
    this.#doneAt = visit.answeredAt!;
    const [refusedFrom = 0] = visit.listedAt;
    this.#refusedFrom.push(refusedFrom);
    for (const [session, signIn] of this.#signIns) {
      if (isListedBefore(signIn, refusedFrom) && this.#isMeant(session)) session.isEnded = true;
    }
    let count = 0;
    for (const session of before) {
      if (!this.#isMeant(session)) continue;
      if (!session.isEnded && !session.isUncertain) count++;
      session.isEnded = true;
    }
    // Another call may have ended some of them.
    return this.#running.size > 0 ? 0 : count;
  }

  /**
   * Gives a session the subject. Returns whether a call that is done has missed the session, so that
   * the request must be refused.
   */
  signIn(visit: Visit, session: ExpectedSession): boolean {
    session.isUncertain = this.isMet(visit);
    this.#signIns.set(session, visit);
    // It now counts as new.
    for (const before of this.#running.values()) before.delete(session);
    return this.#refusedFrom.some((time) => isListedBefore(visit, time));
  }

  /** Whether a call may have met the session that the request was giving the subject. */
  isMet(visit: Visit): boolean {
    return this.#running.size > 0 || visit.sentAt < this.#doneAt;
  }

  /** Whether a call may have ended the session. */
  mayHaveEnded(session: ExpectedSession): boolean {
    return session.isUncertain || (this.#isMeant(session) && this.#running.size > 0);
  }

  #isMeant({ subject }: ExpectedSession): boolean {
    return subject === this.#subject;
  }
}

/** Whether a sign-in listed its session before this time. */
function isListedBefore({ listedAt }: Visit, time: number): boolean {
  return listedAt.length > 0 && listedAt.at(-1)! < time;
}
