/** Parts of apps that docs/how-to/frameworks/express-session.md shows. */
import { Session, SessionMiddleware } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import express from "express";

/** Ends the sessions of a user, who is known by another key than Passport's. */
export function ownUsers(app, store, secret) {
  const sessions = new SessionMiddleware({ secret, store });
  app.use(expressSession(sessions, {
    compat: true,
    subject: (session) => session.userId,
  }));

  app.post("/log-out-everywhere", async (req, res) => {
    await sessions.destroyAll(req.session.userId);
    res.redirect(303, "/");
  });
}

/** Uses the methods of this package. */
export function ownMethods(app, sessions) {
  app.get("/devices", async (req, res) => {
    const devices = await sessions.list(req.session.userId, { current: req.session });
    const { expiresAt } = new Session(req.session);
    res.json({ devices: devices.map(({ hash, current }) => ({ hash, current })), expiresAt });
  });
}

/** Counts failed logins, although the request fails. */
export function countFailures(app, isRight) {
  app.post("/login", (req, res, next) => {
    if (isRight(req.body)) return next();
    req.session.failures = (req.session.failures ?? 0) + 1;
    req.session.save((error) => next(error ?? new Error("Wrong password")));
  });
  app.use(abortSession);
}

/** Refuses forms of other sites. */
export function refuseOtherSites(app, sessions) {
  const session = expressSession(sessions, { compat: true });
  app.use(express.urlencoded({ extended: false }));
  app.use(session);
  app.use((req, _res, next) => {
    session.verifyCsrf(req).then(() => next(), next);
  });

  app.get("/order", (req, res) => {
    res.send(
      `<form method="post"><input type="hidden" name="_csrf" value="${session.csrfToken(req)}">
       <button>Order</button></form>`,
    );
  });
}

/** Keeps what an anonymous visitor has put into the session. */
export function keepData(app, passport) {
  const keepCart = passport.authenticate("local", { keepSessionInfo: true });
  app.post("/login", keepCart, (req, res) => res.redirect(303, "/"));
}

/** Keeps a session of a shop beside that of an admin area. */
export function twoSessions(app, shops, secret) {
  const admins = new SessionMiddleware({ secret, key: "admin" });
  app.use(expressSession(shops, { compat: true }));
  app.use("/admin", expressSession(admins, { compat: true }));

  app.get("/admin", (req, res) => res.json([req.session.cart, req.admin.user]));
}

/** Uses the session in handlers of Socket.IO. */
export function sockets(io, sessions) {
  io.engine.use(expressSession(sessions, { compat: true }));

  io.on("connection", (socket) => {
    const req = socket.request;
    socket.on("count", () => {
      req.session.reload((error) => {
        if (error) return socket.disconnect();
        req.session.count = (req.session.count ?? 0) + 1;
        req.session.save();
      });
    });
  });
}
