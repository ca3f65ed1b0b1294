/**
 * A Nest app whose handlers, pipes, interceptors, guards and middleware sign somebody in and then throw,
 * with exception filters of every kind. It applies decorators by calling them, because Node does not
 * run them.
 */
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { nestSession } from "@pagi/session/nest";
import { setTimeout as delay } from "node:timers/promises";

/** A store behind a network. It fails for certain keys, and for sessions in trouble. */
class SlowStore {
  #inner = new MemoryStore();

  constructor() {
    for (const name of ["read", "create", "replace", "touch", "delete"]) {
      this[name] = async (id, ...rest) => {
        if (name === "read" && id === "d".repeat(32)) throw new Error("connection refused");
        await delay(3);
        const [text] = rest;
        if (typeof text === "string" && text.includes('"trouble":true')) {
          throw new Error("connection refused");
        }
        return this.#inner[name](id, ...rest);
      };
    }
  }
}

/** The events of the middleware, by type. */
const events = [];
const options = {
  secret: "a test's secret of 32 bytes or more",
  onEvent: ({ type }) => events.push(type),
};
const sessions = new SessionMiddleware({ ...options, store: new SlowStore() });
const admins = new SessionMiddleware({ ...options, store: new SlowStore(), key: "admin" });
const session = nestSession(sessions);
const admin = nestSession(admins);

/** Signs in, as a step that throws afterwards. */
function signIn(request) {
  session.of(request).subject = "ada";
  session.of(request).set("n", 1);
}

/**
 * Serves the app.
 *
 * @param nest The exports of `@nestjs/common` and `@nestjs/core`, and those of `rxjs`.
 * @param adapter The HTTP adapter; Nest's default is Express.
 */
