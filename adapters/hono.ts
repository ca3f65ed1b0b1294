/**
 * {@linkcode honoSession}: sessions in Hono apps, as `c.get("session")`.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import { HandledFailure } from "../core/entry/handled_failure.ts";
import type { SessionMiddleware } from "../middleware.ts";
import { Session } from "../session.ts";

/**
 * The environment type of a Hono app with sessions: `new Hono<SessionEnv<Data>>()`. For a middleware
 * with the option `key`, add that: `SessionEnv<Shop> & SessionEnv<Admin, "admin">`.
 */
export interface SessionEnv<
  Data extends object = Record<string, unknown>,
  Key extends string = "session",
> {
  /** The variables that `c.get` and `c.var` return: the request's session. */
  Variables: { [K in Key]: Session<Data> };
}

/** The part of Hono's `Context` that the middleware uses. */
export interface HonoContext {
  /** Hono's request; `raw` is the fetch `Request`. */
  readonly req: { readonly raw: Request };
  /** The error that a handler threw, once Hono has turned it into a response. */
  readonly error: Error | undefined;
  /** The response. Setting it to undefined discards it. */
  res: Response | undefined;
  /** Returns the session that an outer session middleware has set. */
  get(key: string): unknown;
  /** Sets the session for the handlers. */
  set(key: string, session: unknown): void;
}

/** A middleware for Hono. */
export type HonoSession = (c: HonoContext, next: () => Promise<void>) => Promise<void>;

/** The middlewares that have opened a session. */
const owners = new WeakMap<object, unknown>();

/**
 * Creates a middleware for Hono 4: `c.get("session")` is the request's {@linkcode Session}. With the
 * option `key`, it is `c.get(key)`. If a
 * session cannot be read or saved, the client gets the same response as from `sessions.handler`;
 * the option `onError` changes it. If a handler throws, no session changes of the request are
 * saved, even if `app.onError` returns a page.
 *
 * @example A visit counter
 * ```ts ignore
 * import { Hono } from "hono";
 * import { SessionMiddleware } from "@pagi/session";
 * import { honoSession, type SessionEnv } from "@pagi/session/hono";
 *
 * type Data = { visits: number };
 * const sessions = new SessionMiddleware<Data>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * const app = new Hono<SessionEnv<Data>>();
 * app.use(honoSession(sessions));
 * app.get("/", (c) => {
 *   const session = c.get("session").update("visits", (visits = 0) => visits + 1);
 *   return c.text(`Visit ${session.get("visits")}`);
 * });
 *
 * export default app;
 * ```
 */
export function honoSession<Data extends object>(sessions: SessionMiddleware<Data>): HonoSession {
  checkMiddleware("honoSession", sessions);
  const { key: place = "session" } = sessions;
  const respond = sessions.handler(
    async (_request, session, c: HonoContext, next: () => Promise<void>) => {
      owners.set(session, sessions);
      c.set(place, session);
      await next();
      // Hono has already turned the error into a response. Throwing discards the session's changes.
      if (c.error !== undefined) throw new HandledFailure(c.error, c.res!);
      return c.res!;
    },
  );
  return async (c, next) => {
    const present = c.get(place);
    if (present instanceof Session) {
      if (owners.get(present) !== sessions) throw placeTaken(`c.get("${place}")`);
      return await next();
    }
    const response = await respond(c.req.raw, c, next);
    if (response === c.res) return;
    // Otherwise Hono would copy the headers of the old response over those of the new one.
    c.res = undefined;
    c.res = response;
  };
}
