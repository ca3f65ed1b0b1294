import { SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import express from "express";
import type {} from "express-session";

declare module "express-session" {
  interface SessionData {
    cart: string[];
  }
}

const sessions = new SessionMiddleware({ secret: "replace this with: openssl rand -hex 32" });

export const app = express();
app.use(expressSession(sessions, { compat: true }));
app.get("/", (req, res, next) => {
  req.session.cart = ["tea"];
  req.session.cookie.maxAge = 60_000;
  req.session.regenerate((error: unknown) => {
    if (error) return next(error);
    res.json([req.sessionID, req.session.cart?.length]);
  });
});
