/** `visitor` and `verifyCsrf` with apps of real frameworks, in each runtime. */
import { assertEquals } from "@std/assert";

const FOLDER = import.meta.dirname!;
const bin = (path: string) => `${FOLDER}/node_modules/${path}`;

/** The runtimes that package.json pins, and how many kinds of apps run there. */
const RUNTIMES: [name: string, command: string[], apps: number][] = [
  ["Deno", [Deno.execPath(), "run", "-A", "--no-check", "--config", `${FOLDER}/deno.json`], 14],
  ["Node 24", [bin("node/bin/node")], 13],
  ["Node 26", [bin("node26/bin/node")], 13],
  ["Bun", [bin(".bin/bun"), "run"], 13],
];

/** Runs a program of `apps/`, and returns its result. */
async function result(command: readonly string[], file: string): Promise<unknown> {
  const [program, ...args] = [...command, `${FOLDER}/apps/${file}`];
  const { stdout, stderr } = await new Deno.Command(program!, { args }).output();
  const text = new TextDecoder().decode(stdout).trim();
  const last = text.split("\n").at(-1)!;
  if (!last.startsWith("{")) throw new Error(text + new TextDecoder().decode(stderr));
  return JSON.parse(last);
}

for (const [name, command, apps] of RUNTIMES) {
  Deno.test(`visitor() keeps a session in every kind of app, on ${name}`, async () => {
    assertEquals(await result(command, "visits.ts"), { apps, failures: [] });
  });

  Deno.test(`verifyCsrf() refuses other sites behind body parsers, on ${name}`, async () => {
    const refused = 4 + 4 + 4 + 3 + 3;
    assertEquals(await result(command, "csrf.ts"), { apps: 5, failures: [], refused });
  });
}
