/**
 * What just happened: the last requests of each browser, and what each did to the session. A
 * session is saved when its handler has returned, so this looks on from outside, as a plain function
 * around `sessions.handler`.
 */
import type { Session, SessionMiddleware } from "../mod.ts";
import type { Visit } from "./_catalogue.ts";
import { type Answered, changedKeys, type Outcome, outcomeOf, sentCookie } from "./_outcome.ts";
import { failurePage } from "./_layout.ts";

/** One request and its response, for people to read. */
export interface Step extends Outcome {
  /** When it was answered, in Unix milliseconds. */
  at: number;
  /** For example `POST /cart`. */
  request: string;
  status: number;
  /** The session's Set-Cookie, with the id shortened. */
  cookie: string | undefined;
  /** The session's keys that changed. */
  changed: string[];
}

/** The steps of every browser that has been here lately, in this process. */
export class Trail {
  static readonly #MAX_STEPS = 10;
  static readonly #MAX_BROWSERS = 1000;
  readonly #steps = new Map<string, Step[]>();

  /** What stands for a session here: enough of its id to tell it apart, useless for taking it over. */
  static keyOf(session: Session<Visit> | undefined): string {
    return session?.id?.slice(0, 16) ?? "";
  }

  /** The steps under a key, the latest first. */
  of(key: string): readonly Step[] {
    return this.#steps.get(key) ?? [];
  }

  /** Notes a request that has been answered. */
  add(request: Request, answered: Answered): void {
    const { before, after, response, at } = answered;
    const { method, url } = request;
    const [from, to] = [Trail.keyOf(before), Trail.keyOf(after ?? before)];
    // No id, no browser to show it to.
    if (to === "") return;
    const steps = this.#steps.get(from) ?? [];
    this.#steps.delete(from);
    const step: Step = {
      ...outcomeOf(answered),
      at,
      request: `${method} ${new URL(url).pathname}`,
      status: response.status,
      cookie: sentCookie(response),
      changed: changedKeys(answered),
    };
    // Last in the map: whoever has not been here for longest is forgotten first.
    this.#steps.set(to, [step, ...steps].slice(0, Trail.#MAX_STEPS));
    if (this.#steps.size > Trail.#MAX_BROWSERS) {
      this.#steps.delete(this.#steps.keys().next().value!);
    }
  }
}

/** A failure that is part of the show: answered, and noted like any other request. */
export class StagedFailure extends Error {}

/** What answers a request, with its session. */
export type Respond = (request: Request, session: Session<Visit>) => Response | Promise<Response>;

/** The sessions' handler for `respond`, with every request noted in `trail`. */
export function observed(
  sessions: SessionMiddleware<Visit>,
  respond: Respond,
  trail: Trail,
  now: () => number,
): (request: Request) => Promise<Response> {
  // `handler` hands on whatever it is called with: here, where to leave the session.
  const handler = sessions.handler((request, session, note: Pick<Answered, "after">) => {
    note.after = session;
    return respond(request, session);
  });
  return async (request) => {
    const note: Pick<Answered, "after"> = { after: undefined };
    const before = await sessions.load(request);
    let response: Response;
    let hasThrown = false;
    try {
      response = await handler(request, note);
    } catch (error) {
      if (!(error instanceof StagedFailure)) throw error;
      hasThrown = true;
      response = failurePage(() => trail.of(Trail.keyOf(before ?? note.after)));
    }
    const hadCookie = /\bpagi_session=/.test(request.headers.get("cookie") ?? "");
    const { after } = note;
    trail.add(request, { before, after, hadCookie, response, hasThrown, at: now() });
    return response;
  };
}
