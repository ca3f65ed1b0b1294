/**
 * Clients that come, come again, sign in, sign out and stay away: `churn.ts OPTIONS`, as JSON. Writes
 * a line of JSON at each mark, and leaves nothing behind that would keep the process from ending.
 *
 * @module
 */
import process from "node:process";
import { setImmediate } from "node:timers";
import { MemoryStore, type Session, SessionMiddleware, type VersionedStore } from "../mod.ts";
import { SECRET } from "./contenders/contender.ts";
import { residentBytes, usedBytes } from "./memory.ts";

/** What this program is told. */
export interface ChurnOptions {
  requests: number;
  /** How often memory is looked at. */
  marks: number;
}

/** How things stand. */
export interface ChurnMark {
  /** Requests so far. */
  done: number;
  /** Bytes in use. */
  heap: number;
  /** Bytes of the whole process. */
  resident: number;
  /** Records in the store, those included that have expired and not gone yet. */
  sessions: number;
}

/** Clients that are about at one time. */
const CLIENTS = 2000;
/** Seconds that a session lives unused: many generations of them pass. */
const EXPIRE = 600;
/** What passes between two requests, on a clock of our own: expiry must not wait for a real one. */
const STEP_MS = 50;
/** In one of so many requests a store answers later, so that the timer against a slow one is armed. */
const LATE = 16;

type Content = { user?: string; visits?: number };
type Deed = (session: Session<Content>) => void;

/** What clients do, as often as each stands here. */
const DEEDS: Deed[] = [
  (session) => session.get("user", undefined),
  (session) => session.get("user", undefined),
  (session) => session.get("user", undefined),
  (session) => session.set("user", "ada").set("visits", session.get("visits", 0) + 1),
  (session) => session.set("visits", session.get("visits", 0) + 1),
  (session) => session.update("visits", (visits = 0) => visits + 1),
  (session) => session.set("user", "ada").regenerate(),
  (session) => session.destroy(),
];

let now = Date.now();
const memory = new MemoryStore({ now: () => now });
let reads = 0;
/** The same store, which now and then answers with a promise. */
const store: VersionedStore = {
  accepts: (presented) => memory.accepts(presented),
  read(id) {
    const record = memory.read(id);
    return reads++ % LATE === 0 ? later(record) : record;
  },
  create: (id, text, options) => memory.create(id, text, options),
  replace: (id, text, options) => memory.replace(id, text, options),
  touch: (id, options) => memory.touch(id, options),
  delete: (id, options) => memory.delete(id, options),
};

async function later<T>(value: T): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  return value;
}

const sessions = new SessionMiddleware<Content>({
  secret: SECRET,
  store,
  expire: EXPIRE,
  now: () => now,
});
const handlers = DEEDS.map((deed) =>
  sessions.handler((_request, session) => {
    deed(session);
    return new Response("ok");
  })
);

const { requests, marks }: ChurnOptions = JSON.parse(process.argv[2]!);
const cookies: (string | undefined)[] = Array(CLIENTS).fill(undefined);
for (let done = 1; done <= requests; done++) {
  now += STEP_MS;
  const client = Math.floor(Math.random() * CLIENTS);
  const handler = handlers[Math.floor(Math.random() * handlers.length)]!;
  const cookie = cookies[client];
  const headers = cookie === undefined ? undefined : { cookie };
  const response = await handler(new Request("http://localhost/", { headers }));
  if (response.status !== 200) throw new Error(`A request was answered with ${response.status}`);
  const setCookie = response.headers.get("set-cookie");
  if (setCookie !== null) {
    const [pair = ""] = setCookie.split(";", 1);
    cookies[client] = pair.endsWith("=") ? undefined : pair;
  }
  // Some stay away, and a new client comes: what they leave behind has to expire.
  if (Math.random() < 1 / LATE) cookies[client] = undefined;
  if (done % Math.floor(requests / marks) === 0) {
    const mark: ChurnMark = {
      done,
      heap: usedBytes(),
      resident: residentBytes(),
      sessions: memory.size,
    };
    console.log(JSON.stringify(mark));
  }
}
