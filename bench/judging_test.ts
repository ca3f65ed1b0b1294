import { assertEquals, assertThrows } from "@std/assert";
import { readOptions } from "./arguments.ts";
import { isMet, limitOf, type Verdict, verdicts } from "./budgets.ts";
import { differenceOf, quantile, showSpread, type Spread, spreadOf } from "./measure.ts";
import { cell, report } from "./report.ts";
import type { BudgetResults, Ratio } from "./results.ts";

const at = (median: number): Spread => ({ median, low: median - 0.1, high: median + 0.1 });
const results = (changes: Partial<BudgetResults>): BudgetResults => ({
  ratios: [],
  servers: [],
  scales: [],
  sizes: {},
  ...changes,
});
const ratio = (beside: string, median: number, changes: Partial<Ratio> = {}): Ratio => ({
  runtime: "deno",
  store: "memory",
  scenario: "read",
  beside,
  ratio: at(median),
  ...changes,
});
/** The verdicts except the one on the size. */
const judged = (changes: Partial<BudgetResults>) => verdicts(results(changes)).slice(0, -1);

Deno.test("quantile() interpolates between two numbers", () => {
  assertEquals(quantile([5, 1, 2, 4, 3], 0.25), 2);
  assertEquals(quantile([4, 1, 2, 3], 0.25), 1.75);
  assertEquals(quantile([4, 1, 2, 3], 0.5), 2.5);
});

Deno.test("differenceOf() relates the range to the median", () => {
  assertEquals(differenceOf(spreadOf([1, 2, 3])), 1);
  assertEquals(differenceOf(spreadOf([2, 2, 2])), 0);
});

Deno.test("showSpread() leaves out a range of one number", () => {
  assertEquals(showSpread(spreadOf([1.234, 0.5, 20])), "1.23 (0.50 to 20.0)");
  assertEquals(showSpread(spreadOf([281.4]), "B"), "281 B");
});

Deno.test("isMet() compares the median with the limit", () => {
  const verdict: Verdict = { name: "", measured: at(1.3), limit: { max: 1.3 } };
  assertEquals(isMet(verdict), true);
  assertEquals(isMet({ ...verdict, measured: at(1.31) }), false);
  assertEquals(isMet({ ...verdict, limit: { min: 1.3 } }), true);
  assertEquals(isMet({ ...verdict, limit: { min: 1.4 } }), false);
  assertEquals(isMet({ ...verdict, measured: at(NaN) }), false);
});

Deno.test("verdicts() judges each request beside the minimal baseline", () => {
  const ratios = [
    ratio("minimal baseline", 1.3),
    ratio("minimal baseline", 1.7, { scenario: "write" }),
    ratio("minimal baseline", 1.9, { scenario: "new", runtime: "bun" }),
  ];
  assertEquals(
    judged({ ratios }).map((one) => [one.runtime, one.name, limitOf(one), isMet(one)]),
    [
      ["deno", "read, ÷ minimal baseline", "at most 1.3", true],
      ["deno", "write, ÷ minimal baseline", "at most 1.6", false],
      ["bun", "new, ÷ minimal baseline", "at most 1.8", false],
    ],
  );
});

Deno.test("verdicts() judges beside the library that adds least", () => {
  const ratios = [
    ratio("hono-sessions", 0.1),
    ratio("@fastify/session", 0.4),
    ratio("hono-sessions", 1.2, { runtime: "node" }),
    ratio("@fastify/session", 0.3, { runtime: "node" }),
  ];
  assertEquals(judged({ ratios }).map((one) => [one.runtime, one.name, one.measured.median]), [
    ["deno", "read, ÷ the cheapest library", 0.4],
    ["node", "read, ÷ the cheapest library", 1.2],
  ]);
});

Deno.test("verdicts() judges servers, cryptography, memory and size", () => {
  const found = verdicts(results({
    ratios: [ratio("bare cryptography", 1.1, { store: "cookie" })],
    servers: ([["read", 0.96], ["write", 0.9], ["new", 0.9]] as const)
      .map(([scenario, share]) => ({ runtime: "bun", scenario, share: at(share) })),
    scales: [{ runtime: "node", bytes: at(281), read: at(1.5), write: at(0.9) }],
    sizes: { "@pagi/session": 11_000 },
  }));
  assertEquals(found.map(isMet), [true, true, false, false, true, false, true, true]);
});

Deno.test("cell() shows no ratio whose divisor may be zero", () => {
  assertEquals(cell({ median: 2, low: -1, high: 3 }), "–");
  assertEquals(cell({ median: 2, low: 1, high: Infinity }), "–");
  assertEquals(cell(undefined), "–");
  assertEquals(cell(at(0.5)), "0.50 ±20");
});

Deno.test("report() has a row for each library and store", () => {
  const ours = { "@pagi/session": 20_000, "with CookieStore": 24_000 };
  const sizes = { ...ours, "express-session": 10_000, "iron-session": 6_000 };
  const budgets = results({ ratios: [ratio("hono-sessions", 0.7, { runtime: "node" })], sizes });
  const libraries = [
    ratio("express-session", 0.5),
    ratio("express-session", 0.6, { scenario: "new" }),
    ratio("h3", 0.3, { store: "cookie", runtime: "node" }),
  ];
  const imports = [{ runtime: "bun", beside: "express-session", ratio: at(0.8) }] as const;
  const text = report({ budgets, libraries, imports: [...imports] }, "Measured here.");
  for (
    const row of [
      "| Deno | Memory | express-session | 0.50 ±20 | – | 0.60 ±17 | – | – |",
      "| Node | Encrypted cookie | h3 | 0.30 ±33 | – | – | – | – |",
      "| read, ÷ the cheapest library | at most 1 |  |  | 0.70 ±14 |",
      "| Node | Memory | hono-sessions | 0.70 ±14 | – | – | – | – |",
      "| middleware with CookieState and MemoryStore, minified and gzipped | at most 12 KB | 20.0 ✗ |  |  |",
      "| @pagi/session | 20.0 |  |  |  |  |",
      "| express-session | 10.0 | 2.00 | – | 0.80 ±12 | – |",
      "| iron-session | 6.0 | 4.00 | – | – | – |",
    ]
  ) {
    assertEquals(text.includes(row), true, `no row: ${row}\n${text}`);
  }
});

Deno.test("readOptions() reads lists and counts", () => {
  const args = ["--runtime=node,deno", "--repeat=10", "--library=h3,hono-sessions"];
  const found = readOptions(args, ["runtime", "repeat", "library"]);
  assertEquals([found.runtimes, found.repeat, found.stores.length], [["deno", "node"], 10, 4]);
  assertEquals(found.libraries, ["h3", "hono-sessions"]);
});

Deno.test("readOptions() refuses what it does not know", () => {
  for (const arg of ["--runtime=perl", "--repeat=0", "--store=memory", "read"]) {
    assertThrows(() => readOptions([arg], ["runtime", "repeat"]), TypeError);
  }
});
