/** Many requests that use one session at the same time all succeed, or fail together. */
import { assert, assertEquals } from "@std/assert";
import {
  type Session,
  SessionError,
  SessionMiddleware,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import {
  around,
  type Call,
  chance,
  type Opener,
  rigOn as kitRigOn,
  SECRET,
  UNVERSIONED,
  VERSIONED,
} from "../_kit/stores.ts";
import { cookieOf, fakeClock, requestWith } from "../_kit/helpers.ts";

type Work = (session: Session) => unknown;

const increment: Work = (session) => session.update("n", (n) => Number(n) + 1);

/** Waits until all that does not wait for a round itself has come to rest. */
const round = () => new Promise<void>((resolve) => setTimeout(resolve));

/** A store on which each call takes two rounds, and a session in it whose `n` is 0. */
async function rigOn(open: Opener, options: Partial<SessionOptions> = {}) {
  const clock = fakeClock();
  const { store: inner, close } = await open(clock.now);
  const calls: Record<Call, number> = { read: 0, create: 0, replace: 0, touch: 0, delete: 0 };
  /** What happens to each call instead of the call itself. */
  const rule: { apply?: (name: Call, call: () => unknown, text: string) => unknown } = {};
  const store = around(inner as VersionedStore, async (name, call, args) => {
    calls[name]++;
    await round();
    const answer = await (rule.apply?.(name, call, String(args[1])) ?? call());
    await round();
    return answer;
  });
  const server = () => {
    const onEvent = () => {};
    return new SessionMiddleware({ secret: SECRET, store, now: clock.now, onEvent, ...options });
  };
  const sessions = server();
  const response = await sessions.run(requestWith(), (session) => {
    session.set("n", 0);
    return new Response();
  });
  const cookie = cookieOf(response);
  /** Sends a request. It begins to write when all requests of this round have read. */
  const visit = (work: Work, on = sessions) =>
    on.run(requestWith({ cookie }), async (session) => {
      await work(session);
      return new Response();
    });
  const values = async (value = cookie) => {
    const session = await server().load(requestWith({ cookie: value }));
    return session?.slice(...session.keys());
  };
  calls.read = calls.replace = 0;
  const id = cookie.split("=")[1]!;
  return { calls, clock, close, cookie, id, rule, server, sessions, values, visit };
}
type Rig = Awaited<ReturnType<typeof rigOn>>;

/** The codes of errors, each with its count; `ok` for successes. */
async function outcomes(pending: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const result of await Promise.allSettled(pending)) {
    const code = result.status === "fulfilled"
      ? "ok"
      : result.reason instanceof SessionError
      ? result.reason.code
      : String(result.reason);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

const times = <T>(count: number, make: (at: number) => T) =>
  Array.from({ length: count }, (_, at) => make(at));

/** The ways in which a request counts. */
const COUNTING: Record<string, (rig: Rig, at: number) => Promise<unknown>> = {
  "session.update()": ({ visit }) => visit(increment),
  "session.set()": ({ visit }, at) => visit((session) => session.set(`k${at}`, 1)),
  "sessions.update()": ({ sessions, id }) =>
    sessions.update(id, (data) => data.n = Number(data.n) + 1),
  "sessions.update() with an asynchronous callback": ({ sessions, id }) =>
    sessions.update(id, async (data) => {
      const n = Number(data.n);
      await undefined;
      data.n = n + 1;
    }),
};

for (const [where, open] of Object.entries(VERSIONED)) {
  for (const [how, count] of Object.entries(COUNTING)) {
    Deno.test(`200 simultaneous requests all count with ${how}, and read once each (${where})`, async () => {
      const rig = await rigOn(open);
      assertEquals(await outcomes(times(200, (at) => count(rig, at))), { ok: 200 });
      const { read, replace } = rig.calls;
      const { n, ...keys } = (await rig.values())!;
      assertEquals(Number(n) + Object.keys(keys).length, 200);
      // Those that lost the first race read the session once more, for all of them.
      assert(read <= 201, `${read} calls of read()`);
      const isAsync = how.includes("asynchronous");
      assert(replace <= (isAsync ? 399 : 203), `${replace} calls of replace()`);
      rig.close?.();
    });
  }
}

const SLOW = VERSIONED.MemoryStore!;

Deno.test("requests that come while others write to the session write together with the next ones", async () => {
  const { calls, values, visit } = await rigOn(SLOW);
  const pending: Promise<unknown>[] = [];
  for (let wave = 0; wave < 40; wave++) {
    pending.push(...times(5, () => visit(increment)));
    await round();
  }
  assertEquals(await outcomes(pending), { ok: 200 });
  assertEquals((await values())!.n, 200);
  assert(calls.read <= 240, `${calls.read} calls of read()`);
  assert(calls.replace <= 60, `${calls.replace} calls of replace()`);
});

Deno.test("ten processes that write to one session all succeed", async () => {
  const { server, values, visit, id } = await rigOn(SLOW);
  const servers = times(10, server);
  const pending = servers.flatMap((one) =>
    times(
      20,
      (at) =>
        at % 2 === 0
          ? visit(increment, one)
          : one.update(id, (data) => data.n = Number(data.n) + 1),
    )
  );
  assertEquals(await outcomes(pending), { ok: 200 });
  assertEquals((await values())!.n, 200);
});

Deno.test("ten processes whose updates have asynchronous callbacks all succeed", async () => {
  const { rule, server, values, id } = await rigOn(SLOW);
  rule.apply = async (_name, call) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return await call();
  };
  const pending = times(10, server).flatMap((one) =>
    times(20, () =>
      one.update(id, async (data) => {
        const n = Number(data.n);
        await round();
        data.n = n + 1;
      }))
  );
  assertEquals(await outcomes(pending), { ok: 200 });
  assertEquals((await values())!.n, 200);
});

Deno.test("200 simultaneous touches all succeed", async () => {
  const { clock, values, visit } = await rigOn(SLOW);
  clock.advance(120);
  assertEquals(await outcomes(times(200, () => visit(() => {}))), { ok: 200 });
  assertEquals((await values())!.n, 0);
});

Deno.test("all that wait fail together when the store hangs, and later requests succeed", async () => {
  for (
    const count of [
      COUNTING["session.update()"]!,
      COUNTING["sessions.update() with an asynchronous callback"]!,
    ]
  ) {
    const rig = await rigOn(SLOW, { storeTimeout: 1 });
    let replaces = 0;
    let hanging = 0;
    rig.rule.apply = (name, call) => {
      // The first race is decided. Then the store hangs.
      if (name === "replace" && ++replaces > 200) {
        hanging++;
        return new Promise(() => {});
      }
      return call();
    };
    const errors = new Set<unknown>();
    const pending = times(200, (at) =>
      count(rig, at).catch((error) => {
        errors.add(error);
        throw error;
      }));
    assertEquals(await outcomes(pending), { ok: 1, ERR_SESSION_STORE: 199 });
    // An event reports each error once.
    assertEquals(errors.size, 199);
    assertEquals(hanging, 1);
    rig.rule.apply = undefined;
    assertEquals(await outcomes([count(rig, 0)]), { ok: 1 });
    assertEquals((await rig.values())!.n, 2);
  }
});

Deno.test("a request that tries again when it failed with the others does not fail with them again", async () => {
  const { rule, values, visit } = await rigOn(SLOW, { storeTimeout: 1 });
  let replaces = 0;
  rule.apply = (name, call) =>
    name === "replace" && ++replaces === 11 ? new Promise(() => {}) : call();
  const again = () => visit(increment).catch(() => visit(increment));
  assertEquals(await outcomes(times(10, again)), { ok: 10 });
  assertEquals((await values())!.n, 10);
});

Deno.test("only the request fails whose text the store refuses", async () => {
  for (
    const [refusal, code] of [
      [new Error("value too long"), "ERR_SESSION_STORE"],
      [new SessionError("ERR_SESSION_TOO_LARGE", "Too large"), "ERR_SESSION_TOO_LARGE"],
    ] as const
  ) {
    const { rule, values, visit } = await rigOn(SLOW);
    let replaces = 0;
    rule.apply = (name, call, text) => {
      // Not in the first race, in which each request has a call of its own.
      if (name === "replace" && ++replaces > 40 && text.includes("poison")) throw refusal;
      return call();
    };
    const pending = times(
      40,
      (at) => visit((session) => (increment(session), at === 7 && session.set("poison", 1))),
    );
    assertEquals(await outcomes(pending), { ok: 39, [code]: 1 });
    assertEquals(await values(), { n: 39 });
  }
});

Deno.test("all requests fail, each with a call of its own at most, when the store fails", async () => {
  const { calls, rule, values, visit } = await rigOn(SLOW);
  let replaces = 0;
  rule.apply = (name, call) => {
    if (name === "replace" && ++replaces > 20) throw new Error("connection refused");
    return call();
  };
  assertEquals(await outcomes(times(20, () => visit(increment))), { ok: 1, ERR_SESSION_STORE: 19 });
  assert(calls.replace <= 60, `${calls.replace} calls of replace()`);
  assertEquals(await values(), { n: 1 });
});

Deno.test("the last of many does not wait for all others when the store fails slowly", async () => {
  const { calls, rule, visit } = await rigOn(SLOW, { storeTimeout: 1 });
  let replaces = 0;
  rule.apply = (name, call) => {
    if (name !== "replace" || ++replaces <= 100) return call();
    return new Promise((_, reject) => setTimeout(() => reject(new Error("refused")), 700));
  };
  assertEquals(await outcomes(times(100, () => visit(increment))), {
    ok: 1,
    ERR_SESSION_STORE: 99,
  });
  assert(calls.replace <= 106, `${calls.replace} calls of replace()`);
});

Deno.test("all that wait are interrupted after one read when the session has ended", async () => {
  const { calls, rule, sessions, id, visit } = await rigOn(SLOW);
  let replaces = 0;
  let ended: Promise<boolean> | undefined;
  rule.apply = async (name, call) => {
    if (name === "replace" && ++replaces === 200) {
      const answer = await call();
      ended ??= sessions.destroy(id);
      await ended;
      return answer;
    }
    return await call();
  };
  const counts = await outcomes(times(200, () => visit(increment)));
  assertEquals(counts, { ok: 1, ERR_SESSION_INTERRUPTED: 199 });
  assert(calls.read <= 205, `${calls.read} calls of read()`);
});

Deno.test("each of several writes counts once when the call that contains them arrives twice", async () => {
  for (const isError of [false, true]) {
    const { rule, values, visit } = await rigOn(SLOW);
    let replaces = 0;
    rule.apply = async (name, call) => {
      const answer = await call();
      if (name !== "replace" || ++replaces !== 22) return answer;
      if (isError) throw new Error("connection reset");
      return await call();
    };
    const pending = times(
      20,
      (at) => visit((session) => (increment(session), session.set(`k${at}`, 1))),
    );
    assertEquals(await outcomes(pending), { ok: 20 });
    const { n, ...keys } = (await values())!;
    assertEquals([n, Object.keys(keys).length], [20, 20]);
  }
});

Deno.test("a write is refused because of a write before it only if that one has taken effect", async () => {
  const { rule, sessions, id, values, visit } = await rigOn(SLOW);
  await visit((session) => session.set("code", "x"));
  const redeem = (change: (data: Record<string, unknown>) => void) =>
    sessions.update(id, (data) => {
      if (data.code === undefined) throw new Error("redeemed before");
      delete data.code;
      change(data);
    });
  let replaces = 0;
  rule.apply = (name, call, text) => {
    if (name === "replace" && ++replaces > 4 && text.includes("poison")) {
      throw new Error("too long");
    }
    return call();
  };
  const pending = [
    // The first one wins, the second one begins to wait, and the others wait together.
    visit(increment),
    visit(increment),
    // Its text is too long, so the code is still there for the next one.
    redeem((data) => data.poison = true),
    redeem(() => {}),
  ];
  const results = await Promise.allSettled(pending);
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assertEquals(await values(), { n: 2 });
});

Deno.test("a regeneration interrupts the writes after it, and a rotation does not, when they wait together", async () => {
  for (
    const [act, rest] of [["regenerate", "ERR_SESSION_INTERRUPTED"], ["rotate", "ok"]] as const
  ) {
    const { values, visit } = await rigOn(SLOW);
    let renewed: Promise<Response> | undefined;
    const pending = times(9, (at) => {
      const one = visit((session) => (increment(session), at === 4 && session[act]()));
      if (at === 4) renewed = one;
      return one;
    });
    assertEquals(await outcomes(pending), rest === "ok" ? { ok: 9 } : { ok: 5, [rest]: 4 });
    assertEquals((await values(cookieOf(await renewed!)))!.n, rest === "ok" ? 9 : 5);
  }
});

Deno.test("no response sends an ID that a write in the same call has replaced", async () => {
  for (const act of ["regenerate", "rotate"] as const) {
    // With 0, each response to a change sends the ID.
    const { cookie, values, visit } = await rigOn(SLOW, { touchInterval: 0 });
    const responses: Response[] = [];
    const pending = times(9, async (at) => {
      responses[at] = await visit((session) => (increment(session), at === 4 && session[act]()));
    });
    await Promise.allSettled(pending);
    // The first one wins the race, the second one writes alone, and the others write together.
    const sent = responses.map((one) => one.headers.has("set-cookie") && cookieOf(one));
    assertEquals([...sent.slice(0, 2), ...sent.slice(2, 4)], [cookie, cookie, false, false]);
    assert(await values(sent[4] as string), act);
    assert(sent.slice(5).every((one) => one === false || one === sent[4]), act);
  }
});

Deno.test("a request that changes nothing any more resolves when it waits with others", async () => {
  const { values, visit } = await rigOn(SLOW);
  await visit((session) => session.set("a", 1));
  const pending = times(20, () => visit((session) => session.delete("a")));
  assertEquals(await outcomes(pending), { ok: 20 });
  assertEquals(await values(), { n: 0 });
});

Deno.test("an update within an update of the same session ends", async () => {
  const { sessions, id, values } = await rigOn(SLOW, { storeTimeout: 1 });
  const count = () => sessions.update(id, (data) => data.n = Number(data.n) + 1);
  const countLate = () =>
    sessions.update(id, async (data) => {
      const n = Number(data.n);
      await undefined;
      data.n = n + 1;
    });
  for (const inner of [count, countLate]) {
    // Once: it succeeds.
    let isFirst = true;
    await sessions.update(id, async (data) => {
      if (isFirst) {
        isFirst = false;
        await inner();
      }
      data.outer = true;
    });
    // Each time: it never comes first.
    const always = sessions.update(id, async (data) => {
      await inner();
      data.never = true;
    });
    assertEquals(await outcomes([always]), { ERR_SESSION_CONFLICT: 1 });
  }
  const { n, ...rest } = (await values())!;
  assertEquals([n, rest], [2 + 2 * 33, { outer: true }]);
});

Deno.test("an update that takes long keeps neither requests nor other updates waiting", async () => {
  const { sessions, id, values, visit } = await rigOn(SLOW, { storeTimeout: 1 });
  let go = () => {};
  let runs = 0;
  const gate = new Promise<void>((resolve) => go = resolve);
  const late = times(3, (at) =>
    sessions.update(id, async (data) => {
      const n = Number(data.n);
      // The first of those that lost the race.
      if (at === 1 && ++runs === 2) await gate;
      data.n = n + 1;
    }));
  assertEquals(await outcomes([late[0]!, late[2]!, visit(increment)]), { ok: 3 });
  assertEquals((await values())!.n, 3);
  go();
  await late[1];
  assertEquals((await values())!.n, 4);
});

Deno.test("an update counts once when its callback is asynchronous only the second time", async () => {
  for (const isBroken of [false, true]) {
    const { sessions, id, values, visit } = await rigOn(SLOW);
    let runs = 0;
    const pending = [
      ...times(3, () => visit(increment)),
      sessions.update(id, (data) => {
        data.n = Number(data.n) + 1;
        if (++runs !== 2) return;
        return isBroken ? Promise.reject(new Error("broken")) : Promise.resolve();
      }),
      visit(increment),
    ];
    const expected: Record<string, number> = isBroken ? { ok: 4, "Error: broken": 1 } : { ok: 5 };
    assertEquals(await outcomes(pending), expected);
    assertEquals([(await values())!.n, runs], isBroken ? [4, 2] : [5, 3]);
  }
});

for (const [where, open] of Object.entries(UNVERSIONED)) {
  Deno.test(`200 simultaneous requests all succeed, and the last write counts (${where})`, async () => {
    using rig = await kitRigOn(open);
    const browser = await rig.start((session) => session.set("n", 0));
    const { value } = browser;
    const visits = times(200, () => rig.browser(value).visit(increment));
    assertEquals(await outcomes(visits), { ok: 200 });
  });
}

Deno.test("random requests of two processes each count once, whatever fails", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = chance(seed);
    const { rule, server, sessions, id, values, visit } = await rigOn(SLOW);
    const other = server();
    rule.apply = async (name, call) => {
      for (let turns = random(4); turns > 0; turns--) await round();
      if (name !== "replace") return await call();
      switch (random(12)) {
        case 0:
          throw new Error("connection refused");
        case 1:
          await call();
          throw new Error("connection reset");
        case 2:
          await call();
          return await call();
        default:
          return await call();
      }
    };
    const add = (at: number) => (data: Record<string, unknown>) => {
      data.n = Number(data.n) + 1;
      data[`k${at}`] = true;
    };
    const pending: Promise<unknown>[] = [];
    for (let at = 0; at < 30; at++) {
      const on = random(3) === 0 ? other : sessions;
      pending.push([
        () => visit((session) => (increment(session), session.set(`k${at}`, true)), on),
        () => on.update(id, add(at)),
        () =>
          on.update(id, async (data) => {
            await undefined;
            add(at)(data);
          }),
      ][random(3)]!());
      pending.at(-1)!.catch(() => {});
      if (random(3) === 0) await round();
    }
    const results = await Promise.allSettled(pending);
    rule.apply = undefined;
    const { n, ...keys } = (await values())!;
    assertEquals(Object.keys(keys).length, n, `seed ${seed}`);
    for (const [at, result] of results.entries()) {
      if (result.status === "fulfilled") assert(`k${at}` in keys, `seed ${seed}: k${at} is lost`);
      else assertEquals((result.reason as SessionError).code, "ERR_SESSION_STORE");
    }
  }
});
