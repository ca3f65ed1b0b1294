/** Server processes, as the tests start and kill them. */
import { firstLine } from "./_processes.ts";

const CONFIG = `${import.meta.dirname}/deno.json`;
const SCRIPT = `${import.meta.dirname}/_e2e_server.ts`;

/** A server process that listens. */
export class ServerProcess implements AsyncDisposable {
  /** Where it answers, `http://…`. */
  readonly origin: string;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: string) {
    this.#child = child;
    this.origin = `http://127.0.0.1:${port}`;
  }

  /** Starts one on a store, and waits until it listens. */
  static async start(name: string, where: string): Promise<ServerProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", CONFIG, SCRIPT, name, where],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    return new ServerProcess(child, await firstLine(child.stdout));
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }
}
