/**
 * {@linkcode fastifySession}: sessions in Fastify apps, as `request.session`.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import { SessionError } from "../errors.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import type { NodeResponse } from "./_node/held_response.ts";
import { withoutHeaders } from "./_node/middleware.ts";
import { findSession, openSession, placeOf, type RequestSession } from "./_node/request_session.ts";

export type { NodeRequest, NodeResponse };

/** The part of Fastify's `FastifyRequest` that the plugin uses. */
export interface FastifyRequest {
  /** Node's request. */
  readonly raw: NodeRequest;
}

/** The part of Fastify's `FastifyReply` that the plugin uses. */
export interface FastifyReply {
  /** Node's response. */
  readonly raw: NodeResponse & {
    /** Whether the response has been written. */
    readonly writableEnded: boolean;
  };
  /** Whether the response has ended, or was taken over by `hijack()`. */
  readonly sent: boolean;
  /** The log of the request. */
  readonly log: {
    /** Logs an error. */
    error(details: { err: unknown }, message: string): void;
  };
  /** Returns all headers, by lower-case names. */
  getHeaders(): Readonly<Record<string, unknown>>;
  /** Removes a header. */
  removeHeader(name: string): unknown;
  /** Sets a header, or adds a `Set-Cookie`. */
  header(name: string, value: unknown): unknown;
  /** Sends a body, or the response to an error. */
  send(payload?: unknown): unknown;
}

/** The part of a Fastify instance that the plugin uses. */
export interface FastifyApp {
  /** Whether requests have a property of this name. */
  hasRequestDecorator(name: string): boolean;
  /** Adds a property to all requests. */
  decorateRequest(name: string, property: { getter(this: FastifyRequest): unknown }): unknown;
  /** Calls a function when a request arrives, or before its body is validated. */
  addHook(
    name: "onRequest" | "preValidation",
    hook: (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void,
  ): unknown;
  /** Calls a function when a request has failed. */
  addHook(
    name: "onError",
    hook: (request: FastifyRequest, reply: FastifyReply, error: Error, done: () => void) => void,
  ): unknown;
}

/** A plugin for Fastify. Its method `of` returns a request's session. */
export interface FastifySession<Data extends object = Record<string, unknown>> {
  /** The plugin: `await app.register(session)`. */
  (app: FastifyApp, options: unknown, done: (error?: Error) => void): void;
  /**
   * Returns the session of a request, the same as `request.session`.
   *
   * @throws {TypeError} If the session was not opened, or not yet.
   */
  of(request: FastifyRequest): Session<Data>;
}

/** The middlewares of an instance and of those around it, by place. Instances inherit it. */
const PLACES = Symbol("places");
type Places = Readonly<Record<string, unknown>>;

/**
 * Creates a plugin for Fastify 4 and 5: `request.session` is the request's {@linkcode Session}. With
 * the option `key`, it is `request[key]`. The plugin applies to the instance that registers it and
 * to all routes and plugins inside, so register it before the plugins that use the session.
 *
 * The session is saved before the first byte of the response is sent, whichever way it is sent:
 * `reply.send`, a returned value, a stream, `reply.hijack()` or `reply.raw`. If anything throws, or
 * the body does not match its schema, the request saves nothing, whatever your error handler sends.
 *
 * If a session cannot be read or saved, Fastify's error handling gets a {@linkcode SessionError}:
 * `onError` hooks, then the handler of `setErrorHandler`. By default, Fastify logs it and responds
 * with its `status`. If the app is still writing the response at that time, the client gets a
 * response without a body, and the error is logged.
 *
 * The session of a WebSocket's handshake is read-only.
 *
 * @example A visit counter
 * ```ts ignore
 * import fastify from "fastify";
 * import { type Session, SessionMiddleware } from "@pagi/session";
 * import { fastifySession } from "@pagi/session/fastify";
 *
 * type Data = { visits: number };
 * declare module "fastify" {
 *   interface FastifyRequest {
 *     session: Session<Data>;
 *   }
 * }
 *
 * const sessions = new SessionMiddleware<Data>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * const app = fastify();
 * await app.register(fastifySession(sessions));
 * app.get("/", ({ session }) => {
 *   session.update("visits", (visits = 0) => visits + 1);
 *   return `Visit ${session.get("visits")}`;
 * });
 * await app.listen({ port: 3000 });
 * ```
 *
 * @example Without a type declaration
 * ```ts ignore
 * const session = fastifySession(sessions);
 * await app.register(session);
 * app.get("/", (request) => `Visits ${session.of(request).get("visits", 0)}`);
 * ```
 */
export function fastifySession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): FastifySession<Data> {
  checkMiddleware("fastifySession", sessions);
  const place = placeOf(sessions);

  const of = (request: FastifyRequest): Session<Data> => {
    const own = findSession(request.raw, sessions);
    if (own !== undefined) return own.session;
    throw new TypeError(
      `Cannot read request.${place}: the session was not opened. Register fastifySession before the ` +
        "plugins, hooks and routes that use it",
    );
  };

  const plugin = (
    app: FastifyApp & { [PLACES]?: Places },
    _options: unknown,
    done: (error?: Error) => void,
  ): void => {
    const places = app[PLACES] ?? {};
    if (places[place] === sessions) return done();
    if (app.hasRequestDecorator(place)) return done(placeTaken(`request.${place}`));
    app[PLACES] = { ...places, [place]: sessions };
    app.decorateRequest(place, {
      getter() {
        return of(this);
      },
    });
    // The first kind of hook that runs: the hooks of other plugins, the parsers and the validation can
    // use the session. If one of them fails, `onError` knows what to discard.
    app.addHook("onRequest", (request, reply, next) => {
      // Express middleware may have opened it.
      const own = findSession(request.raw, sessions);
      if (own !== undefined) return own.run(next);
      open(sessions, request, reply).then((own) => {
        if (own.response === undefined) own.run(next);
        else reply.send(own.response);
      }).catch(next);
    });
    // Parsing the body has left the context of `run`.
    app.addHook("preValidation", ({ raw }, _reply, next) => findSession(raw, sessions)!.run(next));
    // Runs before all error handlers, so that no response of theirs saves the session. It must not be
    // asynchronous: if an async handler has called `reply.send(error)` without `return`, Fastify would
    // send something else in the meantime, and throw.
    app.addHook("onError", (request, reply, error, next) => {
      findSession(request.raw, sessions)?.abort(error).catch(() => {});
      takeHeaders(error, reply);
      next();
    });
    done();
  };

  return Object.assign(plugin, {
    of,
    // The hooks and the property belong to the instance that registers the plugin.
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "@pagi/session",
    [Symbol.for("plugin-meta")]: { name: "@pagi/session", fastify: "4.x || 5.x" },
  });
}

