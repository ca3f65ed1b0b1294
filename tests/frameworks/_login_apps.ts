/**
 * The login app of each page in docs/how-to/frameworks. Its files are in `recipes/PAGE`, and the app
 * listens on the port that it finds in the environment variable PORT or, for `$PORT`, in its arguments.
 */
import { BUN, DENO, NODE } from "./_apps.ts";
import type { Journey } from "./_login_journey.ts";
import { findForm } from "./_meta_cases.ts";
import type { Page, Visitor } from "./_visitor.ts";

const RECIPES = `${import.meta.dirname}/recipes`;
const APPS = `${import.meta.dirname}/apps`;
const CONFIG = `${import.meta.dirname}/deno.json`;

/** A login app. */
export interface LoginApp extends Journey {
  /** The page's name, without `.md`. */
  page: string;
  command: string[];
  env?: Record<string, string>;
  /** The folders with the page's code, if there are others than `recipes/PAGE`. */
  folders?: string[];
  /** Why the test does not run this app. Its code is compared with the page all the same. */
  notRun?: string;
}

const SECRET = { SESSION_SECRET: "a test's secret of 32 bytes or more" };

/** The shop of a meta-framework, which `install` builds. */
function shop(page: string, file: string, journey: Journey = {}): LoginApp {
  const folders = [`apps/${page}`, `recipes/${page}`];
  const env = { NODE_ENV: "production" };
  return { page, command: [...NODE, `${APPS}/${file}`], env, folders, ...journey };
}

/** Returns a function that sends the form with this `id`. TanStack Start makes up its target. */
function sender(id: string) {
  let action: string | undefined;
  return async (visitor: Visitor, name?: string): Promise<Page> => {
    action ??= new RegExp(`<form id="${id}"[^>]* action="([^"]*)"`)
      .exec((await visitor.get("/")).text)?.[1];
    return await visitor.post(action!, name === undefined ? {} : { name });
  };
}

/** One app for each page; more than one if the page shows several programs. */
export const LOGIN_APPS: LoginApp[] = [
  { page: "express-session", command: node("express-session/main.js") },
  { page: "fetch", command: denoServe("fetch/main.ts") },
  { page: "fetch", command: [...BUN, `${RECIPES}/fetch/main.ts`] },
  { page: "express", command: node("express/main.ts") },
  { page: "connect", command: node("connect/main.ts") },
  { page: "koa", command: node("koa/main.ts") },
  { page: "nest", command: node("nest/main.mts", "--import", `${RECIPES}/nest/_decorators.js`) },
  { page: "hono", command: denoServe("hono/app.ts") },
  { page: "hono", command: [...BUN, `${RECIPES}/hono/app.ts`] },
  { page: "hono", command: node("hono/node.ts") },
  { page: "oak", command: node("oak/app.ts") },
  { page: "elysia", command: [...BUN, `${RECIPES}/elysia/app.ts`] },
  { page: "h3", command: node("h3/app.ts") },
  {
    page: "next",
    command: [...NODE, `${APPS}/next.ts`, "$PORT"],
    folders: ["apps/next"],
    // Its forms call server actions.
    login: (visitor, name) => sendForm(visitor, "login", { name }),
    logout: (visitor) => sendForm(visitor, "logout"),
  },
  {
    page: "nuxt",
    command: [...NODE, `${APPS}/nuxt.ts`, "$PORT"],
    folders: ["apps/nuxt", "recipes/nuxt"],
  },
  shop("astro", "astro.ts"),
  { page: "aws-lambda", command: [...DENO, `${APPS}/lambda.ts`] },
  {
    page: "cloudflare-workers",
    command: [...DENO, `${APPS}/workerd.ts`, "recipes/cloudflare-workers/worker.ts"],
  },
  {
    page: "deno-deploy",
    command: denoServe("deno-deploy/main.ts", "--unstable-kv"),
    env: { ...SECRET, DENO_KV_PATH: ":memory:" },
  },
  { page: "fresh", command: [], notRun: "it is on JSR only" },
  shop("react-router", "react_router_shop.ts"),
  { ...shop("sveltekit", "sveltekit.ts"), folders: ["apps/sveltekit"] },
  shop("tanstack-start", "tanstack_start.ts", {
    login: sender("login"),
    logout: sender("logout"),
  }),
  { page: "fastify", command: node("fastify/main.ts") },
  { page: "socketio", command: node("socketio/main.js") },
  { page: "ws", command: node("ws/main.js") },
];

/** Sends a form of the app's page. To sign in again, a visitor sends the form of the first visit. */
async function sendForm(
  visitor: Visitor,
  id: string,
  values: Record<string, string> = {},
): Promise<Page> {
  const shown = visitor.copy();
  if (id === "login") shown.cookie = undefined;
  const { action, fields } = findForm((await shown.get("/")).text, id, "/");
  const body = new FormData();
  for (const [name, value] of fields) if (!Object.hasOwn(values, name)) body.append(name, value);
  for (const [name, value] of Object.entries(values)) body.append(name, value);
  return await visitor.get(action, { method: "POST", body });
}

/** The command that runs a module with Node. */
function node(file: string, ...options: string[]): string[] {
  return [...NODE, ...options, `${RECIPES}/${file}`];
}

/** The command that serves a module with a default export. */
function denoServe(file: string, ...flags: string[]): string[] {
  const options = ["-A", ...flags, "--host", "127.0.0.1", "--port", "$PORT"];
  return [Deno.execPath(), "serve", ...options, "--config", CONFIG, `${RECIPES}/${file}`];
}
