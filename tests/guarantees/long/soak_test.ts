/**
 * Memory stays bounded over many requests: 300,000 in CI and in `deno task test:guarantees`, which
 * grants no permission to read SOAK_REQUESTS. `deno task test:soak` makes 10 million. For another
 * number:
 *
 *     SOAK_REQUESTS=1000000 deno test --no-check --allow-env=SOAK_REQUESTS \
 *       --config tests/guarantees/deno.json tests/guarantees/long/soak_test.ts
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert } from "@std/assert";
import { MemoryStore, type Session, SessionMiddleware, type VersionedStore } from "@pagi/session";

type Data = { user?: string; visits?: number };

const REQUESTS = requestsIn("SOAK_REQUESTS") ?? 300_000;
/** Requests before the first measurement: many sessions have expired, and all code is compiled. */
const WARM_UP_REQUESTS = 100_000;
const CLIENTS = 2000;
const EXPIRE = 600;
/** How far each request moves the clock: expiry must not wait for the real one. */
const STEP_MS = 50;
/** The store answers every n-th read with a promise, so that the store timeout is armed. */
const LATE_READ = 16;
/** Every n-th client never comes back, so that its session has to expire. */
const LAST_VISIT = 16;
/** Room for noise. A leak of eight bytes a request is more than this. */
const MAX_GROWTH_BYTES = (REQUESTS - WARM_UP_REQUESTS) * 8;

/** What requests do; several of each common kind. */
const ACTIONS: readonly ((session: Session<Data>) => unknown)[] = [
  (session) => session.get("user", undefined),
  (session) => session.get("user", undefined),
  (session) => session.get("user", undefined),
  (session) => session.set("user", "ada").set("visits", session.get("visits", 0) + 1),
  (session) => session.set("visits", session.get("visits", 0) + 1),
  (session) => session.update("visits", (visits = 0) => visits + 1),
  (session) => session.set("user", "ada").regenerate(),
  (session) => session.destroy(),
];

Deno.test(`SessionMiddleware and MemoryStore do not leak over ${REQUESTS} requests`, async () => {
  let now = 1_700_000_000_000;
  const memory = new MemoryStore({ now: () => now });
  const visit = clients(memory, () => now += STEP_MS);
  for (let request = 0; request < WARM_UP_REQUESTS; request++) await visit();
  const before = { heap: heapBytes(), sessions: memory.size };
  for (let request = WARM_UP_REQUESTS; request < REQUESTS; request++) await visit();
  const after = { heap: heapBytes(), sessions: memory.size };

  const grown = after.heap - before.heap;
  assert(grown < MAX_GROWTH_BYTES, `The heap has grown by ${grown} bytes`);
  const [most, found] = [before.sessions * 1.2, after.sessions];
  assert(found < most, `The store holds ${found} sessions, after ${before.sessions} before`);
});

/** Clients that come, come again, sign in, sign out and stay away: returns one request. */
function clients(memory: MemoryStore, tick: () => number): () => Promise<void> {
  let now = tick();
  const store = sometimesLate(memory);
  const sessions = new SessionMiddleware<Data>({
    secret: "x".repeat(32),
    store,
    expire: EXPIRE,
    now: () => now,
  });
  const handlers = ACTIONS.map((act) =>
    sessions.handler((_request, session) => {
      act(session);
      return new Response("ok");
    })
  );
  const cookies: (string | undefined)[] = Array(CLIENTS).fill(undefined);
  const random = randomBelow();
  return async () => {
    now = tick();
    const client = random(CLIENTS);
    const cookie = cookies[client];
    const headers = cookie === undefined ? undefined : { cookie };
    const handler = handlers[random(handlers.length)]!;
    const response = await handler(new Request("http://localhost/", { headers }));
    assert(response.status === 200, `A request was answered with ${response.status}`);
    const pair = response.headers.get("set-cookie")?.split(";", 1)[0];
    if (pair !== undefined) cookies[client] = pair.endsWith("=") ? undefined : pair;
    if (random(LAST_VISIT) === 0) cookies[client] = undefined;
  };
}

function sometimesLate(memory: MemoryStore): VersionedStore {
  let reads = 0;
  return {
    accepts: (presented) => memory.accepts(presented),
    read(id) {
      const record = memory.read(id);
      return reads++ % LATE_READ === 0 ? Promise.resolve(record) : record;
    },
    create: (id, text, options) => memory.create(id, text, options),
    replace: (id, text, options) => memory.replace(id, text, options),
    touch: (id, options) => memory.touch(id, options),
    delete: (id, options) => memory.delete(id, options),
  };
}

// V8 offers its collector only to contexts that it creates after it got the flag.
setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapBytes(): number {
  // Weak references and finalizers release some objects only after the first collection.
  collectGarbage();
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
}

/** The same numbers in each run: a linear congruential generator. */
function randomBelow(): (end: number) => number {
  let state = 1;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * end);
  };
}

function requestsIn(variable: string): number | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  const text = state === "granted" ? Deno.env.get(variable) : undefined;
  return text === undefined ? undefined : Number(text);
}
