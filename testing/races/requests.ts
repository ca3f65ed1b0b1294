/** The kinds of requests that the simulator runs. */
import type { SessionMiddleware } from "../../middleware.ts";
import type { Session } from "../../session.ts";

/** The data of every session at the start, beside an old key for each request. */
const START = { count: 0, shared: "nobody" };

/** The subject that `destroyAll()` is called for. */
export const EVERYBODY = "everybody";

/** Makes a name into a subject that no other run on the same store has. */
export type SubjectOf = (name: string) => string;

/** Records the data that a job found, the data that it left, and the session's subject. */
export type Note = (
  loaded: Record<string, unknown>,
  made: Record<string, unknown>,
  subject: string | undefined,
) => void;

/** One kind of request. */
export interface RequestKind {
  /** The words for it in a schedule. */
  name: string;
  /** The handler; `me` is the letter of the request. */
  act?(session: Session, me: string, subjectOf: SubjectOf): unknown;
  /**
   * The job that runs instead of a request, on the session with this ID; it reports a change to
   * `note`.
   */
  job?(
    sessions: SessionMiddleware,
    id: string,
    note: Note,
    subjectOf: SubjectOf,
  ): Promise<unknown>;
  /** Whether it regenerates the session ID. */
  rotates?: true;
  /** Whether it destroys the session. */
  destroys?: true;
  /** Whether it clears the session, including keys that other requests add at the same time. */
  clears?: true;
  /** Whether it sets the subject. */
  namesSubject?: true;
  /** Whether it destroys all sessions of {@linkcode EVERYBODY}. */
  destroysAll?: true;
  /** How much it adds to `count` in total, even if the update is replayed. */
  counts?: number;
  /** Whether its handler throws at the end. */
  fails?: true;
}

const increment = (count: unknown = 0) => (count as number) + 1;
const keyOf = (me: string) => `key-${me}`;
const oldKeyOf = (me: string) => `old-${me}`;

/** Every kind. Numbers of races depend on the order of this array. */
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

/** The data of the session before the race, if the requests have these letters. */
export function startingValues(letters: readonly string[]): Record<string, unknown> {
  return { ...START, ...Object.fromEntries(letters.map((me) => [oldKeyOf(me), me])) };
}
