/** The app behind the tests: it counts, takes notes, signs in and out, and waits where it is told. */
import { MemoryStore, SessionMiddleware, type SessionOptions } from "@pagi/session";
import type { Page } from "./_chromium.ts";

/** What its sessions hold; notes are keys too. */
export type Data = { n?: number; user?: string; [note: string]: unknown };

/** What it answers: the session's data, without the library's keys. */
export type Answer = { status: number; data: Data };

/** Holds requests that have read their session, until the test lets them go on. */
export class Gate {
  readonly #full = Promise.withResolvers<void>();
  readonly #open = Promise.withResolvers<void>();
  #missing: number;

  /** @param count How many requests the test waits for. */
  constructor(count: number) {
    this.#missing = count;
  }

  /** Settles when as many are inside as were expected. */
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

/** Sessions, their store, and the app that has them. */
export function createApp(options: Partial<SessionOptions> = {}, gate?: Gate) {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware<Data>({ secret: "test", store, ...options });
  const handler = sessions.handler(async (request, session) => {
    const { pathname, searchParams } = new URL(request.url);
    // Under any path, for cookies that have one.
    const action = pathname.split("/").at(-1);
    // So it has read its session, and not yet changed it.
    const isKnown = session.exists("n");
    if (searchParams.has("wait")) await gate?.enter();
    if (action === "count") session.update("n", (n) => Number(n ?? 0) + 1);
    if (action === "note") session.set(searchParams.get("note")!, isKnown);
    if (action === "sign-in") session.regenerate().set("user", "Ada");
    if (action === "sign-out") session.destroy();
    const data = Object.fromEntries(session.keys().map((key) => [key, session.get(key)]));
    return Response.json(data);
  });
  return { handler, sessions, store };
}

/** Opens an address in a tab and resolves to what the app answered. */
export async function visit(tab: Page, url: string): Promise<Answer> {
  const response = (await tab.goto(url))!;
  const status = response.status();
  return { status, data: status === 200 ? await response.json() : {} };
}
