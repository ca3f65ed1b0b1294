/**
 * The login app of each page in docs/how-to/frameworks. Its files are in `recipes/PAGE`, and the app
 * listens on the port that it finds in the environment variable PORT or, for `$PORT`, in its arguments.
 */
import { BUN, NODE } from "./_apps.ts";
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
  /** The folders with the page's code, if there are others than `recipes/PAGE`. */
  folders?: string[];
  /** Why the test does not run this app. Its code is compared with the page all the same. */
  notRun?: string;
}

/** One app for each page; more than one if the page shows several programs. */
export const LOGIN_APPS: LoginApp[] = [
  { page: "express-session", command: [...NODE, `${RECIPES}/express-session/main.js`] },
  { page: "fetch", command: denoServe("fetch/main.ts") },
  { page: "fetch", command: [...BUN, `${RECIPES}/fetch/main.ts`] },
<<<<<<< HEAD
  { page: "express", command: nodeApp("express/main.ts") },
  { page: "connect", command: nodeApp("connect/main.ts") },
  { page: "koa", command: nodeApp("koa/main.ts") },
  { page: "nest", command: nodeApp("nest/main.mts", "--import", `${RECIPES}/nest/_decorators.js`) },
];

/** The command that runs a module in Node. */
function nodeApp(file: string, ...options: string[]): string[] {
  return [...NODE, ...options, `${RECIPES}/${file}`];
=======
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
function node(file: string): string[] {
  return [...NODE, `${RECIPES}/${file}`];
>>>>>>> fetch
}

/** The command that serves a module with a default export. */
function denoServe(file: string): string[] {
  const options = ["-A", "--host", "127.0.0.1", "--port", "$PORT"];
  return [Deno.execPath(), "serve", ...options, "--config", CONFIG, `${RECIPES}/${file}`];
}
