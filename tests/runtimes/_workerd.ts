/** Cloudflare's workerd with the suite's worker, on a free port. */
import type { Project } from "./_project.ts";
import { must } from "./_run.ts";

/** Selects the current behavior. Without flags, Node's APIs are not available. */
const COMPATIBILITY_DATE = "2026-11-01";

/** The number of seconds after which the process is killed. */
const LIMIT = 120;

export class Workerd implements AsyncDisposable {
  readonly url: string;
  /** The version of workerd, a date. */
  readonly version: string;
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, port: number, version: string) {
    this.#process = process;
    this.url = `http://127.0.0.1:${port}/`;
    this.version = version;
  }

  /** Bundles the worker and starts workerd with it. */
  static async start(project: Project, bindings: Record<string, string>): Promise<Workerd> {
    const use = "export default worker(modules);";
    await project.writeEntry("worker_entry.js", 'import { worker } from "./worker.ts";', use);
    const bundle = ["--bundle", "--platform=neutral", "--format=esm", "--log-level=error"];
    const esbuild = project.path("node_modules/.bin/esbuild");
    const files = ["worker_entry.js", "--outfile=worker_bundle.js"];
    await must([esbuild, ...files, ...bundle], { cwd: project.folder });
    await Deno.writeTextFile(project.path("config.capnp"), config(bindings));
    const workerd = project.path("node_modules/.bin/workerd");
    const version = (await must([workerd, "--version"])).replace("workerd ", "");
    const process = new Deno.Command(workerd, {
      args: ["serve", "config.capnp", "--control-fd=1"],
      cwd: project.folder,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
      signal: AbortSignal.timeout(LIMIT * 1000),
    }).spawn();
    return new Workerd(process, await portOf(process), version);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.stdout.cancel();
    await this.#process.status;
  }
}

/** Waits until workerd listens and reports its port. */
async function portOf({ stdout }: Deno.ChildProcess): Promise<number> {
  let output = "";
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream(), { preventCancel: true })) {
    output += chunk;
    const port = /"port":\s*(\d+)/.exec(output)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`workerd did not start: ${output}`);
}

function config(bindings: Record<string, string>): string {
  const list = Object.entries(bindings).map(([name, text]) =>
    `(name = "${name}", text = ${JSON.stringify(text)})`
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker_bundle.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [${list.join(", ")}],
);
`;
}
