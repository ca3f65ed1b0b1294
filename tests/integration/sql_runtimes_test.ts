import { assert, assertMatch } from "@std/assert";
import { POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { anyPostgres, postgresMissing } from "./_sql_servers.ts";
import { newTable } from "./_sql_suite.ts";
import { serverTest } from "./_servers.ts";

const BUN = ["npx", "--yes", "bun@1.4.5"];
const NODE = ["npx", "--yes", "node@24.21.0"];
const SCRIPT = `${import.meta.dirname}/_sql_runtime.ts`;
const PASSED = /^\d+ cases passed; 300 runs: 0 lost/;

/** Runs a command to its end: what it said, and whether it succeeded. */
async function run(command: string[], cwd?: string) {
  const [name, ...args] = command;
  const env = { npm_config_loglevel: "error" };
  const { success, ...output } = await new Deno.Command(name!, { args, cwd, env }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { success, said: text(output.stdout), complained: text(output.stderr) };
}

/** Has a runtime hold the store on its client to the contract, in a file. */
async function runInFile(command: string[], client: string, ...args: string[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-sqlite-" });
  try {
    const { said, complained } = await run([...command, client, `${folder}/x.db`, ...args]);
    assertMatch(said, PASSED, `${client}: ${said}\n${complained}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bunMissing = await missing(BUN);
const nodeMissing = await missing(NODE);

/** Why a runtime cannot be had; npx fetches it where npm's registry can be reached. */
async function missing(command: string[]): Promise<string | undefined> {
  try {
    return (await run([...command, "--version"])).success ? undefined : `no ${command.join(" ")}`;
  } catch {
    return "there is no npx";
  }
}

for (const client of ["bun:sqlite", "bun:sqlite with safe integers"]) {
  serverTest(bunMissing, `SqliteStore on ${client} keeps the contract`, async () => {
    await runInFile([...BUN, SCRIPT], client);
  });
}

for (const client of ["node:sqlite", "node:sqlite with big integers"]) {
  serverTest(nodeMissing, `SqliteStore on ${client} of Node keeps the contract`, async () => {
    await runInFile([...NODE, SCRIPT], client);
  });
}

serverTest(
  bunMissing ?? postgresMissing,
  "PostgresStore on Bun.SQL keeps the contract",
  async () => {
    await using server = await anyPostgres();
    const table = newTable();
    const { said, complained } = await run([...BUN, SCRIPT, "Bun.SQL", `${server.url} ${table}`]);
    assertMatch(said, PASSED, `${said}\n${complained}`);
    const { ask, close } = await POSTGRES_CLIENTS["a Client of pg"]!(server.url);
    await ask(`DROP TABLE ${table}`);
    await close();
  },
);

const betterFolder = await Deno.makeTempDir({ prefix: "pagi-better-sqlite3-" });
addEventListener("unload", () => Deno.removeSync(betterFolder, { recursive: true }));
// Before the test is registered, so that a failed build counts as a skipped test. In CI too, because a
// machine with only Node and npm may lack a C++ compiler or the headers of Node.
const buildFailure = await buildBetterSqlite3(betterFolder);
if (buildFailure !== undefined) console.log(`skipped: better-sqlite3: ${buildFailure}`);

Deno.test({
  name: "SqliteStore on better-sqlite3 keeps the contract",
  ignore: buildFailure !== undefined,
  async fn() {
    const module = `${betterFolder}/node_modules/better-sqlite3/lib/index.js`;
    for (const client of ["better-sqlite3", "better-sqlite3 with safe integers"]) {
      await runInFile(["node", `${betterFolder}/script.mjs`], client, module);
    }
  },
});

/**
 * Builds better-sqlite3 for the installed Node, without optimization to save time. Bundles the script
 * into JavaScript, because this Node may be too old for types. Returns the reason if a step fails.
 */
async function buildBetterSqlite3(folder: string): Promise<string | undefined> {
  const packages = ["better-sqlite3@12.11.1", "esbuild@0.25.10"];
  const bundle = ["--bundle", "--format=esm", "--platform=node", "--external:bun*"];
  const steps: [command: string[], cwd: string][] = [
    [["npm", "install", "--no-save", "--ignore-scripts", ...packages], folder],
    [
      ["npx", "--yes", "node-gyp@12.0.0", "rebuild", "--debug"],
      `${folder}/node_modules/better-sqlite3`,
    ],
    [["npx", "esbuild", SCRIPT, ...bundle, `--outfile=${folder}/script.mjs`], folder],
  ];
  for (const [command, cwd] of steps) {
    try {
      const { success, complained } = await run(command, cwd);
      if (!success) return `${command.join(" ")} failed: ${complained.split("\n").at(-1)}`;
    } catch (error) {
      return String(error);
    }
  }
  assert((await Deno.stat(`${folder}/script.mjs`)).isFile);
  return undefined;
}
