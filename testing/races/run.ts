/** One race: sets a session up, lets the requests run as the schedule says, and looks what is left. */
import { keyOf } from "../../core/subjects/subject_index.ts";
import { SessionMiddleware } from "../../middleware.ts";
import type { HeaderPair } from "../../pagi.ts";
import { Session } from "../../session.ts";
import type { SessionStore } from "../../store/store.ts";
import { CookieJar } from "./cookie_jar.ts";
import { type Choose, endsAll, type Program } from "./program.ts";
import { EVERYBODY, startingValues } from "./requests.ts";
import { call, type Values, Visit } from "./visit.ts";
import { type Step, watch } from "./watch.ts";

/** A session as it was found after a race. */
export interface Left {
  values: Values;
  subject: string | undefined;
}

/** A race that was run. */
export interface Run {
  program: Program;
  visits: Visit[];
  /** Which request took each step. */
  order: number[];
  steps: Step[];
  /** The first session: its id, its cookie and its data. */
  start: { id: string; cookie: string; values: Values; subject: string | undefined };
  /** The subject whose sessions are ended all at once. */
  everybody: string;
  /** Whether the store can tell which these are. */
  canList: boolean;
  /** What is found under each cookie and each id there was. */
  left: Map<string, Left | undefined>;
}

/** What a run takes. */
export interface RunOptions {
  store: SessionStore;
  /** Makes ids that no other run has. */
  newId: () => string;
}

const SECRET = "the simulator's own secret, which protects nothing";
/** Seconds that a request may wait for its turn, as far as its store's time is concerned. */
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
  // A response that prolongs the cookie may come after that of a login: the one thing not promised.
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

/** The keys of the lists that one request alone asks for, and those that nobody goes through. */
async function unseenLists(
  { plans }: Program,
  subjects: readonly string[],
  everybody: string,
): Promise<ReadonlySet<string>> {
  if (!plans.some(({ kind }) => kind.namesSubject)) return new Set();
  const unseen = endsAll(plans) ? subjects : [...subjects, everybody];
  return new Set(await Promise.all(unseen.map(keyOf)));
}

/** Lets one request after the other take a step until none can any more. */
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

/** A first visit, alone: after it the browser has a session. */
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

/** What is found under a cookie. A socket only looks: nothing is touched by it. */
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
