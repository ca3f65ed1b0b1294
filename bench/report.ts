/** Writes RESULTS.md. */
import { isMet, limitOf, type Verdict, verdicts } from "./budgets.ts";
import { BASELINE, CRYPTOGRAPHY, OURS, type StoreName, STORES } from "./contenders/contender.ts";
import { differenceOf, digits, type Spread } from "./measure.ts";
import type { BudgetResults, Ratio, Results } from "./results.ts";
import { NAMES, RUNTIMES } from "./runtimes.ts";
import { SCENARIOS } from "./scenarios.ts";
import { WITH_COOKIE_STORE } from "./weight.ts";

const STORE_NAMES: { [store in StoreName]: string } = {
  memory: "Memory",
  cookie: "Encrypted cookie",
  redis: "Redis",
  sqlite: "SQLite",
};

const RATIOS =
  `What a session adds to a request with \`${OURS}\`, divided by what it adds with the other library: at 0.10 this library adds a tenth. “–”: the library cannot do it, or adds too little to divide by.`;
const BUDGETS =
  "Each cell is the median of several processes; growth, bytes and size are measured once. ± is half of their range, in percent of the median. ✗ marks a missed budget.";
const SERVERS =
  `Requests per second of the server's processor time, divided by those of the ${BASELINE}.`;
const WEIGHTS =
  `The size is that of a minified and gzipped bundle: of \`${OURS}\` the middleware with CookieState and MemoryStore. The size of a library that encrypts cookies is compared with that bundle and CookieStore. The import is the processor time of the whole package beyond an empty program. Ratios are those of \`${OURS}\` to the other library.`;
const NO_COOKIE_STORE = "express-session";

/** The whole report; `environment` says where the results come from. */
export function report(results: Results, environment: string): string {
  return [
    "<!-- deno-fmt-ignore-file -->",
    "# What a session costs",
    `${environment} \`deno task bench\` writes this page; [README.md](README.md) explains the method.`,
    "## Budgets",
    BUDGETS,
    budgets(verdicts(results.budgets)),
    "## Beside other libraries",
    RATIOS,
    libraries([...results.budgets.ratios, ...results.libraries]),
    "## Behind a server",
    SERVERS,
    servers(results.budgets),
    "## Weight",
    WEIGHTS,
    weights(results),
  ].join("\n\n") + "\n";
}

function budgets(all: readonly Verdict[]): string {
  return byRuntime("budget", all, (verdict) => [
    limitOf(verdict),
    compact(verdict.measured) + (isMet(verdict) ? "" : " ✗"),
  ]);
}

/**
 * A row for each budget, a column for each runtime; without one, the first. `show` returns the cell
 * under `title` and that under the runtime.
 */
export function byRuntime(
  title: string,
  all: readonly Verdict[],
  show: (verdict: Verdict, at: number) => [string, string],
): string {
  const rows = new Map<string, string[]>();
  for (const [at, verdict] of all.entries()) {
    const { name, runtime = RUNTIMES[0] } = verdict;
    const [limit, cell] = show(verdict, at);
    const row = rows.get(name) ?? [name, limit];
    row[2 + RUNTIMES.indexOf(runtime)] = cell;
    rows.set(name, row);
  }
  return table(["", title, ...RUNTIMES.map((runtime) => NAMES[runtime])], [...rows.values()]);
}

/** A row for each library, a column for each request. */
function libraries(ratios: readonly Ratio[]): string {
  const rows = RUNTIMES.flatMap((runtime) =>
    STORES.flatMap((store) => {
      const found = ratios.filter((one) => one.runtime === runtime && one.store === store);
      const names = new Set(found.map(({ beside }) => beside));
      names.delete(CRYPTOGRAPHY);
      return [...names].map((name) => [
        NAMES[runtime],
        STORE_NAMES[store],
        name,
        ...SCENARIOS.map((scenario) =>
          cell(found.find((one) => one.beside === name && one.scenario === scenario)?.ratio)
        ),
      ]);
    })
  );
  return table(["runtime", "store", "beside", ...SCENARIOS], rows);
}

function servers({ servers: all }: BudgetResults): string {
  const scenarios = SCENARIOS.filter((one) => all.some(({ scenario }) => scenario === one));
  const rows = RUNTIMES.map((runtime) => [
    NAMES[runtime],
    ...scenarios.map((scenario) =>
      cell(all.find((one) => one.runtime === runtime && one.scenario === scenario)?.share)
    ),
  ]);
  return table(["runtime", ...scenarios], rows);
}

function weights({ imports, budgets: { sizes } }: Results): string {
  const rows = Object.entries(sizes).map(([name, size]) => {
    const row = [name, (size / 1000).toFixed(1)];
    if (name === OURS || name === WITH_COOKIE_STORE) return row;
    const ours = sizes[name === NO_COOKIE_STORE ? OURS : WITH_COOKIE_STORE]!;
    const found = imports.filter(({ beside }) => beside === name);
    const ratios = RUNTIMES.map((runtime) => found.find((one) => one.runtime === runtime)?.ratio);
    return [...row, (ours / size).toFixed(2), ...ratios.map(cell)];
  });
  const titles = RUNTIMES.map((runtime) => `import ratio, ${NAMES[runtime]}`);
  return table(["", "size, KB", "size ratio", ...titles], rows);
}

/** A ratio with its spread; a divisor near zero makes ratios that mean nothing. */
export function cell(spread: Spread | undefined): string {
  const isClear = spread !== undefined && spread.low > 0 && Number.isFinite(spread.high);
  return isClear ? compact(spread) : "–";
}

function compact(spread: Spread): string {
  const percent = (differenceOf(spread) * 50).toFixed(0);
  return digits(spread.median) + (percent === "0" ? "" : ` ±${percent}`);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const filled = (row: readonly string[]) => titles.map((_, at) => row[at] ?? "");
  return [titles, titles.map(() => "-"), ...rows.map(filled)].map(line).join("\n");
}
