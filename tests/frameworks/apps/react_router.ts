import { reactRouterSession } from "@pagi/session/react-router";
import { createRequestHandler, data, redirect, type RouterContextProvider } from "react-router";
import { bodyOf, toResponse } from "./_fetch.ts";
import { announce, answer, paths, sessions } from "./_work.ts";

const { session, middleware, handleError } = reactRouterSession(sessions);

type Loader = (args: { request: Request; context: RouterContextProvider }) => unknown;

const handle: Loader = async ({ request, context }) => {
  const reply = (await answer({
    url: request.url,
    session: context.get(session),
    body: bodyOf(request),
    refuse: (status) => data("refused", status),
  }))!;
  const { kind, text, status, headers } = reply;
  return kind === "redirect" ? redirect(text, { status, headers }) : toResponse(reply);
};

// The module that React Router's bundler creates from a folder of routes. These are resource
// routes, which need no React.
const routes = paths.map((path) => {
  const id = `routes${path}`;
  const module = { loader: handle, action: handle };
  return [id, { id, parentId: "root", path: path.slice(1), module }] as const;
});
const build = {
  entry: {
    module: {
      default: (_request: Request, status: number) => new Response("page", { status }),
      handleError: handleError(() => {}),
    },
  },
  routes: {
    root: { id: "root", path: "", module: { middleware: [middleware] } },
    ...Object.fromEntries(routes),
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
