import { SessionMiddleware } from "@pagi/session";
import { type CompatSession, expressSession } from "@pagi/session/express";
import express from "express";

declare global {
  namespace Express {
    interface Request {
      session: CompatSession<{ cart: string[] }>;
      sessionID: string;
    }
  }
}

const sessions = new SessionMiddleware<{ cart: string[] }>({
  secret: "replace this with: openssl rand -hex 32",
});
const session = expressSession(sessions, {
  compat: true,
  subject: ({ cart }) => cart?.[0],
});

export const app = express();
app.use(session);
app.get("/", (req, res, next) => {
  req.session.cart = ["tea"];
  req.session.cookie.maxAge = null;
  req.session.save((error) => {
    if (error) return next(error);
    const cart: string[] | undefined = session.of(req)?.cart;
    res.json([req.sessionID, cart?.length]);
  });
});
