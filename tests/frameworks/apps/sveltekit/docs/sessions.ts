import { SessionMiddleware } from "@pagi/session";
import { building } from "$app/env";

/** The data of a session. */
export interface Data {
  name: string;
  items: string[];
}

export const sessions = new SessionMiddleware<Data>({
  // If a route imports this module, SvelteKit loads it while it builds, without the secret.
  secret: building ? "not used" : process.env.SESSION_SECRET!,
});
