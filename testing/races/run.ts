/**
 * One race: creates a session, runs the requests in the order of the schedule, and reads the
 * result.
 */
import { allShards, indexKeyOf, indexOf } from "../../core/subjects/index_keys.ts";
import { decodeIndex, encodeIndex } from "../../core/subjects/index_record.ts";
import { SessionMiddleware } from "../../middleware.ts";
import type { HeaderPair } from "../../pagi.ts";
import { Session } from "../../session.ts";
import type { SessionStore, VersionedStore } from "../../store/store.ts";
import { cookieChanges, CookieJar } from "./cookie_jar.ts";
import { keyOf, withKey } from "./ids.ts";
import type { Lane } from "./lane.ts";
import { type Choose, COPY, endsAll, type Program } from "./program.ts";
import { EVERYBODY, PAST_GRACE, startingValues, valuesOf } from "./requests.ts";
import { type Step, Timeline } from "./timeline.ts";
import { call, type Values, Visit } from "./visit.ts";
import { watch } from "./watch.ts";

/** A session that was found after a race. */
export interface Left {
  values: Values;
  subject: string | undefined;
  /** When it was last used, in Unix seconds. */
  lastAccess: number;
  /** Whether the list of its subject's sessions has it; undefined without such a list. */
  isListed: boolean | undefined;
}

/** The record of a race. */
export interface Run {
  program: Program;
  visits: Visit[];
  /** Whose step it was each time, as in {@linkcode Choose}. */
  order: number[];
  steps: Step[];
  /** Seconds that the race took. */
  seconds: number;
  /** The session before the race. */
  start: { id: string; cookie: string; values: Values; subject: string | undefined };
  /** The subject that `destroyAll()` is called for. */
  everybody: string;
  /** Whether the store has versions, so that it can keep every guarantee. */
  isVersioned: boolean;
  /** The session under each cookie value and each ID of the race; undefined without a session. */
  left: Map<string, Left | undefined>;
  /** The number of entries in the index of each subject, if the store has versions. */
  entries: Map<string, number>;
}

/** Options of {@linkcode run}. */
export interface RunOptions {
  store: SessionStore;
  /** Creates an ID that differs from all others in both halves. */
  newId: () => string;
}

const SECRET = "the simulator's own secret, which protects nothing";
/** Seconds of `storeTimeout`: long, because a store call waits for its step. */
const STORE_TIMEOUT = 3600;
/** A lifetime with which no touch is due and no cookie is renewed in a race. */
const LONG = { expire: 86_400, touchInterval: 4320 };

/** Seconds for which an index is kept that has shards before the race. */
const INDEX_TTL = 86_400;

/** Runs one race. */
export async function run(program: Program, choose: Choose, options: RunOptions): Promise<Run> {
  const { store } = options;
  const ids: string[] = [];
  const generateId = () => {
    const id = options.newId();
    ids.push(id);
    return id;
  };
  const timeline = new Timeline();
  const middleware = (store: SessionStore, skew?: number) =>
    new SessionMiddleware({
      secret: SECRET,
      store,
      generateId,
      now: () => timeline.now(skew),
      // Requests that lose a race are expected here.
      onEvent: () => {},
      storeTimeout: STORE_TIMEOUT,
      ...program.isTouchDue ? { touchInterval: 0 } : LONG,
      rolling: !program.isCookieKept,
      ...program.isRotating ? { rotateInterval: 1 } : {},
    });
  const salt = options.newId();
  const subjectOf = (name: string) => `${name} of ${salt}`;
  const jar = new CookieJar();
  // Not promised: that a response which only renews the cookie arrives before the response to a
  // login.
  const { isTouchDue, isFull = false } = program;
  const race = { timeline, jar, subjectOf, isSlow: !isTouchDue, isFull };
  const visits = program.plans.map((plan, at) => new Visit(plan, at, race));
  const alone = middleware(store);
  const letters = visits.map(({ me }) => me);
  const everybody = subjectOf(EVERYBODY);
  const subject = program.isSignedIn ? everybody : undefined;
  if (program.hasShards && "read" in store) await beginShards(store, everybody, timeline.now());
  const start = await setUp(alone, jar, startingValues(letters), subject);
  const unseen = await unseenLists(program, letters.map(subjectOf), everybody);
  for (const visit of visits) {
    const sessions = middleware(watch(store, visit, unseen), visit.plan.skew);
    await visit.lane.start(() => visit.run(sessions));
  }
  const order = await follow(visits, choose);
  if (program.isExaminedLate) timeline.skip(PAST_GRACE);
  const sent = visits.flatMap((visit) => visit.cookies).filter((cookie) => cookie !== "clear");
  const isVersioned = "read" in store;
  const left: Run["left"] = new Map();
  const made = "read" in store ? await madeOf(ids, store) : [];
  for (const cookie of new Set([start.cookie, ...ids, ...made, ...sent.map(({ set }) => set)])) {
    left.set(cookie, await probe(alone, cookie, isVersioned));
  }
  const subjects = [everybody, ...letters.map(subjectOf)];
  const entries = "read" in store ? await countEntries(store, subjects) : new Map();
  const { steps, seconds } = timeline;
  return { program, visits, order, steps, seconds, start, everybody, isVersioned, left, entries };
}

