/** A server in a process of its own. */
import { command, lines, type Runtime } from "./runtimes.ts";
import type { ServerAnswers, ServerOptions, ServerStarted } from "./server.ts";

/** A server that runs until it is disposed of. */
export class ServerProcess implements AsyncDisposable {
  readonly started: ServerStarted;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: AsyncGenerator<string>;
  readonly #complaints: Promise<string>;

  private constructor(
    process: Deno.ChildProcess,
    output: AsyncGenerator<string>,
    complaints: Promise<string>,
    started: ServerStarted,
  ) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#output = output;
    this.#complaints = complaints;
    this.started = started;
  }

  /** Starts one, and waits until it listens. */
  static async start(
    runtime: Runtime,
    options: ServerOptions,
    through?: readonly string[],
  ): Promise<ServerProcess> {
    const process = command(runtime, "server.ts", options, {
      through,
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
    return new ServerProcess(process, output, complaints, JSON.parse(value));
  }

  /** The id of the process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** What it answers to a command. */
  async ask<Command extends keyof ServerAnswers>(
    command: Command,
  ): Promise<ServerAnswers[Command]> {
    // Into nothing where it has ended: its output says so.
    await this.#input.write(new TextEncoder().encode(`${command}\n`)).catch(() => {});
    const { value, done } = await this.#output.next();
    if (done) {
      const complaints = await this.#complaints;
      throw new Error(`A server has ended before it answered to "${command}": ${complaints}`);
    }
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#process.status;
  }
}
