/** The apps under test. Each is a separate process in its own runtime. */
import { firstLine, freePort, isListening, until } from "../integration/_processes.ts";

const HERE = import.meta.dirname!;
const FOLDER = `${HERE}/apps`;

/** The commands that run a file, in the versions that package.json pins. */
export const DENO: string[] = [
  Deno.execPath(),
  "run",
  "-A",
  "--config",
  `${HERE}/deno.json`,
];
// There are three versions of Node, and `.bin/node` may be any of them.
export const NODE: string[] = [
  `${HERE}/node_modules/node/bin/node`,
  "--disable-warning=ExperimentalWarning",
];
export const BUN: string[] = [`${HERE}/node_modules/.bin/bun`, "run"];

/** An app and the cases that it cannot run. */
export interface App {
  name: string;
  command: string[];
  env?: Record<string, string>;
  /** The cases to skip, `group` or `group: case`, with what the framework cannot do. */
  skips?: Record<string, string>;
}

const NO_SOCKET = { "WebSockets": "its WebSockets need another package" };
const SUITE = { SUITE: "1", NODE_ENV: "production" };
const NO_STATUS = {
  "exceptions: an error of a client": "an error has no status",
  "exceptions: save() before a 401": "an error has no status",
};
const OUTSIDE = "the response to an error is made outside of the session";
const NO_ERROR_PAGE = {
  ...NO_STATUS,
  "exceptions: save() before an exception": OUTSIDE,
  "two sessions: save() of both before an exception": OUTSIDE,
};
const NO_PIPELINE = {
  "responses: pipelined requests": "Bun does not answer them",
  "exceptions: pipelined requests": "Bun does not answer them",
  "a failing store: pipelined requests": "Bun does not answer them",
};
const ELYSIA = {
  ...NO_PIPELINE,
  "streams: a stream that breaks": "it ends such a stream as if it were complete",
};
const THROWN_DATA = "a thrown data() is a response, which saves";
const NO_ERROR_HOOK = {
  "a failing store: the error of a client that has gone, at the framework":
    "the session's error response is a response like any other",
};

const deno = (file: string) => [...DENO, `${FOLDER}/${file}`];
const node = (file: string) => [...NODE, `${FOLDER}/${file}`];
const bun = (file: string) => [...BUN, `${FOLDER}/${file}`];

/** Returns an app with an asynchronous store that also fails, and one with a synchronous store. */
function withBothStores(app: App): App[] {
  const skips = { ...app.skips, "failing store": "its store does not fail" };
  return [app, { ...app, name: `${app.name}, MemoryStore`, env: { STORE: "memory" }, skips }];
}

export const EXPRESS: App[] = [
  ...withBothStores({ name: "Express 4", command: node("express4.ts"), skips: NO_SOCKET }),
  ...withBothStores({ name: "Express 5", command: node("express5.ts"), skips: NO_SOCKET }),
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
    : [`${HERE}/node_modules/${node}/bin/node`, `${FOLDER}/${file}`];
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
      `${HERE}/node_modules/${node}/bin/node`,
      `${FOLDER}/websockets.js`,
    ],
    env: { STORE: store },
  }))
);

/** Koa with other middleware. */
export const KOA_MIDDLEWARE: App[] = [["koa", "slow"], ["koa", "memory"], ["koa2", "slow"]].map(
  ([KOA, STORE]) => ({
    name: `${KOA}, ${STORE} store`,
    command: node("koa_middleware.js"),
    env: { KOA: KOA!, STORE: STORE! },
  }),
);

/** Nest's versions and platforms, with a global exception filter of the app or without one. */
export const NEST: App[] = ["express", "fastify"].flatMap((platform) => [
  ...[undefined, "500", "200", "302"].map((filter) => nest(11, platform, filter)),
  ...[undefined, "302"].map((filter) => nest(10, platform, filter)),
]);

function nest(version: number, platform: string, filter: string | undefined): App {
  const env: Record<string, string> = { PLATFORM: platform };
  if (filter !== undefined) env.FILTER = filter;
  const filters = filter === undefined ? "" : `, a filter with ${filter}`;
  const command = node(version === 10 ? "nest10/main.js" : "nest11.js");
  return { name: `Nest ${version} on ${platform}${filters}`, command, env };
}

