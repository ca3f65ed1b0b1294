/** Compares the sessions that a race has left with the expected ones. */
import { keyOf } from "./ids.ts";
import type { ExpectedSession } from "./expected.ts";
import type { Report } from "./guarantee.ts";
import type { Run } from "./run.ts";
import type { SessionBook } from "./session_book.ts";
import type { Visit } from "./visit.ts";

/**
 * Compares the sessions. Returns the number of usable IDs of each session that no request destroyed,
 * without an ID in its grace.
 */
export function compareRemains(run: Run, book: SessionBook, report: Report): number[] {
  const { left, seconds, isVersioned } = run;
  checkIndexes(run, report);
  const usable = usableIds(left, book, report);
  const liveIds: number[] = [];
  for (const session of book.all) {
    const ids = usable.get(session) ?? [];
    if (session.isEnded) {
      if (ids.length > 0) report("resurrected", "the session is usable after its logout");
      continue;
    }
    const count = countIds(session, ids, seconds);
    if (count > 1 || ids.length > 2) {
      report("extraIds", `${ids.length} IDs of one session are usable`);
    }
    if (session.isUncertain) continue;
    liveIds.push(count);
    if (isVersioned && isGraceShort(session, ids, seconds)) {
      report("deadSessions", "a rotation has replaced an ID, and its grace was cut short");
    }
    const found = left.get(session.cookie);
    if (found === undefined) {
      report("deadSessions", "nobody logged out, and the session's ID is not usable");
      continue;
    }
    const difference = session.differsFrom(found);
    if (difference !== undefined) report("lost", difference);
  }
  return liveIds;
}

/** Checks that each active session is in its subject's index, and no other session without reason. */
function checkIndexes({ left, entries, visits }: Run, report: Report): void {
  for (const [subject, count] of entries) {
    const ours = [...left].filter(([, found]) => found?.subject === subject);
    if (ours.some(([, found]) => found?.isListed === false)) {
      report("lost", "the list of its subject's sessions does not have it");
    }
    const active = new Set(ours.map(([id]) => keyOf(id))).size;
    // An attempt that fails, or is repeated, leaves its entry. So does one whose session is ended
    // at the same time.
    const allowed = visits.some(mayLeaveEntries) ? 2 * visits.length : 0;
    if (count > active + allowed) {
      report("wrongAnswers", `the index has ${count} entries of ${active} sessions`);
    }
  }
}

/** Whether a request may have left entries in an index that no active session needs. */
function mayLeaveEntries({ plan: { kind, resend }, failedAt, isRefused, ends }: Visit): boolean {
  return kind.destroysAll === true || resend !== undefined || failedAt !== undefined ||
    isRefused || ends.size > 0;
}

/** The IDs and cookie values with which each session can be used. */
function usableIds(
  left: Run["left"],
  book: SessionBook,
  report: Report,
): Map<ExpectedSession, string[]> {
  const usable = new Map<ExpectedSession, string[]>();
  for (const [id, found] of left) {
    if (found === undefined) continue;
    const session = book.get(id);
    if (session === undefined) {
      report("extraIds", "a session is usable whose ID no response has sent");
    } else usable.set(session, [...usable.get(session) ?? [], id]);
  }
  return usable;
}

/** The number of usable IDs without one in its grace. */
function countIds(session: ExpectedSession, usable: readonly string[], seconds: number): number {
  return usable.filter((id) => {
    return id === session.cookie || session.validity(id, seconds) === "invalid" ||
      !session.ids.includes(id);
  }).length;
}

/** Whether an ID that a rotation has replaced should still be usable. */
function isGraceShort(
  session: ExpectedSession,
  usable: readonly string[],
  seconds: number,
): boolean {
  return session.ids.some((id) => {
    return id !== session.id && session.validity(id, seconds) === "valid" && !usable.includes(id);
  });
}
