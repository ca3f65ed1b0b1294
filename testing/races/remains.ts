/** Compares the sessions that a race has left with the expected ones. */
import type { ExpectedSession } from "./expected.ts";
import type { Report } from "./guarantee.ts";
import type { Run } from "./run.ts";
import type { SessionBook } from "./session_book.ts";

/**
 * Compares the sessions. Returns the number of usable IDs of each session that no request destroyed,
 * without an ID in its grace.
 */
export function compareRemains(
  { left, seconds, isVersioned }: Run,
  book: SessionBook,
  report: Report,
): number[] {
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
