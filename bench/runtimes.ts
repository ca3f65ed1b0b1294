/** The runtimes, and programs of this folder in them. */

/** The names of the runtimes. */
export const RUNTIMES = ["deno", "bun", "node"] as const;

/** The name of a runtime. */
export type Runtime = typeof RUNTIMES[number];

const BIN = new URL("node_modules/.bin/", import.meta.url).pathname;

/** How each starts a program. Deno is the one that runs this. */
const COMMANDS: { [runtime in Runtime]: string[] } = {
  deno: [Deno.execPath(), "run", "--allow-all", "--no-check", "--quiet"],
  bun: [`${BIN}bun`],
  node: [`${BIN}node`],
};

/** The version of a runtime. */
export async function versionOf(runtime: Runtime): Promise<string> {
  if (runtime === "deno") return Deno.version.deno;
  const { stdout } = await new Deno.Command(`${BIN}${runtime}`, { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).trim().replace(/^v/, "");
}

/** How a program is started. */
export interface ProcessOptions {
  /** What stands before the command of the runtime. */
  through?: readonly string[];
  /** What the runtime is told. */
  flags?: readonly string[];
  /** Whether the program gets anything to read. */
  stdin?: "null" | "piped";
  /** Where its complaints go. */
  stderr?: "inherit" | "piped";
}

/** A program of this folder, in a runtime, with its options as JSON. */
export function command(
  runtime: Runtime,
  program: string,
  options: unknown,
  { through = [], flags = [], stdin = "null", stderr = "inherit" }: ProcessOptions = {},
): Deno.Command {
  const [path, ...args] = [...through, ...COMMANDS[runtime]];
  const file = new URL(program, import.meta.url).pathname;
  return new Deno.Command(path!, {
    args: [...args, ...flags, file, JSON.stringify(options)],
    cwd: new URL(".", import.meta.url).pathname,
    // What the other libraries are warned of is not our concern.
    env: { NODE_NO_WARNINGS: "1" },
    stdin,
    stdout: "piped",
    stderr,
  });
}

/** What a program writes, line by line, as JSON; fails when the program does. */
export async function* results<Result>(
  runtime: Runtime,
  program: string,
  options: unknown,
  processOptions?: ProcessOptions,
): AsyncGenerator<Result> {
  const process = command(runtime, program, options, processOptions).spawn();
  for await (const line of lines(process.stdout)) yield JSON.parse(line) as Result;
  const { code } = await process.status;
  if (code !== 0) throw new Error(`${program} in ${runtime} ended with ${code}`);
}

/** The lines of a text that comes in pieces. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}
