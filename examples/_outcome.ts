/**
 * Explains what one request did to the session. It compares the session before and after the
 * request and looks at the response.
 */
import type { Session } from "../mod.ts";
import type { ShopData } from "./_catalog.ts";

/** A request that has been handled. */
export interface HandledRequest {
  /** The client's session in the store before the request, if there was one. */
  before: Session<ShopData> | undefined;
  /** The handler's session. Undefined if the session could not be read. */
  after: Session<ShopData> | undefined;
  /** Whether the request had a session cookie, valid or not. */
  hadCookie: boolean;
  response: Response;
  /** Whether the handler threw. */
  hasThrown: boolean;
  /** When the response was ready, in Unix milliseconds. */
  at: number;
}

/** The outcome of a request: a short label and a sentence. */
export interface Outcome {
  label: string;
  why: string;
}

/** One request and its response, for display. */
export interface LogEntry extends Outcome {
  /** When the response was ready, in Unix milliseconds. */
  at: number;
  /** For example `POST /cart`. */
  request: string;
  status: number;
  /** The session's Set-Cookie, with the id shortened. */
  cookie: string | undefined;
  /** The session's keys that changed. */
  changed: string[];
}

/** The minimum number of seconds between two updates of the last-access time. */
export const TOUCH_INTERVAL = 60;

/** Shortens an ID: people can still tell two apart, but nobody can use it. */
export function shortId(id: string | undefined): string {
  return id === undefined ? "none" : `${id.slice(0, 8)}…`;
}

/** Returns the session's Set-Cookie with a shortened value, if one was sent. */
export function sentCookie(response: Response): string | undefined {
  return response.headers.getSetCookie()[0]?.replace(/(?<=^[^=]+=)[^;]{64,}/, shortId);
}

/** Returns the keys whose values the request changed. */
export function changedKeys({ before, after, hasThrown }: HandledRequest): string[] {
  if (after === undefined || hasThrown) return [];
  const old: ShopData = before?.data ?? {};
  const keys = new Set([...(before?.keys() ?? []), ...after.keys()]);
  return [...keys].filter((key) => JSON.stringify(old[key]) !== JSON.stringify(after.data[key]));
}

/** Explains why a Set-Cookie was sent or not. */
export function outcomeOf(handled: HandledRequest): Outcome {
  const { after, response, hasThrown } = handled;
  if (hasThrown) {
    return {
      label: "Failed",
      why: "The handler threw an error, so none of its changes were saved.",
    };
  }
  if (after?.id === undefined || response.status === 409) {
    return {
      label: "Interrupted",
      why: "Another request ended this session or changed its ID first. Nothing was saved.",
    };
  }
  return sentCookie(response) === undefined ? explainUnsent(handled) : explainSent(handled, after);
}

function explainSent(handled: HandledRequest, after: Session<ShopData>): Outcome {
  const { before, hadCookie, response } = handled;
  if (/Max-Age=0/.test(sentCookie(response)!)) {
    return {
      label: "Ended",
      why: "The session was destroyed: it was deleted from the store, and the cookie was removed.",
    };
  }
  if (before === undefined) {
    return {
      label: "New session",
      why: hadCookie
        ? "The cookie no longer matched a session, so a new session was started."
        : "Something was written to a new session, so it was stored and its ID was sent.",
    };
  }
  if (before.id !== after.id) {
    return {
      label: "New ID",
      why: `Same session, new ID. The old one, ${shortId(before.id)}, no longer works.`,
    };
  }
  return changedKeys(handled).length > 0
    ? { label: "Saved", why: "The data changed, so it was saved and the cookie was renewed." }
    : {
      label: "Touched",
      why: "Nothing changed. The last-access time was updated and the cookie renewed.",
    };
}

function explainUnsent(handled: HandledRequest): Outcome {
  const { before, at } = handled;
  if (before === undefined) {
    return {
      label: "Nothing to save",
      why: "Nothing was written to the new session, so it was not stored and no cookie was sent.",
    };
  }
  if (changedKeys(handled).length > 0) {
    return {
      label: "Saved",
      why:
        "The data changed, so it was saved. The browser already has the cookie. Opening a page " +
        `renews it, at most once every ${TOUCH_INTERVAL} s.`,
    };
  }
  const idle = Math.max(0, Math.floor(at / 1000) - (before.data._last_access ?? 0));
  if (idle >= TOUCH_INTERVAL) {
    return {
      label: "Touched",
      why: "Nothing changed. The last-access time was updated. The cookie is renewed when the " +
        "browser opens a page.",
    };
  }
  return {
    label: "Unchanged",
    why: `Nothing changed. The last-access time was updated ${idle} s ago, ` +
      `less than the touchInterval of ${TOUCH_INTERVAL} s.`,
  };
}
