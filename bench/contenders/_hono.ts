/** Hono without sessions. */
import { Hono } from "hono";
import { BARE_TEXT, type LocalApp } from "./contender.ts";

/** An app on Hono without sessions. */
export function bareHono(): LocalApp {
  const app = new Hono();
  app.get("/", (context) => context.text(BARE_TEXT));
  return { fetch: (request) => app.fetch(request) };
}
