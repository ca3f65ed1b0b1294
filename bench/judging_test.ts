import { assertEquals } from "@std/assert";
import { isMet, type Verdict, verdicts } from "./budgets.ts";
import type { Cost } from "./in_process.ts";
import { serverCostOf } from "./names.ts";
import { absentOf, exitCodeOf, levelsOf, standingOf } from "./levels.ts";
import { added, quartiles } from "./measure.ts";
import { type Frame, groupOfFrame } from "./profile_groups.ts";
import { spending, spent } from "./profile_report.ts";
import { machines } from "./report.ts";
import type { Environment } from "./environment.ts";
import { type Measured, missingOf, noResults } from "./results.ts";

const verdict: Verdict = { id: "read", name: "read", limit: "", measured: "", level: 1 };

Deno.test("standingOf() is met up to what is allowed, whatever the report says", () => {
  assertEquals(standingOf(verdict, {}), "met");
  assertEquals(standingOf(verdict, { read: 0.1 }), "met");
});

Deno.test("standingOf() tells what is known from what is new", () => {
  const missed = { ...verdict, level: 1.25 };
  assertEquals(standingOf(missed, { read: 1.25 }), "missed");
  assertEquals(standingOf(missed, { read: 0.97 }), "missed");
  assertEquals(standingOf(missed, { read: 0.95 }), "BROKEN");
  assertEquals(standingOf(missed, {}), "BROKEN");
  assertEquals(standingOf({ ...verdict, level: 1.6 }, { read: 1.2 }), "WORSE");
});

Deno.test("standingOf() allows nothing more of what is counted", () => {
  const counted = { ...verdict, level: 1.5, isCounted: true };
  assertEquals(standingOf(counted, { read: 1.5 }), "missed");
  assertEquals(standingOf(counted, { read: 1.4 }), "WORSE");
  assertEquals(standingOf(counted, { read: 1 }), "BROKEN");
});

Deno.test("standingOf() compares what the report keeps: three digits", () => {
  const level = 1.0004;
  assertEquals(levelsOf([{ ...verdict, level }]), { read: 1 });
  assertEquals(standingOf({ ...verdict, level, isCounted: true }, { read: 1 }), "missed");
});

Deno.test("absentOf() names what the report has and a run has not", () => {
  assertEquals(absentOf([verdict], { read: 1, "redis read": 1 }), ["redis read"]);
});

Deno.test("exitCodeOf() is 0 only when everything was measured and met", () => {
  assertEquals(exitCodeOf(["met", "met"]), 0);
  assertEquals(exitCodeOf(["met", "absent"]), 1);
  assertEquals(exitCodeOf(["met", "missed"]), 1);
  assertEquals(exitCodeOf(["missed", "WORSE"]), 2);
  assertEquals(exitCodeOf(["BROKEN", "absent"]), 2);
});

Deno.test("added() takes differences within a round", () => {
  // The medians are 6 and 2: the machine was busy in other rounds of the one than of the other.
  assertEquals(added([3, 6, 9], [1, 5, 2]), 2);
});

Deno.test("quartiles() are between two numbers where they fall there", () => {
  assertEquals(quartiles([5, 1, 2, 4, 3]), [2, 4]);
  assertEquals(quartiles([4, 1, 2, 3]), [1.75, 3.25]);
});

Deno.test("serverCostOf() says how a share varies", () => {
  const entry = { contender: "", framework: "", store: "memory", bytes: 100, act: "read" } as const;
  const result = { ...entry, perSecond: 0, barePerSecond: 0, share: 0.5, added: 3.14 };
  assertEquals(serverCostOf({ ...result, quartiles: [0.46, 0.55] }), "50 % (46 to 55), 3.1 µs");
});

const request = {
  place: "in process",
  store: "memory",
  isSeenFirst: false,
  scenario: "read",
} as const;

Deno.test("spent() divides what is added among what it goes to", () => {
  const times = { Ids: 1, MemoryStore: 4, "Garbage collection": 1.05 };
  const beside = { MemoryStore: 1, "Garbage collection": 1 };
  assertEquals(spent({ ...request, times, beside, others: [] }), [
    "4.0",
    "MemoryStore 74 %; Ids 25 %",
  ]);
});

Deno.test("spent() divides nothing when nothing is added", () => {
  const times = { MemoryStore: 1 };
  assertEquals(spent({ ...request, times, beside: times, others: [] }), ["0.0", "–"]);
  assertEquals(spent({ ...request, times, beside: { Ids: 2 }, others: [] }), ["-1.0", "–"]);
});

Deno.test("spending() has a row for each request, with all its levels", () => {
  const about = { ...request, runtime: "deno" } as const;
  const missed = [1.5, 2].map((level): Verdict => ({ ...verdict, level, request: about }));
  const text = spending(missed, { deno: [] }).join("\n");
  assertEquals(text.match(/^\| Deno .*$/gm), [
    "| Deno | Memory, in process | read | 1.50 ×, 2.00 × | – | – |",
  ]);
  assertEquals(spending([], {}), []);
  assertEquals(spending([verdict], {}), []);
});

