/** A race of requests that all know their session by an old cookie, for the oracle of the simulator. */
import { CookieState, MemoryStore, SessionMiddleware, type VersionedStore } from "@pagi/session";
import { LegacySessions, type LegacySource, MigratingState } from "@pagi/session/migrate";
import { indexKeyOf } from "../../core/subjects/subject_index.ts";
import { CookieJar } from "../../testing/races/cookie_jar.ts";
import { idGenerator, keyOf, withKey } from "../../testing/races/ids.ts";
import type { Choose, Program } from "../../testing/races/program.ts";
import { EVERYBODY, startingValues } from "../../testing/races/requests.ts";
import { follow, probe, type Run } from "../../testing/races/run.ts";
import { Timeline } from "../../testing/races/timeline.ts";
import { Visit } from "../../testing/races/visit.ts";
import { watch } from "../../testing/races/watch.ts";

/** The cookie value that the browser sends at the start, in the place of an ID. */
const OLD = "of-the-old-library";
const SECRET = "s";
/** A lifetime with which no touch is due and no cookie is renewed in a race. */
const LONG = { expire: 86_400, touchInterval: 4320 };

/** What was run, for the oracle; and what it does not look at. */
export interface MigrationRun {
  run: Run;
  /** Whether the old cookie leads to the session exactly where the new one does. */
  isOldCookieRight: boolean;
  /** Whether nothing is left in the old store. */
  isOldStoreEmpty: boolean;
}

/** What may be changed. */
export interface RaceOptions {
  connect?: Connect;
  /** Whether old records can be destroyed. @default {true} */
  canDestroy?: boolean;
}

/** Makes the read-through of one server. */
export type Connect = (store: VersionedStore, legacy: LegacySource) => LegacySessions;

export const connect: Connect = (store, legacy) =>
  new LegacySessions({ secret: SECRET, store, legacy });

/** The store with another `create`. */
export function creating(store: VersionedStore, create: VersionedStore["create"]): VersionedStore {
  return {
    read: (...call) => store.read(...call),
    create,
    replace: (...call) => store.replace(...call),
    touch: (...call) => store.touch(...call),
    delete: (...call) => store.delete(...call),
  };
}

/** Runs one race. */
export async function raceOldCookies(
  program: Program,
  choose: Choose,
  { connect: connected = connect, canDestroy = true }: RaceOptions = {},
): Promise<MigrationRun> {
  const store = new MemoryStore();
  const ids: string[] = [];
  const newId = idGenerator();
  const generateId = () => {
    const id = newId();
    ids.push(id);
    return id;
  };
  const timeline = new Timeline();
  const jar = new CookieJar();
  // Every response to the old cookie sends the new one, so not promised: that one which was committed
  // before a login arrives before the response to the login.
  const race = { timeline, jar, subjectOf: (name: string) => name, isSlow: false, isFull: false };
  const visits = program.plans.map((plan, at) => new Visit(plan, at, race));
  const values = startingValues(visits.map(({ me }) => me));
  const old = new Map<string, object>([[OLD, values]]);

  const middleware = (store: VersionedStore, moving: LegacySessions, visit?: Visit) => {
    const cookie = new CookieState();
    return new SessionMiddleware({
      secret: SECRET,
      store,
      state: new MigratingState({
        state: cookie,
        // No `clear`: it is the same cookie, and the oracle wants one change of it.
        legacy: { extract: (scope) => cookie.extract(scope) },
        sessions: moving,
      }),
      generateId,
      now: () => timeline.now(visit?.plan.skew),
      storeTimeout: 3600,
      ...program.isTouchDue ? { touchInterval: 0 } : LONG,
      ...program.isRotating ? { rotateInterval: 1 } : {},
    });
  };

  // Nobody here looks at the list of anybody's sessions.
  const lists = [...visits.map(({ me }) => me), EVERYBODY];
  const unseen = new Set(await Promise.all(lists.map(indexKeyOf)));
  jar.value = OLD;
  for (const visit of visits) {
    const turn = <T>(what: string, act: () => T) =>
      visit.lane.turn(() => {
        visit.note(what);
        return act();
      });
    const legacy: LegacySource = {
      get: (value) => turn("legacy.get()", () => old.get(value)),
      destroy: (value) => canDestroy ? turn("legacy.destroy()", () => old.delete(value)) : false,
    };
    // The migration gets its own `Visit`, because its writes are not changes by the request.
    const migration = new Visit(visit.plan, visits.indexOf(visit), race);
    Object.assign(migration, { lane: visit.lane, copies: visit.copies });
    const moving = connected(watch(store, migration, unseen) as VersionedStore, legacy);
    const sessions = middleware(watch(store, visit, unseen) as VersionedStore, moving, visit);
    await visit.lane.start(() => visit.run(sessions));
  }
  const order = await follow(visits, choose);

  const legacy: LegacySource = { get: (value) => old.get(value) };
  // The old cookie stands for the ID that it leads to.
  const first = (await connected(store, legacy).adopt(OLD))!;
  const nameOf = (id: string | undefined) => id === OLD ? first : id;
  for (const visit of visits) {
    visit.presented = nameOf(visit.presented);
    visit.jarBefore = nameOf(visit.jarBefore);
  }
  const alone = middleware(store, connected(store, legacy));
  const generated = [first, ...ids];
  const left: Run["left"] = new Map();
  for (const key of new Set(generated.map(keyOf))) {
    if (key !== keyOf(first) && store.read(key) === undefined) continue;
    for (const id of generated) {
      left.set(withKey(id, key), await probe(alone, withKey(id, key), true));
    }
  }
  for (const id of ids) if (!left.has(id)) left.set(id, undefined);
  const byOld = await probe(alone, OLD, true);
  const { steps, seconds } = timeline;
  return {
    run: {
      program,
      visits,
      order,
      steps,
      seconds,
      start: { id: first, cookie: first, values, subject: undefined },
      everybody: EVERYBODY,
      isVersioned: true,
      left,
      entries: new Map(),
    },
    isOldCookieRight: JSON.stringify(byOld) === JSON.stringify(left.get(first)),
    isOldStoreEmpty: old.size === 0,
  };
}
