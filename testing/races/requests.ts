/** The kinds of requests that the simulator runs. */
import type { SessionMiddleware } from "../../middleware.ts";
import type { Session } from "../../session.ts";

/** The data of every session at the start, beside an old key for each request. */
const START = { count: 0, shared: "nobody", token: "unused" };

/** Stands for the session's own idle time among its values. No key of a session has this name. */
export const IDLE = "its idle time";

/** The subject that `destroyAll()` is called for. */
export const EVERYBODY = "everybody";

/** The old ID is certainly invalid this many seconds after the client first sent the new one. */
export const PAST_GRACE = 300;

/** Makes a name into a subject that no other run on the same store has. */
export type SubjectOf = (name: string) => string;

/** Values and functions that a handler can use in addition to the session. */
export interface Surroundings {
  /** The letter of the request. */
  me: string;
  subjectOf: SubjectOf;
  /** Ends the session of the request, as an administrator could on another server. */
  destroyElsewhere(): Promise<unknown>;
}

/** Values and functions that a job can use. */
export interface JobSurroundings {
  sessions: SessionMiddleware;
  /** The session's ID, as the browser had it when the job started. */
  id: string;
  subjectOf: SubjectOf;
  /** Loads the session of that ID, then lets other requests go on. */
  hold(): Promise<Session | undefined>;
  /** Records the data that the job found, the data that it left, and the session's subject. */
  note(
    loaded: Record<string, unknown>,
    made: Record<string, unknown>,
    subject: string | undefined,
  ): void;
}

/** One kind of request. */
export interface RequestKind {
  /** The words for it in a schedule. */
  name: string;
  /** The handler. */
  act?(session: Session, surroundings: Surroundings): unknown;
  /** The job that runs instead of a request. */
  job?(surroundings: JobSurroundings): Promise<unknown>;
  /** Whether it regenerates the session ID. */
  regenerates?: true;
  /** Whether it rotates the session ID, which leaves the old one valid for a while. */
  rotates?: true;
  /** Whether it destroys the session. */
  destroys?: true;
  /** Whether it continues with a new session. */
  restarts?: true;
  /** Whether it clears the session, including keys that other requests add at the same time. */
  clears?: true;
  /** Whether it sets the subject. */
  namesSubject?: true;
  /** Whether it destroys all sessions of {@linkcode EVERYBODY}. */
  destroysAll?: true;
  /** Whether it is a job with a `Session` object, which follows the session to a newer ID. */
  holds?: true;
  /** Whether it takes the token, which only one request may have. */
  pulls?: true;
  /** Whether its response sends the session's ID again, because the cookie gets another lifetime. */
  resends?: true;
  /** How much it adds to `count` in total, even if the update is replayed. */
  counts?: number;
  /** Whether its handler throws at the end. */
  fails?: true;
  /** Seconds in which nothing happens before the request is sent. */
  waits?: number;
  /** Whether only random races have it: it has very many schedules, or few of its own. */
  isRandomOnly?: true;
}

/** Seconds of an idle time with which no touch is due in a race. */
const LONGER = 100_000;

const increment = (count: unknown = 0) => (count as number) + 1;
const keyOf = (me: string) => `key-${me}`;
const oldKeyOf = (me: string) => `old-${me}`;

/** Adds one to the count, outside a request. */
function addOne(
  { sessions, note }: JobSurroundings,
  idOrSession: string | Session,
): Promise<unknown> {
  return sessions.update(idOrSession, (data) => {
    const count = increment(data.count);
    note({ count: data.count }, { count }, data._subject);
    data.count = count;
  });
}