Deno.test("spending() has a table of its own for what grows, from the profile of just that", () => {
  const about = { ...request, runtime: "bun", place: "among a million" } as const;
  const times = { MemoryStore: 3 };
  const result = { ...request, times, beside: {}, others: [] };
  const profiled = [result, { ...result, place: about.place, times: { MemoryStore: 5 } }];
  const missed = [{ ...verdict, level: 2, request: about }];
  const [, , , grown] = spending([...missed, { ...verdict, request: { ...about, ...request } }], {
    bun: profiled,
  });
  assertEquals(grown?.split("\n").slice(2), [
    "| Bun | Memory, among a million | read | 2.00 × | 5.0 | MemoryStore 100 % |",
  ]);
});

Deno.test("groupOfFrame() goes by file and name, and else by the caller", () => {
  const frame = (name: string, file: string, caller?: Frame): Frame => ({ name, file, caller });
  assertEquals(groupOfFrame(frame("read", "store/memory.ts")), "MemoryStore");
  assertEquals(
    groupOfFrame(frame("sort", "", frame("read", "store/memory.ts"))),
    "MemoryStore",
  );
  const send = frame("_send", "node:_http_outgoing");
  assertEquals(groupOfFrame(send), "JavaScript of the server and the event loop");
  assertEquals(groupOfFrame(frame("writeUtf8String", "", send)), "Server, event loop, system");
  assertEquals(groupOfFrame(frame("#run", "middleware.ts")), "Middleware and response headers");
  assertEquals(
    groupOfFrame(frame("begin", "core/lifecycle.ts")),
    "Lifecycle and calls of the store",
  );
  assertEquals(groupOfFrame(frame("set", "session.ts")), "Session and its values");
  assertEquals(groupOfFrame(frame("merge", "base/keyed_queue.ts")), "All the rest of ours");
  const nodeServer = "bench/node_modules/@hono/node-server/dist/index.mjs";
  assertEquals(groupOfFrame(frame("get headers", nodeServer)), "@hono/node-server");
  assertEquals(groupOfFrame(frame("f", "elsewhere.js")), "Other");
  assertEquals(groupOfFrame(frame("post", "node:inspector")), undefined);
});

const COST = { framework: "", bare: 1, quartiles: [0, 0] } satisfies Partial<Cost>;

Deno.test("verdicts() judges beside hono-sessions on Deno, elsewhere beside who adds least", () => {
  const costs = {
    "@pagi/session": { ...COST, added: 2 },
    "by hand": { ...COST, added: 1 },
    "hono-sessions": { ...COST, added: 30 },
    h3: { ...COST, added: 18 },
  };
  const groups = [{ store: "memory", scenario: "read", bytes: 100, costs } as const];
  const found = verdicts({ ...noResults(), inProcess: { deno: groups, node: groups } });
  assertEquals(found.map(({ name, measured, level }) => [name, measured, level]), [
    ["deno: read, beside hono-sessions", "1/15.0; by hand 1/30.0", 2 / 3],
    ["node: read, beside h3", "1/9.0; by hand 1/18.0", 10 / 9],
  ]);
});

Deno.test("verdicts() judges what may not be at all by what comes with it", () => {
  const redis = { roundTrips: { read: 1, write: 3, anonymous: 1 }, shared: [] };
  const found = verdicts({ ...noResults(), redis });
  assertEquals(found.map(isMet), [true, false, false]);
});

Deno.test("missingOf() names what a report cannot be without", () => {
  const parts = ["in-process", "http", "scale", "profile"];
  const names = parts.flatMap((part) => ["deno", "bun", "node"].map((one) => `${part}-${one}`));
  const all = names.map((name) => measured(name));
  assertEquals(missingOf({ environments: all }), []);
  assertEquals(missingOf({ environments: all.slice(0, -1) }), ["profile-node"]);
});

const environment: Environment = {
  date: "2026-11-28",
  commit: "abc1234",
  machine: "2 processors",
  runtimes: { deno: "2", bun: "1", node: "24" },
  programs: ["wrk 4"],
  packages: { hono: "4" },
};

function measured(name: string, changes: Partial<Environment> = {}): Measured {
  return { name, environment: { ...environment, ...changes } };
}

Deno.test("machines() says once what is the same", () => {
  const all = [measured("http-deno", { date: "2026-11-29" }), measured("scale-deno")];
  assertEquals(machines(all), [
    "Measured on 2026-11-28 and 2026-11-29, on a machine with 2 processors. " +
    "Deno 2, Bun 1, Node 24. wrk 4, hono 4. Commit abc1234.",
  ]);
});

Deno.test("machines() says what is of which commit", () => {
  const all = [measured("http-deno", { commit: "def5678" }), measured("soak-deno")];
  assertEquals(machines(all), [
    "Measured on 2026-11-28, on a machine with 2 processors. Deno 2, Bun 1, Node 24. " +
    "wrk 4, hono 4. Commits def5678 (http-deno), abc1234 (soak-deno).",
  ]);
});

Deno.test("machines() tells apart what was measured elsewhere, or of no commit", () => {
  const other = measured("soak-deno", { machine: "8 processors", commit: undefined });
  assertEquals(machines([measured("redis"), other]), [
    "redis: Measured on 2026-11-28, on a machine with 2 processors. " +
    "Deno 2, Bun 1, Node 24. wrk 4, hono 4. Commit abc1234.",
    "soak-deno: Measured on 2026-11-28, on a machine with 8 processors. " +
    "Deno 2, Bun 1, Node 24. wrk 4, hono 4. Commit unknown.",
  ]);
});
