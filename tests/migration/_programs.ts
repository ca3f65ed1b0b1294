/** The programs of docs/migrate.md, as they stand there, each as a server of its own. */
import { freePort, isListening, OwnProcess, until } from "../integration/_processes.ts";

const DOCS = new URL("../../docs/migrate.md", import.meta.url);
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

  /** Starts it, with these variables in its environment. Of ours the types are checked too. */
  static async start(code: string, env: Record<string, string>): Promise<Program> {
    const folder = await Deno.makeTempDir({ prefix: "pagi-migrate-" });
    const file = `${folder}/main.ts`;
    await Deno.writeTextFile(file, code);
    // First, and with patience: packages may have to be fetched.
    await prepare(file, code.includes("@pagi/session") ? "check" : "cache");
    const port = String(freePort());
    const serve = code.includes("export default")
      ? ["serve", "--host=127.0.0.1", `--port=${port}`]
      : ["run"];
    const set = Object.entries({ ...env, PORT: port }).map(([name, value]) => `${name}=${value}`);
    const deno = [Deno.execPath(), ...serve, "-A", "--quiet", "--no-check", `--config=${CONFIG}`];
    const process = await OwnProcess.start(folder, "env", ...set, ...deno, file);
    try {
      await until("the program listens", () => isListening(Number(port)));
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

/** Loads a program's packages, and checks its types if that is the command. */
async function prepare(file: string, command: "cache" | "check"): Promise<void> {
  const args = [command, "--quiet", `--config=${CONFIG}`, file];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(`The program is wrong: ${new TextDecoder().decode(stderr)}`);
}
