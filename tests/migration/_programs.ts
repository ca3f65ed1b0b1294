/** The programs of docs/migrate.md, as they stand there, each as a server of its own. */
import { freePort, isListening, OwnProcess, until } from "../integration/_processes.ts";

const DOCS = new URL("../../docs/migrate.md", import.meta.url);
/** A machine may have much else to do. */
const PATIENCE_MS = 120_000;
const CONFIG = new URL("./deno.json", import.meta.url).pathname;

/** The program under a heading of the third level, in the section of a library. */
export async function programOf(library: string, side: "Before" | "After"): Promise<string> {
  const text = await Deno.readTextFile(DOCS);
  const section = text.split(/^## /m).find((part) => part.startsWith(`From ${library}\n`)) ?? "";
  const part = section.split(/^### /m).find((part) => part.startsWith(`${side}\n`)) ?? "";
  const code = part.match(/^```ts ignore\n(.*?)^```$/ms)?.[1];
  if (code === undefined) throw new Error(`docs/migrate.md has no "${side}" for ${library}`);
  return code;
}

/** A server that runs a program. */
export class Program implements AsyncDisposable {
  readonly url: string;
  readonly #process: OwnProcess;

  private constructor(url: string, process: OwnProcess) {
    this.url = url;
    this.#process = process;
  }

  /** Starts it, with these variables in its environment. */
  static async start(code: string, env: Record<string, string>): Promise<Program> {
    const folder = await Deno.makeTempDir({ prefix: "pagi-migrate-" });
    const file = `${folder}/main.ts`;
    await Deno.writeTextFile(file, code);
    // First, and with patience: packages may have to be fetched.
    await load("cache", file);
    const port = String(freePort());
    const serve = code.includes("export default")
      ? ["serve", "--host=127.0.0.1", `--port=${port}`]
      : ["run"];
    const set = Object.entries({ ...env, PORT: port }).map(([name, value]) => `${name}=${value}`);
    const deno = [Deno.execPath(), ...serve, "-A", "--quiet", "--no-check", `--config=${CONFIG}`];
    const process = await OwnProcess.start(folder, "env", ...set, ...deno, file);
    try {
      await until("the program listens", () => isListening(Number(port)), PATIENCE_MS);
    } catch (error) {
      await process.end("SIGKILL").catch(() => {});
      throw error;
    }
    return new Program(`http://127.0.0.1:${port}`, process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end("SIGKILL");
  }
}

/** Loads the packages of programs, and checks their types if that is the command. */
export async function load(command: "cache" | "check", ...files: string[]): Promise<void> {
  const args = [command, "--quiet", `--config=${CONFIG}`, ...files];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(`The program is wrong: ${new TextDecoder().decode(stderr)}`);
}
