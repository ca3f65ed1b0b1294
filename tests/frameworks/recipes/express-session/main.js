import { SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import flash from "connect-flash";
import express from "express";
import passport from "passport";

const sessions = new SessionMiddleware({
  secret: "replace this with: openssl rand -hex 32",
});

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(expressSession(sessions, { compat: true }));
app.use(flash());
app.use(passport.session());

// From here on, it is the code that ran on express-session.
passport.serializeUser((user, done) => done(null, user.name));
passport.deserializeUser((name, done) => done(null, { name }));

app.get("/", (req, res) => {
  if (!req.isAuthenticated()) {
    return res.send(
      `<form method="post" action="/login"><input name="name"> <button>Sign in</button></form>`,
    );
  }
  res.send(
    `<p>${req.flash("info").join()}</p>
     <p>Hello, ${escapeHtml(req.user.name)}</p>
     <form method="post" action="/logout"><button>Sign out</button></form>`,
  );
});

app.post("/login", (req, res, next) => {
  // Check the password first, or let a strategy of Passport do that.
  req.login({ name: req.body.name }, (error) => {
    if (error) return next(error);
    req.flash("info", "Welcome back");
    res.redirect(303, "/");
  });
});

app.post("/logout", (req, res, next) => {
  req.session.destroy((error) => error ? next(error) : res.redirect(303, "/"));
});

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

app.listen(process.env.PORT ?? 3000);
