import { type Session, SessionMiddleware } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import express from "express";

type Data = { views: Record<string, number> };
declare global {
  namespace Express {
    interface Request {
      session: Session<Data>;
    }
  }
}
const sessions = new SessionMiddleware<Data>({ secret: "replace this with: openssl rand -hex 32" });

export const app = express();
app.use(expressSession(sessions));
app.use((req, _res, next) => {
  const count = (n = 0) => n + 1;
  req.session.update("views", (views = {}) => ({ ...views, [req.path]: count(views[req.path]) }));
  next();
});
app.get("/foo", (req, res) => {
  res.send(`You viewed this page ${req.session.get("views")["/foo"]} times`);
});
app.use(abortSession);
