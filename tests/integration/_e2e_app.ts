/** The app behind the end-to-end tests: it counts, takes notes, signs in and out. */
import type { Session } from "@pagi/session";

/** The data of its sessions. `note 17` and the like are keys, too. */
export interface Data {
  /** The session's name, which stays the same when its ID changes. */
  life: string;
  /** How often it was counted up. */
  n: number;
  /** A note. Each has its own key. */
  [note: string]: unknown;
}

/** The body of a response: the session before the request. Without a session, it has no `life`. */
export interface Answer {
  life?: string;
  n: number;
  /** The notes, if the request asked for everything. */
  notes?: string[];
}

const NOTE = "note ";

/** Answers `/start?life=`, `/count`, `/note?key=`, `/sign-in`, `/sign-out`, `/look` and `/all`. */
export function respond(request: Request, session: Session<Data>): Response {
  const { pathname, searchParams } = new URL(request.url);
  const life = session.get("life", undefined);
  const answer: Answer = { life, n: session.get("n", 0) };
  if (pathname === "/start") session.set({ life: searchParams.get("life")!, n: 0 });
  // This also ends a session whose ID was replaced.
  if (pathname === "/sign-out") session.destroy();
  if (life === undefined) return Response.json(answer);
  if (pathname === "/count") session.update("n", (n) => (n ?? 0) + 1);
  if (pathname === "/note") session.set(NOTE + searchParams.get("key"), true);
  if (pathname === "/sign-in") session.regenerate();
  if (pathname === "/all") {
    const notes = session.keys().map(String).filter((key) => key.startsWith(NOTE));
    answer.notes = notes.map((key) => key.slice(NOTE.length));
  }
  return Response.json(answer);
}
