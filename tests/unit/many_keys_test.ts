/** Work on thousands of keys takes a time that grows with their number, not with its square. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Session } from "@pagi/session";
import { workingCopyOf } from "../../data/working_copy.ts";
import { cookieOf, requestWith, rig } from "../_kit/helpers.ts";

type Shop = Record<string, number>;

const MANY = 4_000;

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

/** Counts what `work` writes into Maps. A copy of a Map writes all of its entries again. */
function mapWrites(work: () => void): number {
  const { set } = Map.prototype;
  let count = 0;
  Map.prototype.set = function (key, value) {
    count++;
    return set.call(this, key, value);
  };
  try {
    work();
  } finally {
    Map.prototype.set = set;
  }
  return count;
}

for (const [name, work] of Object.entries(WORK)) {
  Deno.test(`${name} notes each key once`, () => {
    const session = Session.fromData<Shop>({});
    const writes = mapWrites(() => work(session, keysOf(MANY)));
    assert(writes <= MANY, `${writes} writes for ${MANY} keys`);
  });
}

Deno.test("update() of one key does not copy the list of its functions", () => {
  const session = Session.fromData<Shop>({});
  fill(session, ["n"]);
  const { functions } = workingCopyOf(session.data).updates.get("n")!;
  for (let count = 1; count < MANY; count++) fill(session, ["n"]);
  assertStrictEquals(workingCopyOf(session.data).updates.get("n")!.functions, functions);
  assertEquals(functions.length, MANY);
});

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
