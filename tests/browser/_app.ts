/** The app under test: it counts, stores notes, signs in and out, rotates, and waits at a gate. */
import { MemoryStore, SessionMiddleware, type SessionOptions } from "@pagi/session";
import type { Page } from "./_chromium.ts";

/** The data of a session. Each note is a key. */
export type Data = { n?: number; user?: string; [note: string]: unknown };

/** The app's response: the session's data, without the library's keys. */
export type Answer = { status: number; data: Data };

/** Holds requests that have read their session until the test opens the gate. */
export class Gate {
  readonly #full = Promise.withResolvers<void>();
  readonly #open = Promise.withResolvers<void>();
  #missing: number;

  /** @param count How many requests the test waits for. */
  constructor(count: number) {
    this.#missing = count;
  }

  /** Settles when the expected number of requests waits at the gate. */
  get full(): Promise<void> {
    return this.#full.promise;
  }

  async enter(): Promise<void> {
    if (--this.#missing === 0) this.#full.resolve();
    await this.#open.promise;
  }

  open(): void {
    this.#open.resolve();
  }
}

/** Creates sessions, their store and the app. */
export function createApp(options: Partial<SessionOptions> = {}, gate?: Gate) {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware<Data>({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    ...options,
  });
  const handler = sessions.handler(async (request, session) => {
    const { pathname, searchParams } = new URL(request.url);
    // The last segment counts, so that cookies can have any Path.
    const action = pathname.split("/").at(-1);
    // At the gate, the request has read its session but not changed it.
    const isKnown = session.exists("n");
    if (searchParams.has("wait")) await gate?.enter();
    if (action === "count") session.update("n", (n) => Number(n ?? 0) + 1);
    if (action === "note") session.set(searchParams.get("note")!, isKnown);
    if (action === "sign-in") session.regenerate().set("user", "Ada");
    if (action === "sign-out") session.destroy();
    if (action === "rotate") session.rotate();
    const data = Object.fromEntries(session.keys().map((key) => [key, session.get(key)]));
    return Response.json(data);
  });
  return { handler, sessions, store };
}

/** Opens a URL in a tab and returns the app's response. */
export async function visit(tab: Page, url: string): Promise<Answer> {
  const response = (await tab.goto(url))!;
  const status = response.status();
  return { status, data: status === 200 ? await response.json() : {} };
}
