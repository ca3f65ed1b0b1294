import { CookieStore, SessionMiddleware } from "@pagi/session";

const secret = Deno.env.get("SESSION_SECRET")!;
const sessions = new SessionMiddleware({ secret, store: new CookieStore({ secret }) });

export { sessions };
