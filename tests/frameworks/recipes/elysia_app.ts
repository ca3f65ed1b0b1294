import { SessionMiddleware } from "@pagi/session";
import { elysiaSession } from "@pagi/session/elysia";
import { Elysia } from "elysia";

const sessions = new SessionMiddleware<{ visits: number }>({
  secret: "replace this with: openssl rand -hex 32",
});

export const app = new Elysia()
  .use(elysiaSession(sessions))
  .get("/", ({ session }) => {
    session.update("visits", (visits = 0) => visits + 1);
    return `Visit ${session.get("visits")}`;
  });
