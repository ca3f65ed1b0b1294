/** Compares this library with the minimal baseline behind a real server. */
import { BASELINE, OURS } from "./contenders/contender.ts";
import { load } from "./load.ts";
import { median, shuffled } from "./measure.ts";
import { command, NAMES, type Runtime } from "./runtimes.ts";
import { bringsCookie, type Scenario } from "./scenarios.ts";
import type { ServerOptions, ServerStarted } from "./server.ts";

/** How many turns each process has. */
const TURNS = 8;
const TURN_REQUESTS = 1000;
const WARM_UP_REQUESTS = 5000;

/**
 * The requests that the server answers in a second of its own processor time, as a share of the
 * baseline's: one ratio for each process. A server that is the bottleneck has the same share by the
 * clock; here a slow load generator does not matter.
 */
export async function httpShares(
  runtime: Runtime,
  scenario: Scenario,
  processes: number,
): Promise<number[]> {
  const shares: number[] = [];
  while (shares.length < processes) {
    await using ours = await ServerProcess.start(runtime, { contender: OURS, scenario });
    await using baseline = await ServerProcess.start(runtime, { contender: BASELINE, scenario });
    const servers = [ours, baseline];
    for (const server of servers) await server.turn(WARM_UP_REQUESTS);
    const times = new Map(servers.map((server): [ServerProcess, number[]] => [server, []]));
    for (let turn = 0; turn < TURNS; turn++) {
      for (const server of shuffled(servers)) {
        times.get(server)!.push(await server.turn(TURN_REQUESTS));
      }
    }
    shares.push(median(times.get(baseline)!) / median(times.get(ours)!));
  }
  return shares;
}

/** A server in a process of its own, until it is disposed of. */
class ServerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  readonly #name: string;
  #port = 0;
  #cookies: readonly string[] = [];

  private constructor(runtime: Runtime, options: ServerOptions) {
    this.#name = `${options.contender} in ${NAMES[runtime]}`;
    this.#process = command(runtime, "server.ts", options, { stdin: "piped" }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#errors = new Response(this.#process.stderr).text();
  }

  static async start(runtime: Runtime, options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(runtime, options);
    const { port, cookies }: ServerStarted = JSON.parse(await server.#line());
    server.#port = port;
    server.#cookies = bringsCookie(options.scenario) ? cookies : [];
    return server;
  }

  /** Makes requests; returns the processor time that the server took for each, in microseconds. */
  async turn(requests: number): Promise<number> {
    const before = await this.#cpu();
    await load({ port: this.#port, cookies: this.#cookies, requests });
    return (await this.#cpu() - before) / requests;
  }

  async #cpu(): Promise<number> {
    await this.#input.write(new TextEncoder().encode("\n"));
    return Number(await this.#line());
  }

  /** The next line of its output; it writes one at a time. */
  async #line(): Promise<string> {
    let line = "";
    while (!line.endsWith("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`The server of ${this.#name} has ended: ${await this.#errors}`);
      line += value;
    }
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#process.status;
  }
}