export async function serve(nest, adapter) {
  const { Catch, Controller, Get, Injectable, Module, Req, Res, Scope, Session, Sse } = nest;
  const { StreamableFile, UnauthorizedException, UseFilters, UseGuards } = nest;
  const { UseInterceptors, UsePipes, from, map } = nest;

  const requestOf = (context) => context.switchToHttp().getRequest();
  const replyTo = (host, status, text) => {
    const reply = host.switchToHttp().getResponse();
    if (status === 302) return adapter ? reply.redirect("/who", 302) : reply.redirect("/who");
    reply.status(status).send(text);
  };

  /** Creates a filter that answers all errors, or those of one class, with this status. */
  const filter = (status, ...classes) => {
    class Filter {
      async catch(_error, host) {
        // Also one that is slow.
        if (status === 302) await delay(5);
        replyTo(host, status, "from a filter");
      }
    }
    Catch(...classes)(Filter);
    return new Filter();
  };

  /** What signs in and then throws, by the step of Nest. */
  const guard = (fail) => ({ canActivate: (context) => (signIn(requestOf(context)), fail()) });
  const boom = () => {
    throw new Error("boom");
  };
  const later = async () => {
    await delay(2);
    boom();
  };
  const steps = {
    handler: [],
    "async-handler": [],
    pipe: [UsePipes({ transform: (value) => value?.boom ? later() : value })],
    guard: [UseGuards(guard(boom))],
    "async-guard": [UseGuards(guard(later))],
    "guard-false": [UseGuards(guard(() => false))],
    "interceptor-before": [
      UseInterceptors({ intercept: (context) => (signIn(requestOf(context)), boom()) }),
    ],
    "interceptor-after": [
      UseInterceptors({
        intercept: (context, next) => {
          signIn(requestOf(context));
          return next.handle().pipe(map(boom));
        },
      }),
    ],
    unauthorized: [],
    refused: [],
    // Middleware does this, before any handler.
    "class-middleware": [],
  };

  const method = (target, name, decorators, parameters) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, name);
    for (const decorate of decorators) decorate(target, name, descriptor);
    parameters.forEach((decorate, i) => decorate(target, name, i));
  };

  /** Creates a controller with a route for every step, and these decorators. */
  const failing = (path, classDecorators, methodDecorators = [], options = {}) => {
    class Failing {}
    for (const [step, decorators] of Object.entries(steps)) {
      Failing.prototype[step] = function (request) {
        if (step === "pipe") throw new Error("the pipe has not run");
        if (step.startsWith("interceptor")) return "page";
        signIn(request);
        if (step === "unauthorized") throw new UnauthorizedException();
        if (step === "refused") return sessions.update("a".repeat(64), () => {});
        return step === "async-handler" ? later() : boom();
      };
      const parameter = step === "pipe"
        ? nest.createParamDecorator((_data, context) => {
          signIn(requestOf(context));
          return { boom: true };
        })()
        : Req();
      const all = [Get(step), ...decorators, ...methodDecorators];
      method(Failing.prototype, step, all, [parameter]);
    }
    for (const decorate of [Controller({ path, ...options }), ...classDecorators]) {
      decorate(Failing);
    }
    return Failing;
  };

  class Pages {
    who(session) {
      return session.subject ?? "nobody";
    }
    login(session) {
      session.subject = "ada";
      return "Welcome";
    }
    write(request) {
      signIn(request);
      return "page";
    }
    logout(session) {
      session.destroy();
      return "Bye";
    }
    logoutAndThrow(session) {
      session.destroy();
      throw new Error("boom");
    }
    async saveAndThrow(session) {
      await session.set("failures", 1).save();
      throw new UnauthorizedException();
    }
    failures(session) {
      return String(session.get("failures", 0));
    }
    trouble(session) {
      session.set("trouble", true);
      return "never sent";
    }
    res(request, reply) {
      signIn(request);
      reply.status(201).send("page");
    }
    raw(request, reply) {
      signIn(request);
      const raw = reply.raw ?? reply;
      reply.hijack?.();
      raw.writeHead(200, { "content-type": "text/plain" });
      raw.write("pa");
      setTimeout(() => raw.end("ge"), 5);
    }
    file(request) {
      signIn(request);
      return new StreamableFile(new TextEncoder().encode("page"));
    }
    events(request) {
      signIn(request);
      return from([{ data: "one" }, { data: "two" }]);
    }
    admin(request) {
      const [shop, back] = [session.of(request), admin.of(request)];
      back.set("role", "root");
      return [shop === request.session, back === request.admin, shop.exists("role")].join();
    }
    recovered(request) {
      signIn(request);
      throw new Error("boom");
    }
    redirect() {
      throw new Error("never called");
    }
    noted() {
      return JSON.stringify(events);
    }
  }
  /** Answers by itself, as Passport's guard does: its promise never settles. */
  const redirecting = {
    canActivate: (context) => {
      signIn(requestOf(context));
      replyTo(context, 302);
      return new Promise(() => {});
    },
  };
  const recovering = {
    intercept: (_context, next) => next.handle().pipe(nest.catchError(() => from(["recovered"]))),
  };
  const routes = {
    who: [Session()],
    login: [Session()],
    write: [Req()],
    logout: [Session()],
    logoutAndThrow: [Session()],
    saveAndThrow: [Session()],
    failures: [Session()],
    trouble: [Session()],
    res: [Req(), Res()],
    raw: [Req(), Res()],
    file: [Req()],
    admin: [Req()],
    recovered: [Req()],
    redirect: [],
    noted: [],
  };
  for (const [name, parameters] of Object.entries(routes)) {
    const more = name === "redirect"
      ? [UseGuards(redirecting)]
      : name === "recovered"
      ? [UseInterceptors(recovering)]
      : [];
    method(Pages.prototype, name, [Get(name), ...more], parameters);
  }
  method(Pages.prototype, "events", [Sse("events")], [Req()]);
  Controller()(Pages);

  const scoped = { scope: Scope.REQUEST };
  class Middleware {
    use(request, _response, next) {
      const raw = request.originalUrl ?? request.url;
      if (raw.startsWith("/functional")) return next();
      if (!raw.endsWith("/class-middleware")) return next();
      signIn(request);
      throw new Error("boom");
    }
  }
  Injectable()(Middleware);
  class SubModule {}
  Module({ controllers: [failing("default", [])] })(SubModule);
  class AppModule {
    configure(consumer) {
      consumer.apply(Middleware).forRoutes("/");
    }
  }
  Module({
    imports: [SubModule],
    controllers: [
      Pages,
      failing("own", [UseFilters(filter(500))]),
      failing("friendly", [UseFilters(filter(200))]),
      failing("redirecting", [UseFilters(filter(302))]),
      failing("method", [], [UseFilters(filter(200))]),
      failing("some", [UseFilters(filter(200, UnauthorizedException))]),
      failing("scoped", [UseFilters(filter(200))], [], scoped),
    ],
  })(AppModule);

  const app = adapter
    ? await nest.NestFactory.create(AppModule, adapter, { logger: false })
    : await nest.NestFactory.create(AppModule, { logger: false });
  session.install(app);
  session.install(app);
  admin.install(app);
  app.use((request, _response, next) => {
    if (request.url !== "/functional") return next();
    signIn(request);
    next(new Error("boom"));
  });
  if (process.env.FILTER !== undefined) app.useGlobalFilters(filter(Number(process.env.FILTER)));
  await app.listen(0, "127.0.0.1");
  console.log(`listening ${app.getHttpServer().address().port}`);
}
