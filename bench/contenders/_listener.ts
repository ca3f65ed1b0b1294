/** Apps on node:http, called in process through light-my-request, as Fastify's own tests do. */
import { inject } from "light-my-request";
import type { InjectApp } from "./contender.ts";

/** An app for requests in process. */
export function listenerApp(listener: (request: never, response: never) => void): InjectApp {
  const dispatch = listener as Parameters<typeof inject>[0];
  return { inject: (headers) => inject(dispatch, { url: "/", headers }) };
}
