/**
 * Runs a `deno` subcommand with the `@std` packages that tests import: `run.ts test --doc`. They come
 * from JSR, or from the stand-ins beside this file if JSR cannot be reached.
 *
 * `PAGI_STD=jsr` or `PAGI_STD=offline` decides without asking JSR.
 *
 * @module
 */

/** Where the `@std` packages come from. */
export type Source = "jsr" | "offline";

/** The result of a `deno` command that asked JSR. */
export interface Reply {
  readonly success: boolean;
  /** Whether the command was stopped because it took too long. */
  readonly timedOut: boolean;
  readonly stderr: string;
}

/** How long JSR may take to reply, in milliseconds. */
const TIMEOUT_MS = 10_000;
const ADVICE = 'To decide without asking JSR, set PAGI_STD to "jsr" or "offline".';

// The log of Deno if it cannot resolve a host name, or cannot connect to the host or to its proxy. A
// host that replies with anything at all has been reached.
const UNREACHABLE =
  /client error \(Connect\): ((?:dns|tcp connect|tunnel) error\b.*?|.*timed out)\.? Retrying/;

/**
 * Returns the source that `PAGI_STD` names.
 *
 * @throws {Error} If it names another one.
 */
export function sourceNamed(setting: string): Source {
  if (setting === "jsr" || setting === "offline") return setting;
  throw new Error(`Cannot choose @std: PAGI_STD is "${setting}", not "jsr" or "offline".`);
}

/**
 * Returns the source to use after JSR was asked: the stand-ins only if JSR cannot be reached. Any
 * other failure might be a mistake, which the stand-ins would hide.
 *
 * @throws {Error} If JSR was reached and the command failed.
 */
export function sourceAfter({ success, timedOut, stderr }: Reply): Source {
  if (success) return "jsr";
  if (timedOut || UNREACHABLE.test(stderr)) return "offline";
  const lines = stderr.split("\n").filter((line) => /^error\b/.test(line));
  throw new Error(
    `Cannot choose @std: JSR can be reached, but does not supply it. ${ADVICE}\n` +
      (lines.join("\n") || stderr),
  );
}

/** Asks JSR for a package that certainly exists, and ignores every cache. */
export async function askJsr(
  { env, timeoutMs = TIMEOUT_MS }: { env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Reply> {
  const signal = AbortSignal.timeout(timeoutMs);
  const command = new Deno.Command(Deno.execPath(), {
    // The reason of a failed connection is in the debug log alone.
    args: ["cache", "--no-config", "--reload", "--log-level=debug", "jsr:@std/assert/fail"],
    env: { ...env, NO_COLOR: "1" },
    signal,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const { success, stderr } = await command.output();
  return { success, timedOut: signal.aborted, stderr: new TextDecoder().decode(stderr) };
}

/** Returns the flags that give a subcommand its `@std` packages: none for the real ones. */
export async function stdFlags(): Promise<string[]> {
  const setting = Deno.env.get("PAGI_STD");
  const source = setting ? sourceNamed(setting) : sourceAfter(await askJsr());
  if (source === "jsr") {
    console.error("@std: the real packages, from JSR");
    return [];
  }
  console.error("@std: the stand-ins in tests/_std, in place of JSR");
  return [`--import-map=${import.meta.dirname}/import_map.json`];
}

/** Runs this `deno` with `args`, on this terminal. Resolves to its exit code. */
export async function deno(args: string[]): Promise<number> {
  // The executable itself: under npx there need not be a `deno` on the PATH.
  const command = new Deno.Command(Deno.execPath(), {
    args,
    // A test that lacks a permission has to fail, not to ask.
    env: { DENO_NO_PROMPT: "1" },
  });
  return (await command.spawn().status).code;
}

/** Prints an error without its stack, and exits. */
function exitWith(error: unknown): never {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}

if (import.meta.main) {
  const [subcommand = "test", ...rest] = Deno.args;
  const flags = await stdFlags().catch(exitWith);
  Deno.exit(await deno([subcommand, ...flags, ...rest]));
}
