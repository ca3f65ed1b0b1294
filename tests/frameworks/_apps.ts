/** The apps under test. Each is a separate process in its own runtime. */
import { firstLine, freePort, isListening, until } from "../integration/_processes.ts";

const FOLDER = `${import.meta.dirname}/apps`;
const DENO = [Deno.execPath(), "run", "-A", "--config", `${import.meta.dirname}/deno.json`];
// The runtimes that package.json pins, whatever the machine has. It has three versions of Node, and
// `.bin/node` may be any of them.
const NODE = `${import.meta.dirname}/node_modules/node/bin/node`;
const BUN = `${import.meta.dirname}/node_modules/.bin/bun`;

/** An app and the cases that it cannot run. */
export interface App {
  name: string;
  command: string[];
  env?: Record<string, string>;
  /** The cases to skip, with the reasons. */
  skips?: Record<string, string>;
}

const NO_SOCKET = { "a WebSocket": "its WebSockets need another package" };
const NO_PUSH = {
  "server-sent events": "on Node it sends no event before the last one is ready",
  "a WebSocket": "it does not support them on Node",
};

const NO_ERROR_HOOK = {
  ...NO_SOCKET,
  "a handler that throws": "it does not tell a middleware that a loader threw",
};

const deno = (file: string) => [...DENO, `${FOLDER}/${file}`];
const node = (file: string) => [NODE, "--disable-warning=ExperimentalWarning", `${FOLDER}/${file}`];
const bun = (file: string) => [BUN, "run", `${FOLDER}/${file}`];

/** Returns an Express app with an asynchronous store, and one with a synchronous store. */
function express(name: string, file: string): App[] {
  const app = { name, command: node(file), skips: NO_SOCKET };
  return [app, { ...app, name: `${name}, MemoryStore`, env: { STORE: "memory" } }];
}

export const EXPRESS: App[] = [
  ...express("Express 4", "express4.ts"),
  ...express("Express 5", "express5.ts"),
];

/** Servers with other middleware, on the oldest and the newest Node, and on Node's API elsewhere. */
export const OTHER_MIDDLEWARE: App[] = [
  ...["express4", "express5", "connect", "node"].map((name) => otherMiddleware("node26", name)),
  ...["express4", "express5", "node"].map((name) => otherMiddleware("node20", name)),
  otherMiddleware("node26", "express5", "memory"),
  otherMiddleware("bun", "express5"),
  otherMiddleware("deno", "express5"),
];

function otherMiddleware(node: string, framework: string, store = "slow"): App {
  const file = "other_middleware.js";
  const command = node === "bun"
    ? bun(file)
    : node === "deno"
    ? deno(file)
    : [`${import.meta.dirname}/node_modules/${node}/bin/node`, `${FOLDER}/${file}`];
  return {
    name: `${framework} on ${node}, ${store} store`,
    command,
    env: { FRAMEWORK: framework, STORE: store },
  };
}

/** Servers whose WebSocket handshakes go through the middleware. */
export const WEBSOCKETS: App[] = ["slow", "memory"].flatMap((store) =>
  ["node20", "node26"].map((node) => ({
    name: `${node}, ${store} store`,
    command: [
      `${import.meta.dirname}/node_modules/${node}/bin/node`,
      `${FOLDER}/websockets.js`,
    ],
    env: { STORE: store },
  }))
);

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
  { name: "SvelteKit", command: node("sveltekit.ts"), skips: NO_ERROR_HOOK },
  { name: "React Router", command: deno("react_router.ts"), skips: NO_ERROR_HOOK },
];

const THROWN_DATA = "a thrown data() is a response, which saves";

/** Shops in meta-frameworks, built by `install`. */
export const META_APPS: App[] = [
  { name: "SvelteKit", command: node("sveltekit.ts") },
  {
    name: "React Router",
    command: node("react_router_shop.ts"),
    skips: {
      "a page that throws an error below 500 saves nothing": THROWN_DATA,
      "an action that throws an error below 500 saves nothing": THROWN_DATA,
    },
  },
  {
    name: "Astro",
    command: node("astro.ts"),
    skips: { "a page that throws an error below 500 saves nothing": "pages have no such errors" },
  },
  { name: "TanStack Start", command: node("tanstack_start.ts") },
].map((app) => ({ ...app, env: { NODE_ENV: "production" } }));

/** Apps for platforms without a server of their own. */
export const SERVERLESS: Record<"count" | "cookie" | "worker" | "lambda", App> = {
  count: workerd("apps/count_worker.ts"),
  cookie: workerd("recipes/cloudflare-workers/cookie.ts"),
  worker: workerd("recipes/cloudflare-workers/worker.ts"),
  lambda: { name: "AWS Lambda", command: deno("lambda.ts") },
};

function workerd(file: string): App {
  return { name: file, command: [...deno("workerd.ts"), file] };
}

/** The documentation's examples, each with a page that counts and its expected text. */
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

/** A running app. */
export class Running implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;

  private constructor(url: string, child: Deno.ChildProcess, stderr: Promise<string>) {
    this.url = url;
    this.#child = child;
    this.#stderr = stderr;
  }

  /** Starts an app and waits until it listens. */
  static async start({ command: [name, ...args], env }: App): Promise<Running> {
    const child = new Deno.Command(name!, { args, env, stdout: "piped", stderr: "piped" }).spawn();
    const stderr = new Response(child.stderr).text();
    try {
      const line = await firstLine(child.stdout);
      const port = Number(line.split(" ")[1]);
      // oak prints the line shortly before it listens.
      await until(`port ${port}`, () => isListening(port));
      return new Running(`http://127.0.0.1:${port}`, child, stderr);
    } catch (error) {
      throw new Error(`${error}\n${await stderr}`);
    }
  }

  /** Ends the app and returns what it printed on stderr. */
  async end(): Promise<string> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // The process has already ended.
    }
    await this.#child.status;
    return await this.#stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
