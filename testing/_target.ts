/** Finds out what a visitor is to call, and calls it with a fetch request. */
import { isObject, kindOf } from "../base/check_options.ts";
import type { App } from "../pagi.ts";
import { fetchFromNode, type NodeListener, type NodeServer } from "./_node_app.ts";
import { fetchFromPagi } from "./_pagi_app.ts";

/** The parameters of a PAGI app: scope, receive and send. */
const PAGI_PARAMETERS = 3;

type Method = (...args: unknown[]) => unknown;

/**
 * Calls `target` with a request.
 *
 * @throws {TypeError} If it is not something that responds to requests.
 */
export async function callTarget(target: unknown, request: Request): Promise<Response> {
  if (typeof target === "string" || target instanceof URL) {
    return await fetchFromUrl(new URL(target), request);
  }
  const has = (name: string) =>
    (isObject(target) || typeof target === "function") &&
    typeof (target as unknown as Record<string, unknown>)[name] === "function";
  const call = (name: string, ...args: unknown[]) =>
    (target as Record<string, Method>)[name]!(...args);
  // Express and Connect.
  if (typeof target === "function" && has("handle") && has("use")) {
    return await fetchFromNode(target as NodeListener, request);
  }
  if (typeof target === "function") {
    if (target.length === PAGI_PARAMETERS) return await fetchFromPagi(target as App, request);
    return checkResponse(await target(request));
  }
  // Fastify.
  if (has("routing") && has("ready")) {
    await call("ready");
    return await fetchFromNode((req, res) => call("routing", req, res), request);
  }
  // Nest, which its own method `listen` would also initialize.
  if (has("getHttpServer") && has("init")) {
    await call("init");
    return await fetchFromNode(call("getHttpServer") as NodeServer, request);
  }
  if (has("fetch")) return checkResponse(await call("fetch", request));
  // Koa.
  if (has("callback")) return await fetchFromNode(call("callback") as NodeListener, request);
  // oak responds with undefined if no middleware does.
  if (has("handle")) {
    return checkResponse(await call("handle", request) ?? new Response(null, { status: 404 }));
  }
  if (has("listen") && has("address")) {
    return await fetchFromNode(target as unknown as NodeServer, request);
  }
  throw new TypeError(
    `Cannot visit the app: it is ${
      kindOf(target)
    }. Pass a fetch handler, an object with fetch, a ` +
      "PAGI app, an Express, Connect, Koa, Fastify or Nest app, an http.Server or a URL",
  );
}

async function fetchFromUrl(base: URL, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const url = new URL(`${base.pathname.replace(/\/$/, "")}${pathname}${search}`, base);
  const { method, headers } = request;
  const body = request.body === null ? undefined : await request.arrayBuffer();
  return await fetch(url, { method, headers, body, redirect: "manual" });
}

function checkResponse(response: unknown): Response {
  if (isObject(response) && "status" in response && "headers" in response) {
    return response as unknown as Response;
  }
  throw new TypeError(
    `Cannot visit the app: it must return a Response; it returned ${
      kindOf(response)
    }. A PAGI app ` +
      "must declare its three parameters. Wrap a listener of Node in http.createServer()",
  );
}
