/** Work on thousands of keys takes a time that grows with their number, not with its square. */
import { assert, assertEquals } from "@std/assert";
import { Session } from "@pagi/session";
import { cookieOf, requestWith, rig } from "../_kit/helpers.ts";

type Shop = Record<string, number>;

const FEW = 1_000;
const MANY = 16_000;
/** In linear time it is 16, and 256 in quadratic time. */
const LIMIT = 64;

const keysOf = (count: number) => Array.from({ length: count }, (_, at) => `key${at}`);
const fill = (session: Session<Shop>, keys: string[]) => {
  for (const key of keys) session.update(key, (n = 0) => n + 1);
};

const WORK: Record<string, (session: Session<Shop>, keys: string[]) => void> = {
  "update() of each key": fill,
  "update() of one key, again and again": (session, keys) => {
    for (const _ of keys) session.update("n", (n = 0) => n + 1);
  },
  "set() after update()": (session, keys) => {
    fill(session, keys);
    for (const key of keys) session.set(key, 1);
  },
  "set() of an object after update()": (session, keys) => {
    fill(session, keys);
    session.set(Object.fromEntries(keys.map((key) => [key, 1])));
  },
  "delete() after update()": (session, keys) => {
    fill(session, keys);
    session.delete(...keys);
  },
  "clear() after update()": (session, keys) => {
    fill(session, keys);
    session.clear();
  },
};

/** The shortest of several times, which others have disturbed the least. */
function shortest(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

for (const [name, work] of Object.entries(WORK)) {
  Deno.test(`${name} takes linear time`, () => {
    const time = (count: number) => {
      const keys = keysOf(count);
      return shortest(() => work(Session.fromData<Shop>({}), keys));
    };
    time(FEW);
    const ratio = time(MANY) / time(FEW);
    assert(ratio < LIMIT, `${MANY} keys take ${ratio} times as long as ${FEW}`);
  });
}

Deno.test("thousands of updates of two requests are merged", async () => {
  const { sessions } = rig({ maxBytes: 1_000_000 });
  const keys = keysOf(MANY);
  const visit = (cookie: string, during: () => unknown = () => {}) =>
    sessions.run(requestWith({ cookie }), async (session) => {
      fill(session as Session<Shop>, keys);
      await during();
      return new Response();
    });
  const cookie = cookieOf(await visit(""));
  await visit(cookie, () => visit(cookie));
  const loaded = await sessions.load(requestWith({ cookie }));
  assertEquals(new Set(keys.map((key) => loaded?.get(key))), new Set([3]));
});
