/** Starts programs of this folder in Deno, Bun and Node. */

/** The names of the runtimes. */
export const RUNTIMES = ["deno", "bun", "node"] as const;

/** The name of a runtime. */
export type Runtime = typeof RUNTIMES[number];

/** How to write the names. */
export const NAMES: { [runtime in Runtime]: string } = { deno: "Deno", bun: "Bun", node: "Node" };

const FOLDER = new URL(".", import.meta.url).pathname;
const BIN = `${FOLDER}node_modules/.bin/`;

/** How to start each. Deno is the one that runs this; Bun and Node come from npm. */
const COMMANDS: { [runtime in Runtime]: string[] } = {
  deno: [Deno.execPath(), "run", "--allow-all", "--no-check", "--quiet"],
  bun: [`${BIN}bun`],
  node: [`${BIN}node`],
};

/** The flags that make a program's garbage collector callable. */
const GC_FLAGS: { [runtime in Runtime]: string[] } = {
  deno: ["--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc"],
};

/**
 * Keeps a program on the last processor, if `taskset` is installed: threads that move between
 * processors lose their caches. The first processor is left to the load generator.
 */
const PIN = await findPin(String(navigator.hardwareConcurrency - 1));

async function findPin(processor: string): Promise<string[]> {
  const pin = ["taskset", "--cpu-list", processor];
  try {
    const { code } = await new Deno.Command(pin[0]!, { args: [...pin.slice(1), "true"] }).output();
    return code === 0 ? pin : [];
  } catch {
    return [];
  }
}

/** The version of a runtime. */
export async function versionOf(runtime: Runtime): Promise<string> {
  if (runtime === "deno") return Deno.version.deno;
  const { stdout } = await new Deno.Command(`${BIN}${runtime}`, { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).trim().replace(/^v/, "");
}

/** A program of this folder, with its options as JSON. */
export function command(
  runtime: Runtime,
  program: string,
  options: unknown,
  { stdin = "null" }: { stdin?: "null" | "piped" } = {},
): Deno.Command {
  const [path, ...args] = [...PIN, ...COMMANDS[runtime], ...GC_FLAGS[runtime]];
  return new Deno.Command(path!, {
    args: [...args, `${FOLDER}${program}`, JSON.stringify(options)],
    cwd: FOLDER,
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a program to its end, and returns the JSON that it writes. */
export async function run<Result>(
  runtime: Runtime,
  program: string,
  options: unknown,
): Promise<Result> {
  const { code, stdout, stderr } = await command(runtime, program, options).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (code !== 0) throw new Error(`${program} in ${NAMES[runtime]} ended with ${code}: ${errors}`);
  return JSON.parse(text!);
}

/** Runs a program several times: each process compiles the same code in its own way. */
export async function runTimes<Result>(
  times: number,
  runtime: Runtime,
  program: string,
  options: unknown,
): Promise<Result[]> {
  const found: Result[] = [];
  while (found.length < times) found.push(await run<Result>(runtime, program, options));
  return found;
}
