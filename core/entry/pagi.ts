/** The entry point for PAGI apps: what `sessions.wrap` puts around an app. */
import type { SessionValues } from "../../base/record_text.ts";
import { ownerOf } from "../../data/working_copy.ts";
import { SessionError } from "../../errors.ts";
import type { App, Event, HeaderPair, Receive, Scope, Send } from "../../pagi.ts";
import type { SessionData } from "../../session.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { type CacheHeaders, isForCaches } from "../shared_caches.ts";
import { reportFailure } from "./error_response.ts";
import { missingVary, reportDropped } from "./response_headers.ts";

/** The scope that an app behind the middleware receives. */
export interface SessionScope<Data extends object = Record<string, unknown>> extends Scope {
  /** The session's data. Changes to it are saved. */
  "pagi.session": SessionData<Data>;
  /** The session's ID; absent if there is no session behind a read-only scope. */
  "pagi.session_id"?: string;
}

/** An app that reads its session from the scope. */
export type SessionApp<Data extends object = Record<string, unknown>> = (
  scope: SessionScope<Data>,
  receive: Receive,
  send: Send,
) => Promise<void> | void;

/** The app with sessions around it. */
export function wrap<Data extends object>(lifecycle: Lifecycle, app: SessionApp<Data>): App {
  const { options } = lifecycle;
  const place = options.key === undefined ? "" : `.${options.key}`;
  return async (scope, receive, send) => {
    const present = scope[`pagi.session${place}`];
    if (present !== undefined || scope.headers === undefined) {
      reportOther(lifecycle, present);
      return void await app(scope as SessionScope<Data>, receive, send);
    }
    try {
      if (scope.type === "http") await serve(lifecycle, app, place, scope, receive, send);
      else {
        const workingCopy = await lifecycle.loadOrEmpty(scope);
        await app(extend<Data>(scope, workingCopy.materialize(), place), receive, send);
      }
    } catch (error) {
      reportFailure(lifecycle.options, error);
      throw error;
    }
  };
}

async function serve<Data extends object>(
  lifecycle: Lifecycle,
  app: SessionApp<Data>,
  place: string,
  scope: Scope,
  receive: Receive,
  send: Send,
): Promise<void> {
  const { options } = lifecycle;
  const active = await lifecycle.begin(scope);
  const data = active.workingCopy.materialize();
  const inner = extend<Data>(scope, data, place);
  // Later events wait for the start of the response, even if the app does not.
  let started: Promise<void> | undefined;
  const start = async (event: Event) => {
    const current = inner[`pagi.session${place}`];
    if (current !== data && current !== undefined) {
      throw new TypeError(
        `Cannot save the session: the app has replaced scope["pagi.session${place}"]. Change its ` +
          "keys instead",
      );
    }
    // A copy, because the app may send the same list to the next client.
    let headers = [...event.headers as HeaderPair[] ?? []];
    const added: HeaderPair[] = [];
    await active.commit(added, () => toCacheHeaders(headers));
    const isReplaced = (name: string) =>
      added.some(([one]) => isForCaches(one) && one === name.toLowerCase());
    headers = [...headers.filter(([name]) => !isReplaced(name)), ...added];
    const { id } = active.workingCopy;
    if (id !== undefined) Object.assign(inner, { [`pagi.session_id${place}`]: id });
    if (options.vary) {
      const missing = missingVary(valueOf(headers, "vary"), options.state.vary ?? []);
      for (const name of missing) headers.push(["vary", name]);
    }
    try {
      await send({ ...event, headers });
    } catch (error) {
      // A session around this one has failed. This one was saved, and the client has to learn its ID.
      if (!(error instanceof SessionError) || added.length === 0) throw error;
      const { code, message } = error;
      const both = [...error.headers, ...added];
      throw new SessionError(code, message, { cause: error, headers: both });
    }
  };
  const pass = async (event: Event) => {
    await started;
    await send(event);
  };
  const wrappedSend: Send = (event) => {
    const sent = event.type === "http.response.start" ? started = start(event) : pass(event);
    // If the app does not await it, a rejection must not end the process. `started` is awaited
    // below. If the app does, it may answer with a page of its own.
    sent.catch((error) => reportFailure(options, error));
    return sent;
  };
  try {
    await active.run(() => app(inner, receive, wrappedSend));
    await started;
  } catch (error) {
    await active.abort();
    const headers: HeaderPair[] = [];
    await active.commit(headers, () => ({ get: () => undefined }));
    reportDropped(options, headers, "the error response that others make");
    throw error;
  }
}

/** Reports the session of another middleware, which the app would take for its own. */
function reportOther({ options }: Lifecycle, present: unknown, owner = ownerOf(present)): void {
  if (owner === undefined || (owner as Lifecycle).options === options) return;
  options.emit({
    type: "place-taken",
    message:
      "The scope holds the session of another middleware where this one puts its own, so the app " +
      "reads that. Give one of them the option key",
  });
}

/**
 * A copy of `scope` with the session in it. The outer scope stays as it is.
 *
 * @param place The end of the names, for a middleware with a key.
 */
function extend<Data extends object>(
  scope: Scope,
  data: SessionValues,
  place: string,
): SessionScope<Data> {
  const inner: Scope = { ...scope, [`pagi.session${place}`]: data };
  if (data._id !== undefined) inner[`pagi.session_id${place}`] = data._id;
  return inner as SessionScope<Data>;
}

function toCacheHeaders(headers: readonly HeaderPair[]): CacheHeaders {
  return {
    get: (name) => valueOf(headers, name),
    forEach(visit) {
      for (const name of new Set(headers.map(([name]) => name.toLowerCase()))) {
        visit(valueOf(headers, name)!, name);
      }
    },
  };
}

/** The values of all headers called `name`, which is in lower case, as one value. */
function valueOf(headers: readonly HeaderPair[], name: string): string | undefined {
  const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(", ");
}
