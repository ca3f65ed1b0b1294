import { assertEquals } from "@std/assert";
import type { Verdict } from "./budgets.ts";
import { shareOf } from "./http_report.ts";
import { absentOf, exitCodeOf, levelsOf, standingOf } from "./levels.ts";
import { added, quartiles } from "./measure.ts";
import { type Frame, groupOfFrame } from "./profile_groups.ts";
import { spending, spent } from "./profile_report.ts";
import { machines } from "./report.ts";
import type { Environment, Measured } from "./results.ts";

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
  // Twice the time in the second round: the machine was busy with something else.
  assertEquals(added([3, 6, 3], [1, 4, 1]), 2);
  assertEquals(quartiles([5, 1, 2, 4, 3]), [2, 4]);
});

Deno.test("shareOf() says how a share varies", () => {
  const entry = { contender: "", framework: "", store: "memory", bytes: 100, act: "read" } as const;
  const result = { ...entry, perSecond: 0, barePerSecond: 0, share: 0.5, added: 0 };
  assertEquals(shareOf({ ...result, quartiles: [0.46, 0.55] }), "50 % (46 to 55)");
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
    "| Deno | Memory, in process | read | 1.5 ×, 2.0 × | – | – |",
  ]);
  assertEquals(spending([], {}), []);
  assertEquals(spending([verdict], {}), []);
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
  assertEquals(groupOfFrame(frame("begin", "lifecycle.ts")), "Lifecycle and calls of the store");
  assertEquals(groupOfFrame(frame("set", "session.ts")), "Session and its values");
  assertEquals(groupOfFrame(frame("merge", "_turns.ts")), "All the rest of ours");
  assertEquals(groupOfFrame(frame("f", "elsewhere.js")), "Other");
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

Deno.test("machines() says once what is the same, with all days and commits", () => {
  const all = [
    measured("http-deno", { date: "2026-11-29", commit: "def5678" }),
    measured("scale-deno"),
  ];
  assertEquals(machines(all), [
    "Measured on 2026-11-28 and 2026-11-29, on a machine with 2 processors. " +
    "Deno 2, Bun 1, Node 24. wrk 4, hono 4. Commit def5678 and abc1234.",
  ]);
});

Deno.test("machines() tells apart what was measured elsewhere, or of no commit", () => {
  const other = measured("soak-deno", { machine: "8 processors", commit: undefined });
  assertEquals(machines([measured("redis"), other]), [
    "redis: Measured on 2026-11-28, on a machine with 2 processors. " +
    "Deno 2, Bun 1, Node 24. wrk 4, hono 4. Commit abc1234.",
    "soak-deno: Measured on 2026-11-28, on a machine with 8 processors. " +
    "Deno 2, Bun 1, Node 24. wrk 4, hono 4.",
  ]);
});
