/** Copies of the package for the mutants, and the commands that run in them. */

const ROOT = new URL("../../", import.meta.url);
/** Folders that the library and its unit tests do not need. */
const SKIPPED = new Set([
  ...["bench", "coverage", "docs", "examples", "node_modules"],
  ...["tests/browser", "tests/frameworks", "tests/fuzz", "tests/integration"],
  ...["tests/migration", "tests/runtimes"],
]);
/** The module that imports a mutant's tests. */
const ENTRY = "chosen_tests.ts";

/** Texts of files by path, such as `state/cookie.ts`. */
export type Files = ReadonlyMap<string, string>;

/** The result of a command in a copy. */
export interface Outcome {
  /** The exit code; -1 if the command took too long. */
  code: number;
  output: string;
}

/** Reads the sources, the unit tests and the configuration of this package. */
export async function packageFiles(): Promise<Files> {
  const files = new Map<string, string>();
  await readInto(files, "");
  return files;
}

async function readInto(files: Map<string, string>, folder: string): Promise<void> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + name;
    const isSkipped = SKIPPED.has(path) || name.startsWith(".");
    if (isDirectory && !isSkipped) await readInto(files, `${path}/`);
    if (!isFile || !/\.(ts|json)$/.test(name)) continue;
    files.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
}

/**
 * A copy of the package. It is kept from one mutant to the next, so that Deno compiles only the file
 * that has changed.
 */
export class PackageCopy {
  readonly #directory: string;
  readonly #files: Files;

  private constructor(directory: string, files: Files) {
    this.#directory = directory;
    this.#files = files;
  }

  /** Writes these files to a temporary folder. */
  static async make(files: Files): Promise<PackageCopy> {
    const copy = new PackageCopy(await Deno.makeTempDir({ prefix: "mutants-" }), files);
    for (const path of files.keys()) {
      const folder = path.slice(0, path.lastIndexOf("/") + 1);
      await Deno.mkdir(`${copy.#directory}/${folder}`, { recursive: true });
    }
    for (const [path, text] of files) await copy.write(path, text);
    return copy;
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }

  /** Writes a file, which may be new. */
  async write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.#directory}/${path}`, text);
  }

  /** Puts a file back as it was. */
  async restore(path: string): Promise<void> {
    await this.write(path, this.#files.get(path)!);
  }

  /** Runs `deno` with these arguments; what it prints to standard error counts if the rest is empty. */
  async deno(args: readonly string[], timeoutMs: number): Promise<Outcome> {
    const command = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: this.#directory,
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

  /** Runs test files up to the first failure, with the stand-ins for `@std`. */
  async test(files: readonly string[], timeoutMs: number): Promise<Outcome> {
    // One module: Deno starts a worker for each test file that it is given.
    await this.write(ENTRY, files.map((file) => `import "./${file}";\n`).join(""));
    const flags = ["--quiet", "--no-check", "--no-lock", "--fail-fast"];
    return await this.deno(
      ["test", ...flags, "--import-map=tests/_std/import_map.json", ENTRY],
      timeoutMs,
    );
  }
}

/** The name of the first test that failed: "name ... FAILED (1ms)". */
export function failedIn(output: string): string | undefined {
  return /^(.*) \.\.\. FAILED/m.exec(output)?.[1];
}