/** Opens the session of a request, and saves it before anything of the response is sent. */
async function open<Data extends object>(
  sessions: SessionMiddleware<Data>,
  { raw: req }: FastifyRequest,
  reply: FastifyReply,
): Promise<RequestSession<Data>> {
  const { raw } = reply;
  const initial = ownHeaders(reply);
  const fail = (error: unknown) => {
    if (reply.sent) return failSent(reply, error);
    resetHeaders(reply, initial);
    takeOver(reply).send(withoutHeaders(error));
  };
  const own = await openSession(sessions, req, raw, { fail });
  raw.once("close", () => {
    // Bytes that a hijacked response wrote to the socket were not held.
    if (isHijacked(reply) && !raw.headersSent) own.saveLate().catch(fail);
  });
  return own;
}

/** Reports a save that failed after the app has taken over the response, or while it streams. */
function failSent({ raw, log }: FastifyReply, error: unknown): void {
  log.error({ err: error }, "The session was not saved, so the response was discarded");
  if (raw.headersSent || raw.destroyed) return;
  raw.statusCode = error instanceof SessionError ? error.status : 500;
  raw.end();
}

/**
 * Returns a reply for the error page. The handler may still be running: if it has called `send` without
 * `return`, Fastify would send an empty response when it ends. For its own reply, all was sent.
 */
function takeOver(reply: FastifyReply): FastifyReply {
  const page: FastifyReply = Object.create(reply, {
    sent: { get: () => Reflect.get(Object.getPrototypeOf(reply), "sent", page) },
  });
  // The handler has set them for its own response.
  for (const symbol of Object.getOwnPropertySymbols(reply)) {
    if (OWN_PARTS.includes(symbol.description!)) Object.assign(page, { [symbol]: null });
  }
  Object.defineProperty(reply, "sent", { value: true });
  return page;
}

/** Fastify's names of the trailers and of the serializer of a reply. */
const OWN_PARTS = ["fastify.reply.trailers", "fastify.reply.serializer"];

function isHijacked({ sent, raw }: FastifyReply): boolean {
  return sent && !raw.writableEnded;
}

/** Returns the headers that Fastify keeps until it sends the response. */
function ownHeaders(reply: FastifyReply): [name: string, value: unknown][] {
  const all = Object.entries(reply.getHeaders());
  return all.filter(([name, value]) => reply.raw.getHeader(name) !== value);
}

/** Leaves the headers that were there before the session was opened, and those of the session. */
function resetHeaders(reply: FastifyReply, initial: [name: string, value: unknown][]): void {
  const kept = Object.entries(reply.raw.getHeaders());
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
  for (const [name, value] of [...initial, ...kept]) reply.header(name, value);
}

/**
 * Puts the headers of a session error onto the response. Fastify would take the list of pairs for an
 * object with headers.
 */
function takeHeaders(error: unknown, reply: FastifyReply): void {
  if (!(error instanceof SessionError) || error.headers.length === 0) return;
  for (const [name, value] of error.headers) reply.header(name, value);
  Object.defineProperty(error, "headers", { value: [] });
}
