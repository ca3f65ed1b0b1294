/** The apps under test: each a process of its own, in the runtime that it is for. */
import { firstLine, freePort, isListening, until } from "../integration/_processes.ts";

const FOLDER = `${import.meta.dirname}/apps`;
const DENO = [Deno.execPath(), "run", "-A", "--config", `${import.meta.dirname}/deno.json`];
const NODE = await executable("node@24.21.0", "-p", "process.execPath");
const BUN = await executable("bun@1.4.5", "-e", "console.log(process.execPath)");

/** An app and what it is able to. */
export interface App {
  name: string;
  command: string[];
  env?: Record<string, string>;
  /** Cases that it has no way to, and why. */
  skips?: Record<string, string>;
}

const NO_SOCKET = { "a WebSocket": "its WebSockets are a package of their own" };
const NO_PUSH = {
  "server-sent events": "on Node it sends no event before the last is there",
  "a WebSocket": "it has none on Node",
};

const NO_WORD = {
  ...NO_SOCKET,
  "a handler that throws": "it does not tell a middleware that a loader threw",
};

const deno = (file: string) => [...DENO, `${FOLDER}/${file}`];
const node = (file: string) => [NODE, "--disable-warning=ExperimentalWarning", `${FOLDER}/${file}`];
const bun = (file: string) => [BUN, "run", `${FOLDER}/${file}`];

/** Express on a store that answers later, and on one that answers at once. */
function express(name: string, file: string): App[] {
  const app = { name, command: node(file), skips: NO_SOCKET };
  return [app, { ...app, name: `${name}, MemoryStore`, env: { STORE: "memory" } }];
}

export const EXPRESS: App[] = [
  ...express("Express 4", "express4.ts"),
  ...express("Express 5", "express5.ts"),
];

export const APPS: App[] = [
  { name: "Hono on Deno", command: deno("hono_deno.ts") },
  { name: "Hono on Node", command: node("hono_node.ts"), skips: NO_SOCKET },
  { name: "Hono on Bun", command: bun("hono_bun.ts"), skips: NO_SOCKET },
  ...EXPRESS,
  { name: "Connect", command: node("connect.ts"), skips: NO_SOCKET },
  { name: "oak on Node", command: [...node("oak.ts"), String(freePort())], skips: NO_PUSH },
  { name: "Elysia on Bun", command: bun("elysia_bun.ts") },
  { name: "Elysia's handle on Bun", command: bun("elysia_fetch.ts"), skips: NO_SOCKET },
  { name: "Koa", command: node("koa.ts"), skips: NO_SOCKET },
  { name: "Fastify", command: node("fastify.ts"), skips: NO_SOCKET },
  { name: "h3", command: node("h3.ts"), skips: NO_SOCKET },
  { name: "SvelteKit", command: node("sveltekit.ts"), skips: NO_WORD },
  { name: "React Router", command: deno("react_router.ts"), skips: NO_WORD },
];

/** The documentation's examples, with a page that counts and what it says. */
export const EXAMPLES: (App & { page: string; says: (visit: number) => string })[] = [
  {
    name: "Hono's example",
    command: deno("example_hono.ts"),
    page: "/",
    says: (visit) => `Visit ${visit}`,
  },
  {
    name: "Express' view counter",
    command: node("example_express.ts"),
    page: "/foo",
    says: (visit) => `You viewed this page ${visit} times`,
  },
  {
    name: "Elysia's example",
    command: bun("example_elysia.ts"),
    page: "/",
    says: (visit) => `Visit ${visit}`,
  },
];

/** An app that runs. */
export class Running implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #complained: Promise<string>;

  private constructor(url: string, child: Deno.ChildProcess, complained: Promise<string>) {
    this.url = url;
    this.#child = child;
    this.#complained = complained;
  }

  /** Starts an app, and waits until it listens. */
  static async start({ command: [name, ...args], env }: App): Promise<Running> {
    const child = new Deno.Command(name!, { args, env, stdout: "piped", stderr: "piped" }).spawn();
    const complained = new Response(child.stderr).text();
    try {
      const said = await firstLine(child.stdout);
      const port = Number(said.split(" ")[1]);
      // oak says so a little before it does.
      await until(`port ${port}`, () => isListening(port));
      return new Running(`http://127.0.0.1:${port}`, child, complained);
    } catch (error) {
      throw new Error(`${error}\n${await complained}`);
    }
  }

  /** Ends the app; what it said of errors. */
  async end(): Promise<string> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    return await this.#complained;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Where npx keeps the program of a package: it can be started and killed without npx between. */
async function executable(specifier: string, ...args: string[]): Promise<string> {
  const options = { args: ["--yes", specifier, ...args], env: { npm_config_loglevel: "error" } };
  const { success, stdout } = await new Deno.Command("npx", options).output();
  if (!success) throw new Error(`npx cannot get ${specifier}`);
  return new TextDecoder().decode(stdout).trim();
}
