/**
 * Runs the suite of `suite/` on the published package in each runtime. The last line prints the
 * counts. Arguments select parts: `package`, `deno`, `bun`, `node@24`, `workerd`.
 *
 * @module
 */
import { redisMissing } from "../integration/_servers.ts";
import { packageCases } from "./_package.ts";
import { Project } from "./_project.ts";
import { RedisOverHttp } from "./_redis_over_http.ts";
import { run, Tally } from "./_run.ts";
import { Workerd } from "./_workerd.ts";
import { concurrentOverHttp, overHttp } from "./suite/http.ts";

/** The other runtimes besides Deno, as npm packages. */
const RUNTIMES = ["bun@1.4.5", "node@22.23.3", "node@24.21.0", "node@26.10.0"];
/** The package needs no permission. The suite's server needs to listen. */
const DENO = [Deno.execPath(), "run", "--no-prompt", "--allow-net=127.0.0.1"];
/** The number of seconds after which a process is killed. */
const LIMIT = 60;

const tally = new Tally();
const isWanted = (part: string) =>
  Deno.args.length === 0 || Deno.args.some((wanted) => part.startsWith(wanted));

try {
  await using project = await Project.create();
  if (isWanted("package")) await tally.run("package", packageCases(project));
  await project.writeEntry("entry.js", 'import { main } from "./main.ts";', "await main(modules);");
  if (isWanted("deno")) await runSuite(project, "deno", DENO);
  for (const runtime of RUNTIMES.filter(isWanted)) await inRuntime(project, runtime);
  if (isWanted("workerd")) await inWorkerd(project);
} catch (error) {
  tally.fail("runtimes", error);
}
const { passed, failed, skipped } = tally;
console.log(`runtimes: ${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failed > 0 || passed === 0 ? 1 : 0);

async function runSuite({ folder }: Project, part: string, command: string[]): Promise<void> {
  const options = { cwd: folder, limit: LIMIT };
  const { success, stdout, stderr } = await run([...command, "entry.js"], options);
  tally.read(/^# (.*)/.exec(stdout)?.[1] ?? part, stdout);
  if (!success) tally.fail(part, stderr);
}

/** Runs the suite in a runtime that npx installs. Skips it if npx cannot. */
async function inRuntime(project: Project, specifier: string): Promise<void> {
  const [name] = specifier.split("@");
  const where = `${name} -e 'console.log(process.execPath)'`;
  const found = await run(["npx", "--yes", `--package=${specifier}`, "--call", where]);
  if (found.success) await runSuite(project, specifier, [found.stdout]);
  else tally.skip(specifier, found.stderr);
}

async function inWorkerd(project: Project): Promise<void> {
  await using redis = redisMissing === undefined ? await RedisOverHttp.start() : undefined;
  await using workerd = await Workerd.start(project, { REDIS: redis?.url ?? "" });
  const part = (name: string) => `workerd ${workerd.version}, ${name} over HTTP`;
  const visits = (store: string) => overHttp(`${workerd.url}${store}/`);
  const concurrent = (store: string) => concurrentOverHttp(`${workerd.url}${store}/`);
  // The concurrent requests come first, so that they meet a worker that is just starting.
  await tally.run(part("memory"), { ...concurrent("memory"), ...visits("memory") });
  await tally.run(part("sealed in memory"), { ...concurrent("sealed"), ...visits("sealed") });
  await tally.run(part("encrypted cookie"), visits("cookie"));
  if (redis === undefined) tally.skip(part("Redis"), redisMissing!);
  else await tally.run(part("Redis"), { ...concurrent("redis"), ...visits("redis") });
  const suite = await fetch(`${workerd.url}suite`);
  tally.read(`workerd ${workerd.version}`, await suite.text());
}