/** Begins the index of a subject as if it had more sessions than fit into its root. */
async function beginShards(store: VersionedStore, subject: string, now: number): Promise<void> {
  const { signal } = new AbortController();
  const text = encodeIndex({ generation: subject, level: 1, entries: [] });
  const lastAccess = Math.floor(now / 1000);
  await store.create(await indexKeyOf(subject), text, { lastAccess, ttl: INDEX_TTL, signal });
}

/** Counts the entries in the index of each subject. */
async function countEntries(
  store: VersionedStore,
  subjects: readonly string[],
): Promise<Map<string, number>> {
  const { signal } = new AbortController();
  const counts = new Map<string, number>();
  const read = async (key: string) => {
    return decodeIndex((await store.read(key, { signal }))?.text ?? "");
  };
  for (const subject of subjects) {
    const index = await indexOf(subject);
    const root = await read(index.root.key);
    let count = root?.entries.length ?? 0;
    for (const { key } of await allShards(index, root?.level ?? 0)) {
      count += (await read(key))?.entries.length ?? 0;
    }
    counts.set(subject, count);
  }
  return counts;
}

/** Every ID that the sessions in the store can have got from the generated ones. */
async function madeOf(generated: readonly string[], store: VersionedStore): Promise<string[]> {
  const { signal } = new AbortController();
  const made: string[] = [];
  for (const key of generated.map(keyOf)) {
    if (await store.read(key, { signal }) === undefined) continue;
    made.push(...generated.map((id) => withKey(id, key)));
  }
  return made;
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
  const lanes = new Map<number, Lane>();
  for (const [at, { lane }] of visits.entries()) lanes.set(at, lane);
  for (const [at, { copies }] of visits.entries()) lanes.set(at + COPY, copies);
  const order: number[] = [];
  while (true) {
    const ready = [...lanes].filter(([, { isReady }]) => isReady).map(([at]) => at);
    if (ready.length === 0) return order;
    const next = choose(ready);
    order.push(next);
    await lanes.get(next)!.step();
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
    jar.take(cookieChanges(event.headers as HeaderPair[]));
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
  isVersioned: boolean,
): Promise<Left | undefined> {
  let found: Left | undefined;
  const app = sessions.wrap((scope) => {
    const session = new Session(scope);
    if (session.id === undefined) return;
    const { subject } = session;
    const lastAccess = session.data._last_access ?? 0;
    const values = valuesOf(session);
    found = { values, subject, lastAccess, isListed: undefined };
  });
  await call(app, "websocket", cookie, () => Promise.resolve());
  if (found?.subject !== undefined && isVersioned) {
    const listed = await sessions.list(found.subject, { current: cookie });
    found.isListed = listed.some(({ current }) => current);
  }
  return found;
}
