/**
 * Measures one kind of request to all libraries on one store, in this process and in whatever
 * runtime this is: `in_process.ts OPTIONS`, as JSON. Writes one line of JSON.
 *
 * @module
 */
import process from "node:process";
import { loadContenders } from "./contenders/all.ts";
import { CRYPTOGRAPHY, OURS_FIRST, type StoreName } from "./contenders/contender.ts";
import { cryptographyTask } from "./contenders/bare_cryptography.ts";
import { bareTask, taskOf } from "./tasks.ts";
import { measure, type MeasureOptions, type Task } from "./measure.ts";
import { content, type Scenario, SMALL } from "./scenarios.ts";
import { verify } from "./verify.ts";

/** What to measure. */
export interface InProcessOptions extends MeasureOptions {
  store: StoreName;
  scenario: Scenario;
  /** The names of the libraries. */
  contenders: readonly string[];
  /** Where Redis listens, for the store on it. */
  redisPort?: number;
}

/** The processor time that a session adds to a request of its framework, in microseconds. */
export interface Costs {
  [contender: string]: number;
}

const options: InProcessOptions = JSON.parse(process.argv[2]!);
const { store, scenario, contenders, redisPort } = options;
const setup = { store, data: content(SMALL), redisPort };
const tasks: Task[] = [];
const frameworks = new Map<string, string>();
const closes: (() => unknown)[] = [];
const bareName = (framework: string) => `bare ${framework}`;

for (const contender of await loadContenders(contenders)) {
  if (!contender.stores.includes(store)) continue;
  const { name, framework } = contender;
  const opened = await contender.open(setup);
  closes.push(() => opened.close?.());
  await verify(name, store, opened.apps);
  const task = await taskOf(name, opened, scenario);
  if (task === undefined) continue;
  if (![...frameworks.values()].includes(framework)) {
    tasks.push(await bareTask(bareName(framework), opened, scenario));
  }
  frameworks.set(name, framework);
  tasks.push(task);
}
if (frameworks.has(OURS_FIRST) && (scenario === "read" || scenario === "write")) {
  tasks.push(await cryptographyTask(scenario, SMALL));
  frameworks.set(CRYPTOGRAPHY, "fetch");
}
const times = await measure(tasks, options);
for (const close of closes) await close();
const costs: Costs = Object.fromEntries([...frameworks].map(([name, framework]) => [
  name,
  times.get(name)! - times.get(bareName(framework))!,
]));
console.log(JSON.stringify(costs));
