/**
 * {@linkcode nestSession}: sessions in Nest apps, as `request.session`.
 *
 * @module
 */
import { checkMiddleware, placeTaken } from "../base/check_options.ts";
import { SessionError } from "../errors.ts";
import type { NodeRequest, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { sendAnswer } from "./_node/answer.ts";
import { isNodeResponse, type NodeResponse } from "./_node/held_response.ts";
import { type Next, nodeSession } from "./_node/middleware.ts";
import { abortSessions, findSession, placeOf } from "./_node/request_session.ts";

export type { NodeRequest, NodeResponse };

/** A request of Nest on Express, or on Fastify, where `raw` is Node's request. */
export type NestRequest = NodeRequest | { readonly raw: NodeRequest };

/** The part of Nest's `ExecutionContext` and `ArgumentsHost` that the adapter uses. */
export interface NestHost {
  /** Returns the kind of app: "http", "ws", "rpc" or "graphql". */
  getType(): string;
  /** Returns an argument of the handler: the request, the response or `next`. */
  getArgByIndex(index: number): unknown;
}

/** The part of `INestApplication` that the adapter uses. */
export interface NestApplication {
  /** Adds a middleware. */
  use(middleware: (req: NodeRequest, res: Partial<NodeResponse>, next: Next) => void): unknown;
  /** Adds guards for all routes. */
  useGlobalGuards(...guards: { canActivate(context: NestHost): boolean }[]): unknown;
  /** Adds exception filters for all routes. */
  useGlobalFilters(...filters: { catch(error: unknown, host: NestHost): unknown }[]): unknown;
  /** Returns the adapter for Express or Fastify. */
  getHttpAdapter(): {
    /** Returns the app of Express or Fastify. */
    getInstance(): unknown;
  };
}

/** Sessions for a Nest app. */
export interface NestSession<Data extends object = Record<string, unknown>> {
  /**
   * Adds the session to an app. Call it before `app.use()` of middleware that needs the session, and
   * before `app.listen()`.
   *
   * @throws {TypeError} If another middleware has the same place in an app on Fastify.
   */
  install(app: NestApplication): void;
  /**
   * Returns the session of a request, the same as `request.session`.
   *
   * @throws {TypeError} If the request has not come through the middleware.
   */
  of(request: NestRequest): Session<Data>;
}

/**
 * Creates sessions for Nest 10 and 11, on Express or Fastify: `request.session` is the request's
 * {@linkcode Session}, and the parameter decorator `@Session()` returns it. With the option `key`, it
 * is `request[key]`.
 *
 * An exception saves nothing, whichever exception filter responds to it, and whether a handler, pipe,
 * interceptor, guard or middleware threw it. A response with a status of 500 or more saves nothing
 * either. To save in spite of an exception, call `await session.save()` before it. If a session cannot
 * be read or saved, the client gets the same response as from `sessions.handler`; the option `onError`
 * of `SessionMiddleware` changes it.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example A visit counter
 * ```ts ignore
 * import { Controller, Get, Module, Session } from "@nestjs/common";
 * import { NestFactory } from "@nestjs/core";
 * import { type Session as PagiSession, SessionMiddleware } from "@pagi/session";
 * import { nestSession } from "@pagi/session/nest";
 *
 * type Data = { visits: number };
 * const sessions = new SessionMiddleware<Data>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * @Controller()
 * class VisitController {
 *   @Get()
 *   visit(@Session() session: PagiSession<Data>) {
 *     session.update("visits", (visits = 0) => visits + 1);
 *     return `Visit ${session.get("visits")}`;
 *   }
 * }
 *
 * @Module({ controllers: [VisitController] })
 * class AppModule {}
 *
 * const app = await NestFactory.create(AppModule);
 * nestSession(sessions).install(app);
 * await app.listen(3000);
 * ```
 */
export function nestSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): NestSession<Data> {
  checkMiddleware("nestSession", sessions);
  const apps = new WeakSet<NestApplication>();
  const { of } = nodeSession(sessions);
  return {
    install(app) {
      if (apps.has(app)) return;
      apps.add(app);
      const fastify = fastifyOf(app);
      if (fastify !== undefined) decorate(fastify, placeOf(sessions));
      app.use(nodeSession(sessions, { fail: failHere(sessions, fastify), isFailure }));
      app.useGlobalGuards(new HostObserver());
      app.useGlobalFilters(failureFilter(sessions));
    },
    of: (request) => of(nodeRequestOf(request)),
  };
}

