/** `visitor` with apps of real frameworks, in each runtime. */
import { assertEquals } from "@std/assert";

const FOLDER = import.meta.dirname!;
const PROGRAM = `${FOLDER}/apps/visits.ts`;
const bin = (path: string) => `${FOLDER}/node_modules/${path}`;

/** The runtimes that package.json pins, and how many kinds of apps run there. */
const RUNTIMES: [name: string, command: string[], apps: number][] = [
  ["Deno", [Deno.execPath(), "run", "-A", "--no-check", "--config", `${FOLDER}/deno.json`], 13],
  ["Node 24", [bin("node/bin/node")], 12],
  ["Node 26", [bin("node26/bin/node")], 12],
  ["Bun", [bin(".bin/bun"), "run"], 12],
];

for (const [name, command, apps] of RUNTIMES) {
  Deno.test(`visitor() keeps a session in every kind of app, on ${name}`, async () => {
    const [program, ...args] = [...command, PROGRAM];
    const { stdout, stderr } = await new Deno.Command(program!, { args }).output();
    const text = new TextDecoder().decode(stdout).trim();
    const last = text.split("\n").at(-1)!;
    if (!last.startsWith("{")) throw new Error(text + new TextDecoder().decode(stderr));
    assertEquals(JSON.parse(last), { apps, failures: [] });
  });
}
