/** What every contender is: apps with sessions on one store, and the same apps without. */
import type { Act, ACTS, SessionContent } from "../scenarios.ts";

/** Answers a request, as Deno.serve and Bun.serve call it. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** Answers a request, as node:http calls it. */
export type NodeListener = (request: never, response: never) => void;

/** An app that answers every request in one way. */
export type LocalApp = { fetch: FetchHandler } | { listener: NodeListener };

/** The same, or where a server has it. */
export type App = LocalApp | { url: string };

/** The stores that a contender can be measured on. */
export const STORES = ["memory", "cookie", "redis", "sqlite"] as const;

/** The name of a store. */
export type StoreName = typeof STORES[number];

/** What a contender is opened with. */
export interface Setup {
  store: StoreName;
  /** What a session holds. */
  data: SessionContent;
  /** Where Redis listens, for the store on it. */
  redisPort: number | undefined;
}

/** A contender that is ready: apps that share one store. */
export interface Opened {
  /** The app for each kind of request; absent where the contender cannot do it. */
  apps: { [act in Act]?: LocalApp };
  /** The same apps without sessions. */
  bare: LocalApp;
  /** Whether a request has to bring what none has brought before. */
  usesUp?: boolean;
  /** Lets go of what the store holds open. */
  close?(): Promise<void> | void;
}

/** A session library in the framework that it is for. */
export interface Contender {
  /** Its package's name. */
  name: string;
  /** The framework that the library is for: contenders of one framework share a bare app. */
  framework: string;
  stores: readonly StoreName[];
  open(setup: Setup): Promise<Opened> | Opened;
}

/** The name of the one that is no library, but the least that a session can cost. */
export const BY_HAND = "by hand";

/** The name of this library where each request brings a cookie that its server has not seen yet. */
export const FIRST_TIME = "@pagi/session (cookies seen first)";

/** The names of those that are no library either, but the bare handler and one thing more. */
export const BARE_WITH = {
  cookie: "only reads Cookie",
  vary: "only appends Vary",
  both: "only does both",
} as const;

/** What sessions are signed or sealed with. */
export const SECRET = "a secret of at least 32 bytes for the benchmark";

/** What a bare app answers: as long as what the others say. */
export const BARE_TEXT = "ada";

/** An app for each kind of request. */
export function appsOf(
  acts: readonly (typeof ACTS[number])[],
  make: (act: typeof ACTS[number]) => FetchHandler | { listener: NodeListener },
): { [act in Act]?: LocalApp } {
  const app = (act: typeof ACTS[number]): LocalApp => {
    const made = make(act);
    return typeof made === "function" ? { fetch: made } : made;
  };
  return Object.fromEntries(acts.map((act) => [act, app(act)]));
}
