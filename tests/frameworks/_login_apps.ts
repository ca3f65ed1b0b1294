/**
 * The login app of each page in docs/how-to/frameworks. Its files are in `recipes/PAGE`, and the app
 * listens on the port that it finds in the environment variable PORT or, for `$PORT`, in its arguments.
 */
import { BUN, NODE } from "./_apps.ts";
import type { Journey } from "./_login_journey.ts";

const RECIPES = `${import.meta.dirname}/recipes`;
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
];

/** The command that serves a module with a default export. */
function denoServe(file: string): string[] {
  const options = ["-A", "--host", "127.0.0.1", "--port", "$PORT"];
  return [Deno.execPath(), "serve", ...options, "--config", CONFIG, `${RECIPES}/${file}`];
}
