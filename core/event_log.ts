/** Writes events to the console, for apps that do not listen to them. */
import { SessionError } from "../errors.ts";
import type { SessionEvent } from "./event.ts";

/** Milliseconds in which events of one kind are written once. */
const INTERVAL_MS = 60_000;

/**
 * Makes a listener that writes each kind of event to the console at most once a minute: a store that
 * is down fails every request. The next line counts the events that were left out.
 *
 * @param now Returns the time in Unix milliseconds.
 * @param hasOnError Whether the app hears of failed requests by `onError`.
 */
export function consoleListener(
  now: () => number,
  hasOnError: boolean,
): (event: SessionEvent) => void {
  const written = new Map<string, { at: number; left: number }>();
  return ({ type, message, cause }) => {
    const isFailure = type === "request-failed";
    // The app hears of failures by onError, and it chose its store.
    if ((isFailure && hasOnError) || type === "store-without-guarantees") return;
    // Messages are fixed texts. Those of failed requests contain the error's.
    const kind = cause instanceof SessionError ? `${type} ${cause.code}` : message;
    const last = written.get(kind);
    const at = now();
    // A clock that was set back must not silence the log.
    if (last !== undefined && Math.abs(at - last.at) < INTERVAL_MS) return void last.left++;
    written.set(kind, { at, left: 0 });
    const more = last?.left ? ` (and ${last.left} more since the last line)` : "";
    const text = `@pagi/session: ${type}: ${message}${more}`;
    const write = isFailure ? console.error : console.warn;
    if (cause === undefined) write(text);
    else write(text, cause);
  };
}
