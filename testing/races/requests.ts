/** What the simulated requests do to their session. */
import type { SessionMiddleware } from "../../middleware.ts";
import type { Session } from "../../session.ts";

/** What every session holds at the start, beside an old key for each request. */
const START = { count: 0, shared: "nobody" };

/** Whose sessions are ended all at once. */
export const EVERYBODY = "everybody";

/** The subject that goes by a name in this run, and in no other on the same store. */
export type SubjectOf = (name: string) => string;

/** Takes what a job found, what it made of that, and whose session it was. */
export type Note = (
  loaded: Record<string, unknown>,
  made: Record<string, unknown>,
  subject: string | undefined,
) => void;

/** One kind of request. */
export interface RequestKind {
  /** What it is called in a schedule. */
  name: string;
  /** What its handler does; `me` is a letter of its own. */
  act?(session: Session, me: string, subjectOf: SubjectOf): unknown;
  /** What it does in place of a request, to the session under `id`; `note` takes what it changes. */
  job?(
    sessions: SessionMiddleware,
    id: string,
    note: Note,
    subjectOf: SubjectOf,
  ): Promise<unknown>;
  /** Whether it asks for a new id. */
  rotates?: true;
  /** Whether it ends the session. */
  destroys?: true;
  /** Whether keys that others added meanwhile go too. */
  clears?: true;
  /** Whether it says whose the session is. */
  namesSubject?: true;
  /** Whether it ends all sessions of {@linkcode EVERYBODY}. */
  destroysAll?: true;
  /** How much it adds to `count`, however often it has to. */
  counts?: number;
  /** Whether its handler fails after that. */
  fails?: true;
}

const increment = (count: unknown = 0) => (count as number) + 1;
const keyOf = (me: string) => `key-${me}`;
const oldKeyOf = (me: string) => `old-${me}`;

/** Every kind. A number names its requests by their place in this list. */
export const REQUEST_KINDS: readonly RequestKind[] = [
  { name: "reads", act: (session) => session.keys() },
  { name: "writes a key", act: (session, me) => session.set(keyOf(me), me) },
  { name: "writes the shared key", act: (session, me) => session.set("shared", me) },
  { name: "adds one", counts: 1, act: (session) => session.update("count", increment) },
  {
    name: "adds one twice",
    counts: 2,
    act: (session) => session.update("count", increment).update("count", increment),
  },
  { name: "sets the count to 100", act: (session) => session.set("count", 100) },
  { name: "deletes a key", act: (session, me) => session.delete(oldKeyOf(me)) },
  { name: "clears", clears: true, act: (session) => session.clear() },
  {
    name: "clears and writes a key",
    clears: true,
    act: (session, me) => session.clear().set(keyOf(me), me),
  },
  { name: "rotates", rotates: true, act: (session) => session.regenerate() },
  {
    name: "logs in",
    rotates: true,
    act: (session, me) => session.regenerate().set("user", me),
  },
  {
    name: "sets the subject",
    rotates: true,
    namesSubject: true,
    act: (session, me, subjectOf) => {
      session.subject = subjectOf(me);
    },
  },
  {
    name: "signs in",
    rotates: true,
    namesSubject: true,
    act: (session, _me, subjectOf) => {
      session.regenerate().subject = subjectOf(EVERYBODY);
    },
  },
  { name: "logs out", destroys: true, act: (session) => session.destroy() },
  {
    name: "logs out and rotates",
    destroys: true,
    act: (session) => session.destroy().regenerate(),
  },
  { name: "writes a key and fails", fails: true, act: (session, me) => session.set(keyOf(me), me) },
  { name: "logs out and fails", destroys: true, fails: true, act: (session) => session.destroy() },
  {
    name: "adds one from a job",
    counts: 1,
    job: (sessions, id, note) =>
      sessions.update(id, (data) => {
        const count = increment(data.count);
        note({ count: data.count }, { count }, data._subject);
        data.count = count;
      }),
  },
  { name: "is logged out by a job", destroys: true, job: (sessions, id) => sessions.destroy(id) },
  {
    name: "is logged out everywhere",
    destroysAll: true,
    job: (sessions, _id, _note, subjectOf) => sessions.destroyAll(subjectOf(EVERYBODY)),
  },
];

/** The data of a session before the race, for requests with these letters. */
export function startingValues(letters: readonly string[]): Record<string, unknown> {
  return { ...START, ...Object.fromEntries(letters.map((me) => [oldKeyOf(me), me])) };
}
