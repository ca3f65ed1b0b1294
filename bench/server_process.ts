/** A server in a process of its own. */
import { command, lines, type Runtime } from "./runtimes.ts";
import type { ServerOptions, ServerStarted, ServerUsage } from "./server.ts";

/** A server that runs until it is disposed of. */
export class ServerProcess implements AsyncDisposable {
  readonly started: ServerStarted;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: AsyncGenerator<string>;

  private constructor(
    process: Deno.ChildProcess,
    output: AsyncGenerator<string>,
    started: ServerStarted,
  ) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#output = output;
    this.started = started;
  }

  /** Starts one, and waits until it listens. */
  static async start(runtime: Runtime, options: ServerOptions): Promise<ServerProcess> {
    const process = command(runtime, "server.ts", options, {
      stdin: "piped",
      // Some frameworks complain about every connection that the load closes.
      stderr: "piped",
    }).spawn();
    const complaints = new Response(process.stderr).text();
    const output = lines(process.stdout);
    const { value, done } = await output.next();
    if (done) {
      throw new Error(`${options.contender} in ${runtime} did not start: ${await complaints}`);
    }
    return new ServerProcess(process, output, JSON.parse(value));
  }

  /** The processor time that it has used, in microseconds. */
  async cpu(): Promise<number> {
    await this.#input.write(new TextEncoder().encode("cpu\n"));
    const { value } = await this.#output.next();
    return (JSON.parse(value!) as ServerUsage).cpu;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#process.status;
  }
}
