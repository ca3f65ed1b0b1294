/** A race of requests that all know their session by an old cookie, for the oracle of the simulator. */
import { CookieState, MemoryStore, SessionMiddleware, type VersionedStore } from "@pagi/session";
import { LegacySessions, type LegacySource, MigratingState } from "@pagi/session/migrate";
import { indexKeyOf } from "../../core/subjects/subject_index.ts";
import { CookieJar } from "../../testing/races/cookie_jar.ts";
import type { Choose, Program } from "../../testing/races/program.ts";
import { EVERYBODY, startingValues } from "../../testing/races/requests.ts";
import { follow, probe, type Run } from "../../testing/races/run.ts";
import { Visit } from "../../testing/races/visit.ts";
import { type Step, watch } from "../../testing/races/watch.ts";
import { idOf } from "./helpers.ts";

/** What the browser presents at the start, in the place of an id. */
const OLD = "of-the-old-library";
/** What stands for the first session, by whatever it was presented, in what is judged. */
const FIRST = idOf("f");
const SECRET = "s";

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
  const made = new Set<string>();
  const startedAt = Date.now();
  const subjectOf = (name: string) => name;
  const steps: Step[] = [];
  const visits = program.plans.map((plan, at) => new Visit(plan, at, steps, false, subjectOf));
  const values = startingValues(visits.map(({ me }) => me));
  const old = new Map<string, object>([[OLD, values]]);

  const middleware = (store: VersionedStore, legacy: LegacySource, visit?: Visit) => {
    const moving = connected(store, legacy);
    const cookie = new CookieState();
    return new SessionMiddleware({
      secret: SECRET,
      store,
      state: new MigratingState({
        state: cookie,
        // No `clear`: it is the same cookie, and the oracle wants one change of it.
        legacy: { extract: (scope) => cookie.extract(scope) },
        sessions: {
          holds: (presented) => moving.holds(presented),
          async adopt(value) {
            const id = await moving.adopt(value);
            // What it wrote is nothing that the request changed.
            if (visit !== undefined) visit.committedAt = undefined;
            return id;
          },
        },
      }),
      now: () => startedAt,
      storeTimeout: 3600,
      touchInterval: program.isTouchDue ? 0 : undefined,
    });
  };

  const noting = creating(store, (id, text, options) => {
    if (text.startsWith("{")) made.add(id);
    return store.create(id, text, options);
  });
  // Nobody here looks at the list of anybody's sessions.
  const lists = [...visits.map(({ me }) => me), EVERYBODY];
  const unseen = new Set(await Promise.all(lists.map(indexKeyOf)));
  const jar = new CookieJar();
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
    const sessions = middleware(watch(noting, visit, unseen) as VersionedStore, legacy, visit);
    await visit.lane.start(() => visit.run(sessions, jar));
  }
  const order = await follow(visits, choose);

  const legacy: LegacySource = { get: (value) => old.get(value) };
  const first = await connected(store, legacy).adopt(OLD);
  const nameOf = (id: string | undefined) => id === OLD || id === first ? FIRST : id;
  for (const visit of visits) {
    visit.presented = nameOf(visit.presented);
    visit.id = nameOf(visit.id);
    visit.newId = nameOf(visit.newId);
    visit.jarBefore = nameOf(visit.jarBefore);
    visit.cookies = visit.cookies.map((change) =>
      change === "clear" ? change : { set: nameOf(change.set)! }
    );
  }
  const alone = middleware(store, legacy);
  const left: Run["left"] = new Map([[FIRST, await probe(alone, first!)]]);
  for (const id of made) {
    if (id !== first) left.set(id, await probe(alone, id));
  }
  const start = { id: FIRST, cookie: FIRST, values, subject: undefined };
  const byOld = await probe(alone, OLD);
  return {
    run: { program, visits, order, steps, start, everybody: EVERYBODY, canList: true, left },
    isOldCookieRight: JSON.stringify(byOld) === JSON.stringify(left.get(FIRST)),
    isOldStoreEmpty: old.size === 0,
  };
}
