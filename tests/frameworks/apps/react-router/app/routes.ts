import { index, route } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"),
  route("login", "routes/login.ts"),
  route("logout", "routes/logout.ts"),
  route("account", "routes/account.tsx"),
  route("broken", "routes/broken.tsx"),
  route("forbidden", "routes/forbidden.tsx"),
  route("saved-then-broken", "routes/saved-then-broken.tsx"),
  route("interrupted", "routes/interrupted.tsx"),
  route("failing", "routes/failing.tsx"),
  route("stream", "routes/stream.tsx"),
];
