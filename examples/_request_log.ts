/**
 * A log of the last requests of each browser and of what each did to the session. The session is
 * saved after its handler has returned. The log therefore wraps `sessions.handler` from outside.
 */
import type { Session, SessionMiddleware } from "../mod.ts";
import type { ShopData } from "./_catalog.ts";
import {
  changedKeys,
  type HandledRequest,
  type LogEntry,
  outcomeOf,
  sentCookie,
} from "./_outcome.ts";
import { failurePage } from "./_layout.ts";

/** The log of all recent browsers, in this process's memory. */
export class RequestLog {
  static readonly #MAX_ENTRIES = 10;
  static readonly #MAX_BROWSERS = 1000;
  readonly #entries = new Map<string, LogEntry[]>();

  /** Returns the key of a session: enough of its ID to be unique, too little to take it over. */
  static keyOf(session: Session<ShopData> | undefined): string {
    return session?.id?.slice(0, 16) ?? "";
  }

  /** Returns the entries for a key, the latest first. */
  of(key: string): readonly LogEntry[] {
    return this.#entries.get(key) ?? [];
  }

  /** Adds a request that has been handled. */
  add(request: Request, handled: HandledRequest): void {
    const { before, after, response, at } = handled;
    const { method, url } = request;
    const [from, to] = [RequestLog.keyOf(before), RequestLog.keyOf(after ?? before)];
    // Without an ID, no later page can look the entry up.
    if (to === "") return;
    const entries = this.#entries.get(from) ?? [];
    this.#entries.delete(from);
    const entry: LogEntry = {
      ...outcomeOf(handled),
      at,
      request: `${method} ${new URL(url).pathname}`,
      status: response.status,
      cookie: sentCookie(response),
      changed: changedKeys(handled),
    };
    // Move the browser to the end of the map: its first key is the least recent browser.
    this.#entries.set(to, [entry, ...entries].slice(0, RequestLog.#MAX_ENTRIES));
    if (this.#entries.size > RequestLog.#MAX_BROWSERS) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
  }
}

/** An error that the example throws on purpose. Its request is logged like any other. */
export class DemoError extends Error {}

/** A function that responds to a request with its session. */
export type Respond = (
  request: Request,
  session: Session<ShopData>,
) => Response | Promise<Response>;

/** Returns the sessions' handler for `respond`. It logs every request in `log`. */
export function logged(
  sessions: SessionMiddleware<ShopData>,
  respond: Respond,
  log: RequestLog,
  now: () => number,
): (request: Request) => Promise<Response> {
  // `handler` passes its other arguments on: here, an object that receives the session.
  const handler = sessions.handler((request, session, result: Pick<HandledRequest, "after">) => {
    result.after = session;
    return respond(request, session);
  });
  return async (request) => {
    const result: Pick<HandledRequest, "after"> = { after: undefined };
    const before = await sessions.load(request);
    let response: Response;
    let hasThrown = false;
    try {
      response = await handler(request, result);
    } catch (error) {
      if (!(error instanceof DemoError)) throw error;
      hasThrown = true;
      response = failurePage(() => log.of(RequestLog.keyOf(before ?? result.after)));
    }
    const hadCookie = /\bpagi_session=/.test(request.headers.get("cookie") ?? "");
    const { after } = result;
    log.add(request, { before, after, hadCookie, response, hasThrown, at: now() });
    return response;
  };
}
