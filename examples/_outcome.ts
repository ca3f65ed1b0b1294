/**
 * What one request did to the session, told from outside: from the session as it was before, as it
 * is after, and from the response that was sent.
 */
import type { Session } from "../mod.ts";
import type { Visit } from "./_catalogue.ts";

/** What is known of a request that has been answered. */
export interface Answered {
  /** The client's session as it stood in the store before; undefined when there was none. */
  before: Session<Visit> | undefined;
  /** The session that the handler had; undefined when there was no getting at one. */
  after: Session<Visit> | undefined;
  /** Whether the request brought a session cookie, good or not. */
  hadCookie: boolean;
  response: Response;
  /** Whether the handler threw. */
  hasThrown: boolean;
  /** In Unix milliseconds. */
  at: number;
}

/** What happened, in two words and in a sentence. */
export interface Outcome {
  label: string;
  why: string;
}

/** Seconds between two notes of a session's use. */
export const TOUCH_INTERVAL = 60;

/** So much of an id that people can tell two apart, and no more than is safe to show. */
export function shortId(id: string | undefined): string {
  return id === undefined ? "none" : `${id.slice(0, 8)}…`;
}

/** The session's Set-Cookie with its value shortened; undefined when none was sent. */
export function sentCookie(response: Response): string | undefined {
  return response.headers.getSetCookie()[0]?.replace(/(?<=^[^=]+=)[^;]{64,}/, shortId);
}

/** The keys whose values differ. */
export function changedKeys({ before, after, hasThrown }: Answered): string[] {
  if (after === undefined || hasThrown) return [];
  const old: Visit = before?.data ?? {};
  const keys = new Set([...(before?.keys() ?? []), ...after.keys()]);
  return [...keys].filter((key) => JSON.stringify(old[key]) !== JSON.stringify(after.data[key]));
}

/** Why the Set-Cookie was sent, or why none was. */
export function outcomeOf(answered: Answered): Outcome {
  const { after, response, hasThrown } = answered;
  if (hasThrown) {
    return { label: "Failed", why: "The handler threw, so nothing of this request was saved." };
  }
  if (after?.id === undefined || response.status === 409) {
    return {
      label: "Interrupted",
      why: "Another request ended this session, or gave it a new id, first. Nothing was saved.",
    };
  }
  return sentCookie(response) === undefined ? unsent(answered) : sent(answered, after);
}

function sent(answered: Answered, after: Session<Visit>): Outcome {
  const { before, hadCookie, response } = answered;
  if (/Max-Age=0/.test(sentCookie(response)!)) {
    return {
      label: "Ended",
      why: "The session was destroyed: gone from the store, and the browser is told to forget it.",
    };
  }
  if (before === undefined) {
    return {
      label: "New session",
      why: hadCookie
        ? "The cookie opened no session any more, so a new one began, under a new id."
        : "Something was written to a new session, so it was stored and its id sent.",
    };
  }
  if (before.id !== after.id) {
    return {
      label: "New id",
      why: `Same session, new id. The old one, ${shortId(before.id)}, is dead from now on.`,
    };
  }
  return changedKeys(answered).length > 0
    ? { label: "Saved", why: "The data changed, so it was saved and the cookie renewed." }
    : { label: "Touched", why: "Nothing changed; its use was noted and the cookie renewed." };
}

function unsent(answered: Answered): Outcome {
  const { before, at } = answered;
  if (before === undefined) {
    return {
      label: "Nothing to keep",
      why: "Nothing was written to the new session, so it is neither stored nor sent.",
    };
  }
  if (changedKeys(answered).length > 0) {
    return {
      label: "Saved",
      why: "The data changed, so it was saved. The browser has the cookie, which is renewed " +
        `at most once in ${TOUCH_INTERVAL} s.`,
    };
  }
  const idle = Math.max(0, Math.floor(at / 1000) - (before.data._last_access ?? 0));
  return {
    label: "Unchanged",
    why: `Nothing changed, and the last use was noted ${idle} s ago, ` +
      `less than the touchInterval of ${TOUCH_INTERVAL} s.`,
  };
}
