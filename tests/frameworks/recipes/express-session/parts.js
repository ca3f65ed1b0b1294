/** Parts of apps that docs/how-to/frameworks/express-session.md shows. */
import { Session, SessionMiddleware } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";

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
  app.get("/order", (req, res) => {
    const token = new Session(req.session).csrfToken();
    res.send(
      `<form method="post"><input type="hidden" name="_csrf" value="${token}"> <button>Order</button></form>`,
    );
  });

  app.post("/order", (req, res, next) => {
    sessions.verifyCsrf(req, req.session).then(() => {
      req.session.orders = (req.session.orders ?? 0) + 1;
      res.send("Ordered");
    }).catch(next);
  });

  app.get("/devices", async (req, res) => {
    const devices = await sessions.list(req.session.userId, { current: req.session });
    res.json(devices.map(({ hash, current }) => ({ hash, current })));
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
