/** Writes RESULTS.md. */
import { isMet, limitOf, verdicts } from "./budgets.ts";
import { BASELINE, CRYPTOGRAPHY, OURS, type StoreName, STORES } from "./contenders/contender.ts";
import { differenceOf, digits, type Spread } from "./measure.ts";
import type { Ratio, Results } from "./results.ts";
import { NAMES, RUNTIMES } from "./runtimes.ts";
import { SCENARIOS } from "./scenarios.ts";

const STORE_NAMES: { [store in StoreName]: string } = {
  memory: "Memory",
  cookie: "Encrypted cookie",
  redis: "Redis",
  sqlite: "SQLite",
};

const RATIOS =
  `What a session adds to a request with \`${OURS}\`, divided by what it adds with the other library: at 0.10 this library adds a tenth. “–”: the library cannot do it, or adds too little to divide by.`;
const BUDGETS =
  "Each cell is the median of several processes. ± is half of their range, in percent of the median. ✗ marks a missed budget.";
const SERVERS =
  `Requests per second of the server's processor time, divided by those of the ${BASELINE}.`;
const WEIGHTS =
  `The size and the cold import of \`${OURS}\`, divided by the other library's. The size is that of a minified and gzipped bundle with the stores in memory and in the cookie. The import is the processor time beyond an empty program.`;

/** The whole report; `environment` says where the results come from. */
export function report(results: Results, environment: string): string {
  return [
    "<!-- deno-fmt-ignore-file -->",
    "# What a session costs",
    `${environment} \`deno task bench\` writes this page; [README.md](README.md) explains the method.`,
    "## Budgets",
    BUDGETS,
    budgets(results),
    "## Beside other libraries",
    RATIOS,
    libraries(results.libraries),
    "## Behind a server",
    SERVERS,
    servers(results),
    "## Weight",
    WEIGHTS,
    weights(results),
  ].join("\n\n") + "\n";
}

/** A row for each budget, a column for each runtime. */
function budgets(results: Results): string {
  const rows = new Map<string, string[]>();
  for (const verdict of verdicts(results.budgets)) {
    const [, , name] = /^((?:Deno|Bun|Node): )?(.*)$/.exec(verdict.name)!;
    const row = rows.get(name!) ?? [name!, limitOf(verdict)];
    row.push(compact(verdict.measured) + (isMet(verdict) ? "" : " ✗"));
    rows.set(name!, row);
  }
  return table(["", "budget", ...RUNTIMES.map((runtime) => NAMES[runtime])], [...rows.values()]);
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

function servers({ servers, budgets }: Results): string {
  const all = [...budgets.servers, ...servers];
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
  const names = Object.keys(sizes).filter((name) => name !== OURS);
  const rows = names.map((name) => [
    name,
    (sizes[OURS]! / sizes[name]!).toFixed(2),
    ...RUNTIMES.map((runtime) =>
      cell(imports.find((one) => one.runtime === runtime && one.beside === name)?.ratio)
    ),
  ]);
  const titles = RUNTIMES.map((runtime) => `import, ${NAMES[runtime]}`);
  return table(["beside", "size", ...titles], rows);
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
