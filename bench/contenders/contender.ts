/** What each library provides: apps with sessions on one store, and the same app without. */
import type { Act, ACTS, SessionContent } from "../scenarios.ts";

/** Answers a request, as Deno.serve and Bun.serve call it. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** An app that is no fetch handler, called in process. */
export interface InjectApp {
  inject(headers: { cookie?: string }): Promise<{
    statusCode: number;
    payload: string;
    headers: { "set-cookie"?: string | string[] };
  }>;
}

/** An app that gives every request the same kind of answer. */
export type LocalApp = { fetch: FetchHandler } | InjectApp;

/** The names of the stores. */
export const STORES = ["memory", "cookie", "redis", "sqlite"] as const;

/** The name of a store. */
export type StoreName = typeof STORES[number];

/** What a library needs to open its apps. */
export interface Setup {
  store: StoreName;
  /** The data of each session. */
  data: SessionContent;
  /** Where Redis listens, for the store on it. */
  redisPort?: number;
}

/** A library that is ready: apps that share one store. */
export interface Opened {
  /** The app for each kind of request, except those that the library cannot answer. */
  apps: { [act in Act]?: LocalApp };
  /** The app without sessions. */
  bare: LocalApp;
  /** Whether each request must bring a cookie that no request has brought before. */
  needsFreshCookies?: boolean;
  /** Removes all sessions, if the store can. */
  clear?(): Promise<void> | void;
  /** Closes what the store holds open. */
  close?(): Promise<void> | void;
}

/** A session library in the framework that it is made for. */
export interface Contender {
  /** Its package's name. */
  name: string;
  /** Libraries of one framework share its app without sessions. */
  framework: string;
  stores: readonly StoreName[];
  open(setup: Setup): Promise<Opened> | Opened;
}

/** This library. */
export const OURS = "@pagi/session";

/** This library, if each request brings a cookie that its server has not opened yet. */
export const OURS_FIRST = "@pagi/session, first sight";

/** Not a library, but the least that any session does. */
export const BASELINE = "minimal baseline";

/** Not a library either: a bare handler that decrypts and encrypts as much as a session in a cookie. */
export const CRYPTOGRAPHY = "bare cryptography";

/** What the libraries sign or encrypt sessions with. */
export const SECRET = "a secret of at least 32 bytes for the benchmark";

/** The answer without sessions: as long as the user's name, the answer with them. */
export const BARE_TEXT = "ada";

/** An app for each kind of request. */
export function appsOf(
  acts: readonly Act[],
  make: (act: Act) => FetchHandler | InjectApp,
): { [act in typeof ACTS[number]]?: LocalApp } {
  const app = (act: Act): LocalApp => {
    const made = make(act);
    return typeof made === "function" ? { fetch: made } : made;
  };
  return Object.fromEntries(acts.map((act) => [act, app(act)]));
}
