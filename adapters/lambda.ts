/**
 * {@linkcode lambdaSession}: sessions in AWS Lambda functions behind API Gateway, a function URL or
 * an Application Load Balancer.
 *
 * @module
 */
import { Base64 } from "../base/base64.ts";
import { checkMiddleware, isObject } from "../base/check_options.ts";
import type { NodeRequest, OpenSession, SessionMiddleware } from "../middleware.ts";
import type { Session } from "../session.ts";
import { fetchRequestOf } from "./_node/fetch_request.ts";

/** A header's values by name, as AWS passes them. */
export type LambdaHeaders = { readonly [name: string]: string | undefined };
/** All values of each header, as AWS passes them. */
export type LambdaMultiHeaders = { readonly [name: string]: readonly string[] | undefined };

/**
 * The part of an event that the adapter uses. The event comes from API Gateway in either payload
 * format, from a function URL, or from an Application Load Balancer.
 */
export interface LambdaEvent {
  /** The method, in payload format 1.0 and from a load balancer. */
  readonly httpMethod?: string;
  /** The path, in payload format 1.0 and from a load balancer. */
  readonly path?: string;
  /** The path, in payload format 2.0. */
  readonly rawPath?: string;
  /** The query string, in payload format 2.0. */
  readonly rawQueryString?: string;
  /** The query string's first values, in payload format 1.0. */
  readonly queryStringParameters?: LambdaHeaders | null;
  /** All values of the query string, in payload format 1.0 and from some load balancers. */
  readonly multiValueQueryStringParameters?: LambdaMultiHeaders | null;
  /** The cookies, in payload format 2.0. */
  readonly cookies?: readonly string[] | null;
  /** The headers. */
  readonly headers?: LambdaHeaders | null;
  /** The headers with all values, in payload format 1.0 and from some load balancers. */
  readonly multiValueHeaders?: LambdaMultiHeaders | null;
  /** The data that AWS adds about the request. */
  readonly requestContext?: object;
}

/** A response. */
export interface LambdaResult {
  /** The status. */
  statusCode: number;
  /** The headers. */
  headers?: { [name: string]: boolean | number | string };
  /** The headers that have several values, in payload format 1.0 and from a load balancer. */
  multiValueHeaders?: { [name: string]: (boolean | number | string)[] };
  /** The `Set-Cookie` headers, in payload format 2.0. */
  cookies?: string[];
  /** The body. */
  body: string;
  /** Whether the body is encoded in base64. */
  isBase64Encoded?: boolean;
}

/**
 * A handler that gets the session beside the event. In payload format 2.0 it may return a text or
 * another value in place of a response.
 */
export type LambdaHandler<Data extends object, Event extends LambdaEvent, Context> = (
  event: Event,
  session: Session<Data>,
  context: Context,
) => unknown;

const BASE64 = new Base64("base64");

/** The parts of `requestContext` that the adapter uses. */
interface RequestContext {
  http?: { method?: string };
  elb?: unknown;
  domainName?: string;
  eventType?: string;
}

/**
 * Creates a function that adds sessions to the handler of an AWS Lambda function. The handler gets
 * the {@linkcode Session} as its second argument. If a session cannot be read or saved, the client
 * gets the same response as from `sessions.handler`; the option `onError` changes it. If the handler
 * throws, no session changes of the request are saved.
 *
 * The session of a WebSocket API is read-only: no response can carry its cookie. To stream a
 * response, call `sessions.open` yourself.
 *
 * @throws {TypeError} If `sessions` is not a `SessionMiddleware`.
 *
 * @example A visit counter behind a function URL
 * ```ts ignore
 * import { RedisStore, SessionMiddleware } from "@pagi/session";
 * import { lambdaSession } from "@pagi/session/lambda";
 * import { Redis } from "ioredis";
 * import process from "node:process";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: process.env.SESSION_SECRET!,
 *   store: new RedisStore(new Redis(process.env.REDIS_URL!)),
 * });
 * const withSession = lambdaSession(sessions);
 *
 * export const handler = withSession((_event, session) => {
 *   session.update("visits", (visits = 0) => visits + 1);
 *   return { statusCode: 200, body: `Visit ${session.get("visits")}` };
 * });
 * ```
 */
export function lambdaSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): <Event extends LambdaEvent, Context = unknown>(
  handle: LambdaHandler<Data, Event, Context>,
) => (event: Event, context: Context) => Promise<LambdaResult> {
  checkMiddleware("lambdaSession", sessions);
  return <Event extends LambdaEvent, Context>(handle: LambdaHandler<Data, Event, Context>) => {
    if (typeof handle !== "function") {
      throw new TypeError(
        "Cannot make a handler: expected a function of the event and its session",
      );
    }
    return async (event: Event, context: Context): Promise<LambdaResult> => {
      const request = requestOf(event);
      let open: OpenSession<Data>;
      try {
        open = await sessions.open(request);
      } catch (error) {
        return await answerFailure(sessions, event, error);
      }
      if (open.response !== undefined) return await toResult(event, open.response);
      let result: LambdaResult;
      let headers: Headers;
      try {
        result = toFullResult(await open.run(() => handle(event, open.session, context)));
        headers = headersOf(result);
      } catch (error) {
        await open.abort(error);
        return await answerFailure(sessions, event, error, open);
      }
      const before = [...headers].join();
      try {
        await open.commit(headers);
      } catch (error) {
        return await answerFailure(sessions, event, error);
      }
      return [...headers].join() === before ? result : inFormatOf(event, headers, result);
    };
  };
}

