/**
 * Runs a `deno` subcommand with the real `@std` packages where JSR answers, and with the
 * stand-ins beside this file where it does not: `run.ts test --doc`.
 *
 * `PAGI_STD=jsr` or `PAGI_STD=offline` decides without asking.
 *
 * @module
 */

/** The flags that give a subcommand its `@std` packages: none for the real ones. */
export async function stdFlags(): Promise<string[]> {
  const std = Deno.env.get("PAGI_STD") ?? (await jsrAnswers() ? "jsr" : "offline");
  if (std === "jsr") {
    console.error("@std: the real packages, from JSR");
    return [];
  }
  console.error("@std: the stand-ins in tests/_std, in place of JSR");
  return [`--import-map=${import.meta.dirname}/import_map.json`];
}

/** Runs this `deno` with `args`, on this terminal; resolves to its exit code. */
export async function deno(args: string[]): Promise<number> {
  // The executable itself: under npx there need not be a `deno` on the PATH.
  const command = new Deno.Command(Deno.execPath(), {
    args,
    // A test that lacks a permission has to fail, not to ask.
    env: { DENO_NO_PROMPT: "1" },
  });
  return (await command.spawn().status).code;
}

/**
 * Asks JSR, past every cache, for a package that is sure to be there. So only silence chooses the
 * stand-ins: a mistake of ours, say a version that does not exist, fails with the real packages.
 */
async function jsrAnswers(): Promise<boolean> {
  const question = new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", "--reload", "jsr:@std/assert/fail"],
    signal: AbortSignal.timeout(5_000),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  return (await question.output()).success;
}

if (import.meta.main) {
  const [subcommand = "test", ...rest] = Deno.args;
  Deno.exit(await deno([subcommand, ...await stdFlags(), ...rest]));
}
