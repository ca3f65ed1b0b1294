/**
 * {@linkcode honoSession}: sessions in Hono apps, as `c.get("session")`.
 *
 * @module
 */
import type { SessionMiddleware } from "../middleware.ts";
import { Session } from "../session.ts";

/** What a Hono app with sessions is typed by: `new Hono<SessionEnv<Data>>()`. */
export interface SessionEnv<Data extends object = Record<string, unknown>> {
  /** What `c.get` and `c.var` know of. */
  Variables: {
    /** The request's session. */
    session: Session<Data>;
  };
}

/** What is needed of Hono's `Context`. */
export interface HonoContext {
  /** Hono's request; `raw` is the fetch one. */
  readonly req: { readonly raw: Request };
  /** What a handler threw, when Hono has made a response of it. */
  readonly error: Error | undefined;
  /** The response; set to undefined, it is forgotten. */
  res: Response | undefined;
  /** Finds the session of a middleware before this one. */
  get(key: "session"): unknown;
  /** Hands the session to the handlers. */
  set(key: "session", session: unknown): void;
}

/** A middleware for Hono. */
export type HonoSession = (c: HonoContext, next: () => Promise<void>) => Promise<void>;

/**
 * Middleware for Hono 4: `c.get("session")` is the request's {@linkcode Session}. A session that
 * fails is answered as `sessions.handler` answers it; the option `onError` changes that. When a
 * handler throws, nothing of its request is saved, whatever `app.onError` makes of it.
 *
 * @example A visit counter
 * ```ts ignore
 * import { Hono } from "hono";
 * import { SessionMiddleware } from "@pagi/session";
 * import { honoSession, type SessionEnv } from "@pagi/session/hono";
 *
 * type Data = { visits: number };
 * const sessions = new SessionMiddleware<Data>({ secret: "change me" });
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
  const respond = sessions.handler(
    async (_request, session, c: HonoContext, next: () => Promise<void>) => {
      c.set("session", session);
      await next();
      // Hono has answered it already; here it only has to be known that nothing is to be saved.
      if (c.error !== undefined) throw c.error;
      return c.res!;
    },
  );
  return async (c, next) => {
    if (c.get("session") instanceof Session) return await next();
    try {
      const response = await respond(c.req.raw, c, next);
      // Hono would put the headers of the earlier response over those of the later.
      c.res = undefined;
      c.res = response;
    } catch (error) {
      if (error !== c.error) throw error;
    }
  };
}
