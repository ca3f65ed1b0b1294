import { SessionMiddleware } from "@pagi/session";
import { h3Session } from "@pagi/session/h3";

const sessions = new SessionMiddleware<{ name: string }>({
  secret: process.env.SESSION_SECRET!,
});

export default h3Session(sessions);
