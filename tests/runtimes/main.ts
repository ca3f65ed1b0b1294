/**
 * The suite of `suite/` on the package as it is published, in each runtime. Closes with one line that
 * counts. Arguments choose parts: `package`, `deno`, `bun`, `node@24`, `workerd`.
 *
 * @module
 */
import { redisMissing } from "../integration/_servers.ts";
import { packageCases } from "./_package.ts";
import { Project } from "./_project.ts";
import { RedisOverHttp } from "./_redis_over_http.ts";
import { run, Tally } from "./_run.ts";
import { Workerd } from "./_workerd.ts";
import { atOnceOverHttp, overHttp } from "./suite/http.ts";

/** The runtimes beside the Deno that runs this, as npm has them. */
const RUNTIMES = ["bun@1.4.5", "node@22.23.3", "node@24.21.0", "node@26.10.0"];
/** All that the package needs: nothing. The server that the suite starts has to listen. */
const DENO = [Deno.execPath(), "run", "--no-prompt", "--allow-net=127.0.0.1"];
/** Seconds until a process that does not end by itself is taken to hang. */
const LIMIT = 60;

const tally = new Tally();
const isWanted = (part: string) =>
  Deno.args.length === 0 || Deno.args.some((wanted) => part.startsWith(wanted));

try {
  await using project = await Project.make();
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

/** npx fetches the runtime, once, where npm's registry can be reached. */
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
  const atOnce = (store: string) => atOnceOverHttp(`${workerd.url}${store}/`);
  // At once first: the requests that start a worker share nothing that is one request's own.
  await tally.run(part("memory"), { ...atOnce("memory"), ...visits("memory") });
  await tally.run(part("sealed in memory"), { ...atOnce("sealed"), ...visits("sealed") });
  await tally.run(part("encrypted cookie"), visits("cookie"));
  if (redis === undefined) tally.skip(part("Redis"), redisMissing!);
  else await tally.run(part("Redis"), { ...atOnce("redis"), ...visits("redis") });
  const suite = await fetch(`${workerd.url}suite`);
  tally.read(`workerd ${workerd.version}`, await suite.text());
}
