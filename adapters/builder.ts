/**
 * {@linkcode builder}: composes PAGI apps from middleware, as PAGI::Middleware::Builder does.
 *
 * @module
 */
import { hasMethods } from "../base/check_options.ts";
import { type SessionApp, SessionMiddleware, type SessionOptions } from "../middleware.ts";
import type { App, Middleware, Scope } from "../pagi.ts";

/** A middleware class. {@linkcode Builder.enable} creates its instance once. */
export type MiddlewareClass<Options> = new (options: Options) => Middleware;

/** A function that wraps middleware around an app. */
export type Wrapper = (app: App) => App;

/** A value that `enable` accepts: the name, class or instance of a middleware, or a function. */
export type Enableable<Options> = "Session" | MiddlewareClass<Options> | Middleware | Wrapper;

/** The middleware that can be enabled by name, as in PAGI. */
const BUILT_IN: Record<string, MiddlewareClass<never>> = { Session: SessionMiddleware };

/** Collects middleware and mounted apps. {@linkcode builder} passes one to its callback. */
export class Builder {
  readonly #wrappers: Wrapper[] = [];
  readonly #mounts: { prefix: string; app: App }[] = [];

  /** Adds the session middleware. */
  enable(name: "Session", options: SessionOptions): this;
  /** Adds middleware by its class, which is constructed with the options. */
  enable<Options>(middleware: MiddlewareClass<Options>, options: Options): this;
  /** Adds an instance of middleware, or a function. */
  enable(middleware: Middleware | Wrapper): this;
  enable(middleware: Enableable<never>, options?: unknown): this {
    this.#wrappers.push(wrapperOf(middleware, options));
    return this;
  }

  /** Adds the session middleware for scopes for which `condition` returns true. */
  enableIf(condition: (scope: Scope) => boolean, name: "Session", options: SessionOptions): this;
  /** Adds middleware, by its class and options, for scopes for which `condition` returns true. */
  enableIf<Options>(
    condition: (scope: Scope) => boolean,
    middleware: MiddlewareClass<Options>,
    options: Options,
  ): this;
  /** Adds an instance or a function for scopes for which `condition` returns true. */
  enableIf(condition: (scope: Scope) => boolean, middleware: Middleware | Wrapper): this;
  enableIf(
    condition: (scope: Scope) => boolean,
    middleware: Enableable<never>,
    options?: unknown,
  ): this {
    if (typeof condition !== "function") {
      throw new TypeError(
        "Cannot enable middleware: the condition must be a function of the scope",
      );
    }
    const wrap = wrapperOf(middleware, options);
    this.#wrappers.push((app) => {
      const wrapped = wrap(app);
      return (scope, receive, send) => (condition(scope) ? wrapped : app)(scope, receive, send);
    });
    return this;
  }

  /**
   * Routes requests at or below `path` to another app and moves `path` into `root_path`. The
   * longest matching path wins. All enabled middleware runs before the mounted apps.
   */
  mount<Data extends object = Record<string, unknown>>(path: string, app: SessionApp<Data>): this {
    if (typeof path !== "string" || typeof app !== "function") {
      throw new TypeError("Cannot mount: it takes a path and an app");
    }
    const prefix = `/${path.replace(/^\/+|\/+$/g, "")}`;
    this.#mounts.push({ prefix: prefix === "/" ? "" : prefix, app: app as App });
    return this;
  }

  /** Returns the app with all middleware around it. The first one enabled is the outermost. */
  toApp<Data extends object = Record<string, unknown>>(app: SessionApp<Data>): App {
    if (typeof app !== "function") {
      throw new TypeError("Cannot build the app: the callback must return an app, a function");
    }
    return this.#wrappers.reduceRight((inner, wrap) => wrap(inner), this.#route(app as App));
  }

  #route(fallback: App): App {
    if (this.#mounts.length === 0) return fallback;
    const mounts = this.#mounts.toSorted((a, b) => b.prefix.length - a.prefix.length);
    return (scope, receive, send) => {
      const { path } = scope;
      if (typeof path !== "string") return fallback(scope, receive, send);
      const mount = mounts.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
      if (mount === undefined) return fallback(scope, receive, send);
      const { prefix, app } = mount;
      const inner = {
        ...scope,
        path: path.slice(prefix.length) || "/",
        root_path: `${scope.root_path ?? ""}${prefix}`,
      };
      return app(inner, receive, send);
    };
  }
}

/**
 * Composes an app. The callback enables middleware, mounts apps and returns the app for all other
 * paths.
 *
 * @throws {TypeError} If a middleware is unknown or invalid, or if the callback does not return an
 * app.
 *
 * @example PAGI's synopsis
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type App, builder, type Event, Session } from "@pagi/session";
 *
 * const myApp: App = async (scope, _receive, send) => {
 *   new Session(scope).set("user_id", 123);
 *   await send({ type: "http.response.start", status: 200, headers: [] });
 * };
 * const app = builder((b) => {
 *   b.enable("Session", { secret: "replace this with: openssl rand -hex 32" });
 *   return myApp;
 * });
 *
 * const sent: Event[] = [];
 * const receive = () => Promise.resolve({ type: "http.request" });
 * await app({ type: "http", headers: [] }, receive, async (event) => void await sent.push(event));
 * assertEquals((sent[0]!.headers as string[][])[0]![0], "set-cookie");
 * ```
 */
export function builder<Data extends object = Record<string, unknown>>(
  compose: (b: Builder) => SessionApp<Data>,
): App {
  const b = new Builder();
  return b.toApp(compose(b));
}

function wrapperOf(middleware: Enableable<never>, options: unknown): Wrapper {
  if (typeof middleware === "string") {
    const builtIn = Object.hasOwn(BUILT_IN, middleware) ? BUILT_IN[middleware] : undefined;
    if (builtIn !== undefined) return wrapperOf(builtIn, options);
    const names = Object.keys(BUILT_IN).join(", ");
    throw new TypeError(
      `Cannot enable "${middleware}": there is ${names}; anything else ` +
        "goes in as a class, an instance or a function",
    );
  }
  if (isClass(middleware)) {
    const instance = new middleware(options as never);
    return (app) => instance.wrap(app);
  }
  if (options !== undefined) {
    throw new TypeError("Cannot enable middleware: options go with a name or a class only");
  }
  if (hasMethods(middleware, ["wrap"])) return (app) => (middleware as Middleware).wrap(app);
  if (typeof middleware === "function") return middleware as Wrapper;
  throw new TypeError(
    "Cannot enable middleware: expected a name, a class, an object with wrap, or a function",
  );
}

function isClass(middleware: unknown): middleware is MiddlewareClass<never> {
  // If `wrap` is a property of each instance, only the source tells a class from a function.
  return typeof middleware === "function" &&
    (typeof middleware.prototype?.wrap === "function" || /^class\b/.test(String(middleware)));
}
