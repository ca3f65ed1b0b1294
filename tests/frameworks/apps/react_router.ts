import { reactRouterSession } from "@pagi/session/react-router";
import {
  createRequestHandler,
  type MiddlewareFunction,
  redirect,
  type RouterContextProvider,
} from "react-router";
import { bodyOf, toResponse } from "./_fetch.ts";
import { adminSessions, announce, answer, paths, report, sessions } from "./_work.ts";

type Loader = (args: { request: Request; context: RouterContextProvider }) => unknown;
type Middleware = MiddlewareFunction<Response>;

const own = reactRouterSession(sessions);
const admin = reactRouterSession(adminSessions);

/** Answers with the work of a path. Below a sub-app, there are two sessions. */
const handle: (isNested: boolean) => Loader = (isNested) => async ({ request, context }) => {
  const reply = (await answer({
    url: request.url,
    session: context.get(own.session as never),
    admin: isNested ? context.get(admin.session as never) : undefined,
    body: bodyOf(request),
    refuse: (status) => Object.assign(new Error("refused"), { status }),
  }))!;
  const { kind, text, status, headers } = reply;
  return kind === "redirect" ? redirect(text, { status, headers }) : toResponse(reply);
};

// The module that React Router's bundler creates from a folder of routes. These are resource
// routes, which need no React.
const routesBelow = (parentId: string) =>
  paths.map((path) => {
    const id = `${parentId}${path}`;
    const loader = handle(parentId !== "root");
    return [id, { id, parentId, path: path.slice(1), module: { loader, action: loader } }] as const;
  });
const layout = (id: string, middleware: unknown[]) =>
  [id, { id, parentId: "root", path: id, module: { middleware } }] as const;
/** The root's middleware is outside of all others, so it decides about the order. */
const middleware: Middleware = (args, next) =>
  new URL(args.request.url).pathname.startsWith("/outer/")
    ? admin.middleware(args as never, () => own.middleware(args as never, next))
    : own.middleware(args as never, next);
const build = {
  entry: {
    module: {
      default: (_request: Request, status: number) => new Response("page", { status }),
      handleError: own.handleError(admin.handleError(report)),
    },
  },
  routes: {
    root: { id: "root", path: "", module: { middleware: [middleware] } },
    ...Object.fromEntries([
      layout("inner", [own.middleware, admin.middleware]),
      layout("outer", []),
      ...["root", "inner", "outer"].flatMap(routesBelow),
    ]),
  },
  assets: { entry: { imports: [], module: "" }, routes: {}, url: "", version: "" },
  publicPath: "/",
  assetsBuildDirectory: "",
  basename: "/",
  future: {},
  ssr: true,
  isSpaMode: false,
  prerender: [],
  routeDiscovery: { mode: "initial", manifestPath: "/__manifest" },
};
const serve = createRequestHandler(build as never, "production");
Deno.serve({ port: 0, onListen: ({ port }) => announce(port) }, (request) => serve(request));
