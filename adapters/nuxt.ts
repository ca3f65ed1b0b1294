/**
 * {@linkcode nuxtSession}: sessions in Nuxt 4 apps, as `event.context.session`.
 *
 * @module
 */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import { checkMiddleware, isObject, placeTaken } from "../base/check_options.ts";
import { SessionError } from "../errors.ts";
import type { NodeRequest, OpenSession, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { answerNode } from "./_node/answer.ts";
import { holdResponse, type NodeResponse } from "./_node/held_response.ts";
import { sendResponse } from "./_node/send_response.ts";

/** The part of the event of h3 1 that the plugin uses. */
export interface NuxtEvent {
  /** Node's own request and response, or stand-ins for them. */
  readonly node: {
    /** The request. */
    readonly req: NodeRequest;
    /** The response. */
    readonly res: NodeResponse;
  };
  /** The values of the request, in which handlers find the session. */
  context: object;
}

/** The part of a Nitro app that the plugin uses. */
export interface NuxtNitroApp {
  /** The h3 app. */
  readonly h3App: {
    /** Handles all requests. */
    handler: (event: never) => unknown;
  };
  /** Tells the hook `error` of an error. */
  captureError(error: Error, context: object): unknown;
}

/** A Nitro plugin. Its method `of` returns a request's session. */
export interface NuxtSession<Data extends object = Record<string, unknown>> {
  /** The plugin. */
  (nitroApp: NuxtNitroApp): void;
  /**
   * Returns the session of a request, the same as `event.context.session`.
   *
   * @throws {TypeError} If the request has no session, because the plugin is missing or the request
   * is for a file of `/_nuxt/`.
   */
  of(event: NuxtEvent): Session<Data>;
}

/** The sessions of a request, by middleware. Nitro may copy the context, with this property. */
const OPENED = Symbol("opened");

interface MarkedContext {
  [OPENED]?: Map<unknown, unknown>;
}

/**
 * Creates a plugin for the Nitro server of Nuxt 4: `event.context.session` is the request's
 * {@linkcode Session}. With the option `key`, it is `event.context[key]`. The session is saved before
 * the first byte of the response.
 *
 * If a handler or a page throws, no session changes of the request are saved, unless
 * `await session.save()` has saved them. If a session cannot be read or saved, the client gets the
 * same response as from `sessions.handler`, and Nitro's hook `error` gets the error.
 *
 * A page that calls `useFetch` on the server, and a handler that calls `event.$fetch`, share their
 * session with the handler that they call. Files of `/_nuxt/` have no session.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example `server/plugins/session.ts`
 * ```ts ignore
 * import { SessionMiddleware } from "@pagi/session";
 * import { nuxtSession } from "@pagi/session/nuxt";
 *
 * const sessions = new SessionMiddleware<{ name: string }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * export default nuxtSession(sessions);
 * ```
 */
export function nuxtSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): NuxtSession<Data> {
  checkMiddleware("nuxtSession", sessions);
  const { key: place = "session" } = sessions;
  const find = (context: MarkedContext | undefined) =>
    context?.[OPENED]?.get(sessions) as Session<Data> | undefined;
  const note = (context: MarkedContext & Record<string, unknown>, session: Session<Data>) => {
    (context[OPENED] ??= new Map()).set(sessions, session);
    context[place] = session;
  };
  const plugin = (nitroApp: NuxtNitroApp): void => {
    const handler = nitroApp.h3App.handler as (event: NuxtEvent) => unknown;
    nitroApp.h3App.handler = async (event: NuxtEvent): Promise<unknown> => {
      const { req, res } = event.node;
      if (req.url?.startsWith("/_nuxt/")) return await handler(event);
      const context = event.context as Record<string, unknown>;
      const outer = find(context) ?? find(outerContext(req));
      if (outer !== undefined) {
        // The outer request saves the session.
        note(context, outer);
        return await handler(event);
      }
      const before = { ...res.getHeaders() };
      if (context[place] !== undefined) throw placeTaken(`event.context.${place}`);
      const capture = (error: unknown) =>
        nitroApp.captureError(error as Error, { event, tags: ["request"] });
      /** Sends the response to a session error. Rejects with any other error. */
      const answer = async (error: unknown, open?: OpenSession<Data>): Promise<void> => {
        const response = await answerNode(sessions, error, req);
        capture(error);
        if (!res.headersSent) restore(res, before);
        await open?.commit(response.headers);
        await sendResponse(response, req, res);
      };
      const fail = (error: unknown) =>
        answer(error).catch(() => {
          capture(error);
          return sendResponse(new Response(null, { status: 500 }), req, res);
        });
      let open: OpenSession<Data>;
      try {
        open = await sessions.open(req);
      } catch (error) {
        return await answer(error);
      }
      note(context, open.session);
      let saved: Awaitable<void> = undefined;
      let noteAnswered = () => {};
      const answered = new Promise<void>((resolve) => noteAnswered = resolve);
      holdResponse(res, {
        save(headers) {
          try {
            const committed = open.commit(headers);
            saved = isPromise(committed) ? committed.catch(() => answered) : undefined;
            return committed;
          } catch (error) {
            saved = answered;
            throw error;
          }
        },
        errorHead: (error) => error instanceof SessionError ? error : { status: 500, headers: [] },
        fail: (error) => void fail(error).catch(() => {}).finally(noteAnswered),
      });
      try {
        if (open.response !== undefined) return await sendResponse(open.response, req, res);
        return await open.run(() => handler(event));
      } catch (error) {
        await open.abort(error);
        return await answer(sessionErrorOf(error), open);
      } finally {
        // The stand-in for a response is read when the handler has returned.
        await saved;
      }
    };
  };
  return Object.assign(plugin, {
    of(event: NuxtEvent): Session<Data> {
      const session = find(event.context);
      if (session !== undefined) return session;
      throw new TypeError(
        "Cannot find the session: is nuxtSession a plugin in server/plugins? Files of /_nuxt/ have none",
      );
    },
  });
}

/** The context of the event whose handler has made this request, without the network. */
function outerContext(req: object): object | undefined {
  return (req as { __unenv__?: object }).__unenv__;
}

function restore(res: NodeResponse, headers: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(res.getHeaders())) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) {
    res.setHeader(name, value as string | string[]);
  }
}

/** Returns the error of a session that Nuxt has wrapped in the error of a page. */
function sessionErrorOf(error: unknown): unknown {
  return isObject(error) && error.cause instanceof SessionError ? error.cause : error;
}
