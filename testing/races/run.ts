/**
 * One race: creates a session, runs the requests in the order of the schedule, and reads the
 * result.
 */
import { indexKeyOf } from "../../core/subjects/subject_index.ts";
import { SessionMiddleware } from "../../middleware.ts";
import type { HeaderPair } from "../../pagi.ts";
import { Session } from "../../session.ts";
import type { SessionStore } from "../../store/store.ts";
import { CookieJar } from "./cookie_jar.ts";
import { type Choose, endsAll, type Program } from "./program.ts";
import { EVERYBODY, startingValues } from "./requests.ts";
import { call, type Step, type Values, Visit } from "./visit.ts";
import { watch } from "./watch.ts";

/** A session that was found after a race. */
export interface Left {
  values: Values;
  subject: string | undefined;
}

/** The record of a race. */
export interface Run {
  program: Program;
  visits: Visit[];
  /** The index of the request that took each step. */
  order: number[];
  steps: Step[];
  /** The session before the race. */
  start: { id: string; cookie: string; values: Values; subject: string | undefined };
  /** The subject that `destroyAll()` is called for. */
  everybody: string;
  /** Whether the store can list the sessions of a subject. */
  canList: boolean;
  /** The session under each cookie value and each ID of the race; undefined without a session. */
  left: Map<string, Left | undefined>;
}

/** Options of {@linkcode run}. */
export interface RunOptions {
  store: SessionStore;
  /** Creates an ID that no other run has. */
  newId: () => string;
}

const SECRET = "the simulator's own secret, which protects nothing";
/** Seconds of `storeTimeout`: long, because a store call waits for its step. */
const STORE_TIMEOUT = 3600;

/** Runs one race. */
export async function run(program: Program, choose: Choose, options: RunOptions): Promise<Run> {
  const { store } = options;
  const ids: string[] = [];
  const generateId = () => {
    const id = options.newId();
    ids.push(id);
    return id;
  };
  const startedAt = Date.now();
  const middleware = (store: SessionStore) =>
    new SessionMiddleware({
      secret: SECRET,
      store,
      generateId,
      now: () => startedAt,
      storeTimeout: STORE_TIMEOUT,
      touchInterval: program.isTouchDue ? 0 : undefined,
    });
  const steps: Step[] = [];
  // Not promised: that a response which only renews the cookie arrives before the response to a
  // login.
  const isSlow = !program.isTouchDue;
  const salt = options.newId();
  const subjectOf = (name: string) => `${name} of ${salt}`;
  const visits = program.plans.map((plan, at) => new Visit(plan, at, steps, isSlow, subjectOf));
  const jar = new CookieJar();
  const alone = middleware(store);
  const letters = visits.map(({ me }) => me);
  const everybody = subjectOf(EVERYBODY);
  const subject = program.isSignedIn ? everybody : undefined;
  const start = await setUp(alone, jar, startingValues(letters), subject);
  const unseen = await unseenLists(program, letters.map(subjectOf), everybody);
  for (const visit of visits) {
    const sessions = middleware(watch(store, visit, unseen));
    await visit.lane.start(() => visit.run(sessions, jar));
  }
  const order = await follow(visits, choose);
  const sent = visits.flatMap((visit) => visit.cookies).filter((cookie) => cookie !== "clear");
  const left: Run["left"] = new Map();
  for (const cookie of new Set([start.cookie, ...ids, ...sent.map(({ set }) => set)])) {
    left.set(cookie, await probe(alone, cookie));
  }
  return { program, visits, order, steps, start, everybody, canList: "read" in store, left };
}

/**
 * The keys of the subject index that only one request uses. Calls for them need no step of their
 * own, because no other request can interfere.
 */
async function unseenLists(
  { plans }: Program,
  subjects: readonly string[],
  everybody: string,
): Promise<ReadonlySet<string>> {
  if (!plans.some(({ kind }) => kind.namesSubject)) return new Set();
  const unseen = endsAll(plans) ? subjects : [...subjects, everybody];
  return new Set(await Promise.all(unseen.map(indexKeyOf)));
}

/** Lets the chosen requests take their steps until all are done; returns the order. */
export async function follow(visits: readonly Visit[], choose: Choose): Promise<number[]> {
  const order: number[] = [];
  while (true) {
    const ready = [...visits.keys()].filter((at) => visits[at]!.lane.isReady);
    if (ready.length === 0) return order;
    const next = choose(ready);
    order.push(next);
    await visits[next]!.lane.step();
  }
}

/** Creates the session with a first request, before the race. */
async function setUp(
  sessions: SessionMiddleware,
  jar: CookieJar,
  values: Values,
  subject: string | undefined,
): Promise<Run["start"]> {
  let id: string | undefined;
  const app = sessions.wrap(async (scope, _receive, send) => {
    const session = new Session(scope).set(values);
    if (subject !== undefined) session.subject = subject;
    id = session.id;
    await send({ type: "http.response.start", status: 200, headers: [] });
  });
  await call(app, "http", undefined, (event) => {
    jar.take(event.headers as HeaderPair[]);
    return Promise.resolve();
  });
  if (id === undefined || jar.value === undefined) {
    throw new Error("Cannot simulate races: the middleware sent no cookie for a first session");
  }
  return { id, cookie: jar.value, values, subject };
}

/** Reads the session of a cookie, over a WebSocket because that does not update the last access. */
export async function probe(
  sessions: SessionMiddleware,
  cookie: string,
): Promise<Left | undefined> {
  let found: Left | undefined;
  const app = sessions.wrap((scope) => {
    const session = new Session(scope);
    if (session.id === undefined) return;
    found = { values: session.slice(...session.keys()), subject: session.subject };
  });
  await call(app, "websocket", cookie, () => Promise.resolve());
  return found;
}
