/** Sessions whose IDs travel in a header, which accepts any text, and stores for them. */
import { assertRejects } from "@std/assert";
import {
  CallbackState,
  type Session,
  SessionError,
  type SessionEvent,
  type SessionHash,
  SessionMiddleware,
  type SessionStore,
} from "@pagi/session";
import { headerValue } from "../../state/_headers.ts";
import { fakeClock, requestWith } from "./helpers.ts";

/** Sets up sessions on `store`. */
export function on(store: SessionStore, storeTimeout?: number) {
  const clock = fakeClock();
  const events: SessionEvent[] = [];
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    storeTimeout,
    now: clock.now,
    onEvent: (event) => events.push(event),
    state: new CallbackState({
      extract: (scope) => headerValue(scope, "x-id"),
      inject: (headers, id) => void headers.push(["x-id", id]),
    }),
  });
  events.length = 0;
  /** Sends `id` and does `work`. Resolves to the ID in the response. */
  const visit = async (id: string | undefined, work: (session: Session) => unknown) => {
    const headers: Record<string, string> = id === undefined ? {} : { "x-id": id };
    const response = await sessions.run(requestWith(headers), async (session) => {
      await work(session);
      return new Response();
    });
    return response.headers.get("x-id") ?? undefined;
  };
  const write = (session: Session) => void session.update("n", (n) => Number(n ?? 0) + 1);
  /** Resolves to the error of a request. */
  const refused = (id: string | undefined, work: (session: Session) => unknown) =>
    assertRejects(() => visit(id, work), SessionError);
  return { clock, events, sessions, visit, write, refused };
}

export const destroy = (session: Session) => void session.destroy();
export const nothing = () => {};

/** A basic store that fails on demand. */
export class PlainStore {
  readonly hashes = new Map<string, SessionHash>();
  readonly calls: string[] = [];
  broken = "";
  get(id: string) {
    this.#call("get");
    return this.hashes.get(id);
  }
  set(id: string, hash: SessionHash): string | void {
    this.#call("set");
    this.hashes.set(id, hash);
  }
  delete(id: string) {
    this.#call("delete");
    this.hashes.delete(id);
  }
  #call(name: string) {
    this.calls.push(name);
    if (name === this.broken) throw new Error("boom");
  }
}
