import { createRequestHandler, redirect, type RouterContextProvider } from "react-router";
import { reactRouterSession } from "../recipes/react_router.ts";
import { announce, eventOf, ownHeaders, partsAsStream, paths, sessions, work } from "./_work.ts";

const { session, middleware } = reactRouterSession(sessions);

type Loader = (args: { context: RouterContextProvider }) => unknown;

const loaders: Record<string, Loader> = {
  "/headers-then-fails": async ({ context }) =>
    new Response(await work["/store-fails"]!(context.get(session)), { headers: ownHeaders }),
  "/redirect": async ({ context }) => {
    await work["/visit"]!(context.get(session));
    return redirect("/read");
  },
  "/throw": async ({ context }) => {
    await work["/visit"]!(context.get(session));
    throw new Error("boom");
  },
  "/stream": async ({ context }) => {
    await work["/visit"]!(context.get(session));
    return new Response(partsAsStream(context.get(session)));
  },
  "/events": ({ context }) =>
    new Response(eventOf(context.get(session)), {
      headers: { "content-type": "text/event-stream" },
    }),
};
for (const path of paths) {
  loaders[path] = async ({ context }) => new Response(await work[path]!(context.get(session)));
}

// The module that React Router's bundler creates from a folder of routes. These are resource
// routes, which need no React.
const routes = Object.entries(loaders).map(([path, loader]) => {
  const id = `routes${path}`;
  return [id, { id, parentId: "root", path: path.slice(1), module: { loader } }] as const;
});
const build = {
  entry: {
    module: { default: (_request: Request, status: number) => new Response("page", { status }) },
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
const handle = createRequestHandler(build as never, "production");
Deno.serve({ port: 0, onListen: ({ port }) => announce(port) }, (request) => handle(request));
