import { type Session, SessionMiddleware } from "@pagi/session";
import { nuxtSession } from "@pagi/session/nuxt";

type Data = { name: string };
declare module "h3" {
  interface H3EventContext {
    session: Session<Data>;
  }
}

const sessions = new SessionMiddleware<Data>({
  secret: "replace this with: openssl rand -hex 32",
});

export default nuxtSession(sessions);
