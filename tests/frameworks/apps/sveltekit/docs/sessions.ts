import { SessionMiddleware } from "@pagi/session";
import { building } from "$app/env";

/** The data of a session. */
export interface Data {
  name: string;
  items: string[];
}

export const sessions = new SessionMiddleware<Data>({
  // SvelteKit loads this module while it builds, when there is no secret yet.
  secret: building ? "not used" : process.env.SESSION_SECRET!,
});