/** Every kind. Numbers of races depend on the order of this array. */
export const REQUEST_KINDS: readonly RequestKind[] = [
  { name: "reads", act: (session) => session.keys() },
  { name: "writes a key", act: (session, { me }) => session.set(keyOf(me), me) },
  { name: "writes the shared key", act: (session, { me }) => session.set("shared", me) },
  { name: "adds one", counts: 1, act: (session) => session.update("count", increment) },
  {
    name: "adds one twice",
    counts: 2,
    act: (session) => session.update("count", increment).update("count", increment),
  },
  { name: "sets the count to 100", act: (session) => session.set("count", 100) },
  { name: "deletes a key", act: (session, { me }) => session.delete(oldKeyOf(me)) },
  { name: "clears", clears: true, act: (session) => session.clear() },
  {
    name: "clears and writes a key",
    clears: true,
    act: (session, { me }) => session.clear().set(keyOf(me), me),
  },
  { name: "regenerates", regenerates: true, act: (session) => session.regenerate() },
  {
    name: "logs in",
    regenerates: true,
    act: (session, { me }) => session.regenerate().set("user", me),
  },
  {
    name: "sets the subject",
    regenerates: true,
    namesSubject: true,
    act: (session, { me, subjectOf }) => {
      session.subject = subjectOf(me);
    },
  },
  {
    name: "signs in",
    regenerates: true,
    namesSubject: true,
    act: (session, { subjectOf }) => {
      session.regenerate().subject = subjectOf(EVERYBODY);
    },
  },
  { name: "logs out", destroys: true, act: (session) => session.destroy() },
  {
    name: "logs out and regenerates",
    destroys: true,
    act: (session) => session.destroy().regenerate(),
  },
  {
    name: "writes a key and fails",
    fails: true,
    act: (session, { me }) => session.set(keyOf(me), me),
  },
  { name: "logs out and fails", destroys: true, fails: true, act: (session) => session.destroy() },
  { name: "adds one from a job", counts: 1, job: (around) => addOne(around, around.id) },
  {
    name: "is logged out by a job",
    destroys: true,
    job: ({ sessions, id }) => sessions.destroy(id),
  },
  {
    name: "is logged out everywhere",
    destroysAll: true,
    job: ({ sessions, subjectOf }) => sessions.destroyAll(subjectOf(EVERYBODY)),
  },
  { name: "rotates", rotates: true, act: (session) => session.rotate() },
  {
    name: "rotates and writes a key",
    rotates: true,
    act: (session, { me }) => session.rotate().set(keyOf(me), me),
  },
  {
    name: "restarts",
    restarts: true,
    act: (session, { me }) => session.restart().set(keyOf(me), me),
  },
  {
    name: "restarts after a logout elsewhere",
    isRandomOnly: true,
    destroys: true,
    restarts: true,
    async act(session, { me, destroyElsewhere }) {
      await destroyElsewhere();
      session.restart().set(keyOf(me), me);
    },
  },
  {
    name: "restarts and signs in",
    isRandomOnly: true,
    restarts: true,
    namesSubject: true,
    act: (session, { subjectOf }) => {
      session.restart().subject = subjectOf(EVERYBODY);
    },
  },
  {
    name: "adds one from a job with a Session",
    counts: 1,
    holds: true,
    async job(around) {
      const session = await around.hold();
      if (session !== undefined) await addOne(around, session);
    },
  },
  {
    name: "reads five minutes later",
    isRandomOnly: true,
    waits: PAST_GRACE,
    act: (session) => session.keys(),
  },
  {
    name: "writes a key five minutes later",
    isRandomOnly: true,
    waits: PAST_GRACE,
    act: (session, { me }) => session.set(keyOf(me), me),
  },
  {
    name: "authenticates again",
    regenerates: true,
    act: (session) => session.regenerate({ authenticated: true }),
  },
  {
    name: "removes the subject",
    act: (session) => {
      session.subject = undefined;
    },
  },
  {
    name: "takes the token",
    pulls: true,
    act: (session) => session.pull("token", undefined),
  },
  {
    name: "takes the token and regenerates",
    isRandomOnly: true,
    pulls: true,
    regenerates: true,
    act: (session) => session.regenerate().pull("token", undefined),
  },
  {
    name: "is remembered",
    resends: true,
    act: (session, { me }) => {
      session.lifetime = { idle: LONGER + me.charCodeAt(0) };
    },
  },
  {
    name: "signs in and is remembered",
    isRandomOnly: true,
    regenerates: true,
    namesSubject: true,
    act: (session, { me, subjectOf }) => {
      session.subject = subjectOf(me);
      session.lifetime = { idle: LONGER + me.charCodeAt(0) };
    },
  },
  {
    name: "is not remembered",
    isRandomOnly: true,
    resends: true,
    act: (session) => {
      session.lifetime = undefined;
    },
  },
];

/** The values of a session, with its idle time. */
export function valuesOf(session: Session): Record<string, unknown> {
  const idle = session.lifetime?.idle;
  const values = session.slice(...session.keys());
  return idle === undefined ? values : { ...values, [IDLE]: idle };
}

/** The data of the session before the race, if the requests have these letters. */
export function startingValues(letters: readonly string[]): Record<string, unknown> {
  return { ...START, ...Object.fromEntries(letters.map((me) => [oldKeyOf(me), me])) };
}