function nodeRequestOf(request: NestRequest): NodeRequest {
  return "raw" in request ? request.raw as NodeRequest : request;
}

/** The part of a Fastify app that the adapter uses. */
interface Fastify {
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, accessor: { getter(this: unknown): unknown }): unknown;
}

function fastifyOf(app: NestApplication): Fastify | undefined {
  const instance = app.getHttpAdapter().getInstance() as Fastify;
  return typeof instance.decorateRequest === "function" ? instance : undefined;
}

/** Lets Fastify's request have the session of Node's. */
function decorate(fastify: Fastify, place: string): void {
  if (fastify.hasRequestDecorator(place)) throw placeTaken(`request.${place}`);
  fastify.decorateRequest(place, {
    getter() {
      return (this as { raw: Record<string, unknown> }).raw[place];
    },
  });
}

/** Responds to a session that cannot be read or saved, whatever exception filters the app has. */
function failHere<Data extends object>(
  sessions: SessionMiddleware<Data>,
  fastify: Fastify | undefined,
) {
  return (error: unknown, req: NodeRequest, res: Partial<NodeResponse>, next: Next): void => {
    if (!isNodeResponse(res)) return next(error);
    /** Passes an error on that is not a session's, or that no response can tell. */
    const report = (failure: unknown) => {
      // Fastify accepts one call of `next` only.
      const isPassedOn = findSession(req, sessions) !== undefined;
      if (!isPassedOn || fastify === undefined) return next(failure);
      if (res.headersSent || res.destroyed) return;
      res.statusCode = 500;
      res.end();
    };
    if (res.headersSent || res.destroyed) return report(error);
    sendAnswer(sessions, error, req, res).catch(report);
  };
}

/** Matches the errors that `sessions.answer` makes a response of. */
class Failure {
  static [Symbol.hasInstance](error: unknown): boolean {
    return error instanceof SessionError && error.status !== 500;
  }
}

/** Creates the exception filter for sessions that fail in a handler. */
function failureFilter<Data extends object>(sessions: SessionMiddleware<Data>) {
  class SessionFailureFilter {
    async catch(error: unknown, host: NestHost): Promise<void> {
      // Those of GraphQL make a response of the error themselves.
      if (host.getType() !== "http") throw error;
      const req = nodeRequestOf(host.getArgByIndex(0) as NestRequest);
      const reply = host.getArgByIndex(1) as NodeResponse & { raw?: NodeResponse; hijack?(): void };
      reply.hijack?.();
      await sendAnswer(sessions, error, req, reply.raw ?? reply);
    }
  }
  // The decorator @Catch(Failure) does the same.
  (Reflect as typeof Reflect & { defineMetadata: DefineMetadata })
    .defineMetadata("__filterCatchExceptions__", [Failure], SessionFailureFilter);
  return new SessionFailureFilter();
}

type DefineMetadata = (key: string, value: unknown, target: object) => void;

/** The classes of Nest whose objects tell of an exception. */
const observed = new WeakSet<object>();
let isObserving = false;

/**
 * A guard that observes Nest's class for the arguments of a request. Nest creates an object of it for
 * each guard and interceptor, with the handler, and for exception filters, without one. A filter needs
 * that object to find the response. So its first use tells of an exception that nothing has handled.
 * Nest has no other hook that runs before every filter.
 */
class HostObserver {
  canActivate(context: NestHost): boolean {
    const prototype = Object.getPrototypeOf(context);
    if (observed.has(prototype)) return true;
    observed.add(prototype);
    isObserving = true;
    const { getArgByIndex } = prototype;
    for (const name of ["getArgs", "getArgByIndex", "switchToHttp"]) {
      const method = prototype[name];
      prototype[name] = function (this: ObservedHost, ...args: unknown[]) {
        if (isForFilter(this)) void abortSessions(nodeRequestOf(getArgByIndex.call(this, 0)));
        return method.apply(this, args);
      };
    }
    return true;
  }
}

interface ObservedHost extends NestHost {
  getHandler(): unknown;
}

function isForFilter(host: ObservedHost): boolean {
  return host.getType() === "http" && host.getHandler() === null;
}

/**
 * Whether the status says that the handler failed. Before the first guard has run, exceptions of
 * middleware cannot be observed.
 */
function isFailure({ statusCode }: NodeResponse): boolean {
  return statusCode >= (isObserving ? 500 : 400);
}