export const APPS: App[] = [
  ...withBothStores({
    name: "a fetch handler on Deno",
    command: deno("fetch_deno.ts"),
    skips: { ...NO_SOCKET, ...NO_ERROR_HOOK, ...NO_ERROR_PAGE },
  }),
  {
    name: "a fetch handler on Bun",
    command: bun("fetch_bun.ts"),
    skips: { ...NO_SOCKET, ...NO_PIPELINE, ...NO_ERROR_HOOK, ...NO_ERROR_PAGE },
  },
  ...withBothStores({
    name: "Hono on Deno",
    command: deno("hono_deno.ts"),
    skips: NO_ERROR_HOOK,
  }),
  {
    name: "Hono on Node",
    command: node("hono_node.ts"),
    skips: { ...NO_SOCKET, ...NO_ERROR_HOOK },
  },
  {
    name: "Hono on Bun",
    command: bun("hono_bun.ts"),
    skips: { ...NO_SOCKET, ...NO_PIPELINE, ...NO_ERROR_HOOK },
  },
  ...EXPRESS,
  ...withBothStores({ name: "Connect", command: node("connect.ts"), skips: NO_SOCKET }),
  {
    name: "oak on Node",
    command: [...node("oak.ts"), String(freePort())],
    skips: {
      "WebSockets": "it does not support them on Node",
      "streams: events without an end": "on Node it sends no event before the last one is ready",
      "streams: a stream that breaks": "on Node it does not end the response",
      "responses: the app's own cookies": "on Node it sends one Set-Cookie",
      "two sessions": "on Node it sends one Set-Cookie",
      ...NO_ERROR_HOOK,
    },
  },
  { name: "Elysia on Bun", command: bun("elysia_bun.ts"), skips: { ...ELYSIA, ...NO_ERROR_HOOK } },
  {
    name: "Elysia's handle on Bun",
    command: bun("elysia_fetch.ts"),
    skips: { ...NO_SOCKET, ...ELYSIA, ...NO_ERROR_HOOK },
  },
  {
    name: "Koa",
    command: node("koa.ts"),
    skips: {
      ...NO_SOCKET,
      "exceptions: /throw-frozen": "Koa itself assigns the status to the error",
      "exceptions: an error handler that throws": "it has no error handlers",
    },
  },
  {
    name: "Nest on Express",
    command: node("nest.ts"),
    skips: { ...NO_SOCKET, ...NO_ERROR_HOOK },
  },
  {
    name: "Nest on Fastify",
    command: node("nest.ts"),
    env: { PLATFORM: "fastify" },
    skips: { ...NO_SOCKET, ...NO_ERROR_HOOK },
  },
  { name: "Fastify 4", command: node("fastify.ts"), env: { FASTIFY: "4" }, skips: NO_SOCKET },
  ...withBothStores({ name: "Fastify 5", command: node("fastify.ts"), skips: NO_SOCKET }),
  {
    name: "h3",
    command: node("h3.ts"),
    skips: {
      ...NO_SOCKET,
      ...NO_ERROR_HOOK,
    },
  },
  {
    name: "Nitro",
    command: [...node("nitro.ts"), String(freePort())],
    skips: {
      ...NO_SOCKET,
      ...NO_ERROR_HOOK,
      "exceptions: /throw-text": "its h3 takes a text that is thrown for the page",
      "no error is left unhandled": "its server leaves that of a broken connection unhandled",
    },
  },
  {
    name: "SvelteKit",
    command: node("sveltekit.ts"),
    env: SUITE,
    skips: { ...NO_SOCKET, ...NO_ERROR_HOOK },
  },
  {
    name: "React Router",
    command: deno("react_router.ts"),
    skips: {
      ...NO_SOCKET,
      ...NO_ERROR_HOOK,
      ...NO_STATUS,
    },
  },
  {
    name: "Astro",
    command: node("astro.ts"),
    env: SUITE,
    skips: {
      ...NO_SOCKET,
      ...NO_ERROR_HOOK,
      "exceptions: an error of a client": "it has no errors below 500",
      "exceptions: save() before a 401": "it has no errors below 500",
    },
  },
  {
    name: "TanStack Start",
    command: node("tanstack_start.ts"),
    env: SUITE,
    skips: {
      ...NO_SOCKET,
      ...NO_ERROR_HOOK,
      "uploads: a body that the handler does not read": "its server closes the connection",
      "a failing store: a read that fails: an upload": "its server closes the connection",
    },
  },
];

const SHOPS: App[] = [
  {
    name: "Next.js",
    command: [...node("next.ts"), String(freePort())],
    skips: { "a store that fails": "next_test.ts has it: Next.js decides about the status" },
  },
  { name: "Nuxt", command: [...node("nuxt.ts"), String(freePort())] },
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
];

/** Shops in meta-frameworks, built by `install`. */
export const META_APPS: App[] = SHOPS.map((app) => ({ ...app, env: { NODE_ENV: "production" } }));

/** Apps for platforms without a server of their own. */
export const SERVERLESS = {
  count: workerd("apps/count_worker.ts"),
  cookie: workerd("recipes/cloudflare-workers/cookie.ts"),
  worker: workerd("recipes/cloudflare-workers/worker.ts"),
  lambda: { name: "AWS Lambda", command: deno("lambda.ts") },
  deployRedis: { name: "Deno Deploy, Redis", command: [...deno("deno_deploy.ts"), "redis"] },
  deployCookie: { name: "Deno Deploy, cookie", command: [...deno("deno_deploy.ts"), "cookie"] },
} satisfies Record<string, App>;

function workerd(file: string): App {
  return { name: file, command: [...deno("workerd.ts"), file] };
}

/** A running app. */
export class Running implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  /** False if the process has ended by itself. */
  isRunning = true;

  private constructor(url: string, child: Deno.ChildProcess, stderr: Promise<string>) {
    this.url = url;
    this.#child = child;
    this.#stderr = stderr;
    void child.status.then(() => this.isRunning = false);
  }

  /** Starts an app and waits until it prints the port on which it listens. */
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

  /** Starts an app on a given port: the variable PORT, and the argument `$PORT`. */
  static async startOnPort({ command: [name, ...args], env }: Omit<App, "name">): Promise<Running> {
    const port = freePort();
    const child = new Deno.Command(name!, {
      args: args.map((arg) => arg === "$PORT" ? String(port) : arg),
      env: { ...env, PORT: String(port) },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const running = new Running(
      `http://127.0.0.1:${port}`,
      child,
      new Response(child.stderr).text(),
    );
    try {
      await until(`port ${port}`, async () => !running.isRunning || await isListening(port));
      if (running.isRunning) return running;
      throw new Error("It has ended");
    } catch (error) {
      throw new Error(`${error}\n${await running.end()}`);
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