/** The request, in the form that `sessions.open` takes. */
function requestOf(event: LambdaEvent): NodeRequest {
  const { httpMethod, cookies } = event;
  const { http, eventType } = contextOf(event);
  const headers: Record<string, string | readonly string[] | undefined> = {};
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    headers[name.toLowerCase()] = value;
  }
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {})) {
    headers[name.toLowerCase()] = values;
  }
  if (cookies?.length) headers.cookie = cookies.join("; ");
  return {
    headers,
    method: httpMethod ?? http?.method,
    url: urlOf(event),
    socket: { encrypted: true },
    upgrade: eventType !== undefined,
  };
}

function contextOf({ requestContext }: LambdaEvent): RequestContext {
  return requestContext ?? {};
}

/** The path and the query string. */
function urlOf(event: LambdaEvent): string {
  const { rawPath, path } = event;
  const query = event.rawQueryString ?? queryOf(event);
  return (rawPath ?? path ?? "/") + (query === "" ? "" : `?${query}`);
}

function queryOf(event: LambdaEvent): string {
  const { queryStringParameters, multiValueQueryStringParameters } = event;
  // A load balancer passes names and values as the client has encoded them.
  const encode = contextOf(event).elb === undefined ? encodeURIComponent : String;
  return Object.entries(multiValueQueryStringParameters ?? queryStringParameters ?? {})
    .flatMap(([name, values]) =>
      [values ?? ""].flat().map((one) => `${encode(name)}=${encode(one)}`)
    )
    .join("&");
}

/** A complete response. In payload format 2.0, any value that is not one is the body. */
function toFullResult(value: unknown): LambdaResult {
  if (isObject(value) && "statusCode" in value) return value as unknown as LambdaResult;
  const body = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return { statusCode: 200, headers: { "content-type": "application/json" }, body };
}

/** The headers of a response in any format. */
function headersOf({ headers, multiValueHeaders, cookies }: LambdaResult): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers ?? {})) all.set(name, String(value));
  for (const [name, values] of Object.entries(multiValueHeaders ?? {})) {
    all.delete(name);
    for (const value of values) all.append(name, String(value));
  }
  for (const cookie of cookies ?? []) all.append("set-cookie", cookie);
  return all;
}

/** The response with these headers, in the format that the sender of the event understands. */
function inFormatOf(event: LambdaEvent, all: Headers, result: LambdaResult): LambdaResult {
  const { headers: _single, multiValueHeaders: _multi, cookies: _cookies, ...rest } = result;
  const setCookies = all.getSetCookie();
  const headers = Object.fromEntries([...all].filter(([name]) => name !== "set-cookie"));
  if (event.httpMethod === undefined) {
    return setCookies.length === 0
      ? { ...rest, headers }
      : { ...rest, headers, cookies: setCookies };
  }
  if (contextOf(event).elb !== undefined && !event.multiValueHeaders) {
    // Such a load balancer takes one value for each name, and does not compare names.
    const named = setCookies.map((cookie, at) => [inCaseNumber("set-cookie", at), cookie]);
    return { ...rest, headers: { ...headers, ...Object.fromEntries(named) } };
  }
  const multiValueHeaders = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value]]),
  );
  if (setCookies.length > 0) multiValueHeaders["set-cookie"] = setCookies;
  return { ...rest, multiValueHeaders };
}

/** One of the spellings of a name in upper and lower case. */
function inCaseNumber(name: string, number: number): string {
  return [...name].map((letter, at) => number >> at & 1 ? letter.toUpperCase() : letter).join("");
}

/** Makes the response to a failure. Rejects with an error of the app, which AWS answers. */
async function answerFailure<Data extends object>(
  sessions: SessionMiddleware<Data>,
  event: LambdaEvent,
  error: unknown,
  open?: OpenSession<Data>,
): Promise<LambdaResult> {
  const added = new Headers();
  let response: Response;
  try {
    const request = requestOf(event);
    response = await sessions.answer(error, fetchRequestOf(request, contextOf(event).domainName));
  } catch {
    await open?.commit(added);
    if ([...added].length === 0) throw error;
    // AWS would send no cookie with an error of its own, so the error is logged here.
    console.error(error);
    return await toResult(
      event,
      new Response("Internal Server Error", { status: 500, headers: added }),
    );
  }
  const headers = new Headers(response.headers);
  await open?.commit(headers);
  return await toResult(event, new Response(response.body, { status: response.status, headers }));
}

/** A fetch `Response` as AWS takes it. */
async function toResult(event: LambdaEvent, response: Response): Promise<LambdaResult> {
  const { status: statusCode, headers } = response;
  const isText = /^(text\/|application\/json)/.test(headers.get("content-type") ?? "text/");
  const body = isText
    ? await response.text()
    : BASE64.encode(new Uint8Array(await response.arrayBuffer()));
  return inFormatOf(event, headers, { statusCode, body, isBase64Encoded: !isText });
}
