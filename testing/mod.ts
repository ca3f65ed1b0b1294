/**
 * Tools for tests of your app: {@linkcode visitor} is a client with a session, and
 * {@linkcode testClock} is a clock that you move. Both work with any test runner, and without one.
 * `@pagi/session/testing/store` has tests for authors of stores.
 *
 * @example Test a page that needs a login
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SessionMiddleware } from "@pagi/session";
 * import { visitor } from "@pagi/session/testing";
 *
 * const sessions = new SessionMiddleware({ secret: "replace this with: openssl rand -hex 32" });
 * const handler = sessions.handler((_request, session) =>
 *   new Response(session.subject ?? "Sign in", { status: session.subject ? 200 : 401 })
 * );
 *
 * const ada = await visitor(sessions, { subject: "user-7" });
 * assertEquals((await ada.fetch(handler, "/account")).status, 200);
 * const nobody = await visitor(sessions);
 * assertEquals((await nobody.fetch(handler, "/account")).status, 401);
 * ```
 *
 * @module
 */
export { type TestClock, testClock } from "./clock.ts";
export {
  type Visitor,
  visitor,
  type VisitorInit,
  type VisitorOptions,
  type VisitorTarget,
} from "./visitor.ts";
