/** Hono without sessions. */
import { Hono } from "hono";
import { BARE_TEXT, type LocalApp } from "./contender.ts";

/** The app that what a session adds to Hono is measured from. */
export function bareHono(): LocalApp {
  const app = new Hono();
  app.get("/", (context) => context.text(BARE_TEXT));
  return { fetch: (request) => app.fetch(request) };
}
