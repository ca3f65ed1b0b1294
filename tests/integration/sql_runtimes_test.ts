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

Deno.test("SqliteStore on better-sqlite3 keeps the contract", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pagi-better-sqlite3-" });
  try {
    const why = await buildBetterSqlite3(folder);
    if (why !== undefined) return console.log(`skipped: better-sqlite3 cannot be built: ${why}`);
    const module = `${folder}/node_modules/better-sqlite3/lib/index.js`;
    for (const client of ["better-sqlite3", "better-sqlite3 with safe integers"]) {
      await runInFile(["node", `${folder}/script.mjs`], client, module);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/**
 * Compiles better-sqlite3 for the Node that is here, without optimisation, which is the faster part
 * of a minute, and the script for it, as this Node may be too old for types; why it cannot be done.
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
