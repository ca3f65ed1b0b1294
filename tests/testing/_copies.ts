/** Copies of the sources, to break on purpose, and the tests that have to notice. */

const ROOT = new URL("../../", import.meta.url);
/** What a copy needs: the sources, the races, and the tests that need no permission. */
const FOLDERS = ["", "tests/"];
const TREES = [
  "adapters/",
  "base/",
  "core/",
  "data/",
  "migrate/",
  "state/",
  "store/",
  "testing/",
  "tests/conformance/",
  "tests/_std/",
  "tests/testing/",
];

/** Calls `work` with the folder of a copy, which is gone afterwards. */
export async function inCopy<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "mutant-" });
  try {
    for (const folder of FOLDERS) await copy(folder, directory, "alone");
    for (const tree of TREES) await copy(tree, directory, "whole");
    return await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Copies a folder's files, and with "whole" the folders in it. */
async function copy(folder: string, directory: string, depth: "alone" | "whole"): Promise<void> {
  await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
  for await (const { name, isFile, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory && depth === "whole") await copy(`${folder}${name}/`, directory, depth);
    if (!isFile || !/\.(ts|json)$/.test(name)) continue;
    await Deno.copyFile(new URL(folder + name, ROOT), `${directory}/${folder}${name}`);
  }
}

/** Runs `deno SUBCOMMAND` in a copy, without checking types; -1 is the code of what takes too long. */
export async function denoIn(
  cwd: string,
  [subcommand, ...args]: string[],
  timeoutMs: number,
): Promise<{ code: number; output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [subcommand!, "--quiet", "--no-check", "--no-lock", ...args],
    cwd,
    env: { NO_COLOR: "1", DENO_NO_PROMPT: "1" },
    signal: AbortSignal.timeout(timeoutMs),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, signal, stdout, stderr } = await command.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code: signal === null ? code : -1, output: out!.trim() === "" ? err! : out! };
}

/** Runs unit tests in a copy, with the stand-ins for `@std`. */
export function testIn(cwd: string, args: readonly string[], timeoutMs: number) {
  return denoIn(cwd, ["test", "--import-map=tests/_std/import_map.json", ...args], timeoutMs);
}

/** The name of the first test that failed: "name ... FAILED (1ms)". */
export function failedIn(output: string): string | undefined {
  return /^(.*) \.\.\. FAILED/m.exec(output)?.[1];
}

/** Does `work` on each of `items`, as many at a time as there are processors. */
export async function eachAtOnce<T>(items: Iterable<T>, work: (item: T) => Promise<void>) {
  const waiting = [...items];
  const workers = Array.from({ length: navigator.hardwareConcurrency }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  });
  await Promise.all(workers);
}
