/** The kinds of places that the end-to-end tests share between processes, and how a store opens one. */
import type { VersionedStore } from "@pagi/session/store";

/** A place for the sessions of one test. */
export interface Place extends AsyncDisposable {
  /** The address that a store opener in `_stores.ts` receives: a port, a file or a URL. */
  where: string;
  /** Reads the records without the store. Throws if one is incomplete or never expires. */
  audit?(): Promise<void>;
  /** Reads for how many seconds each record is still kept, without the store. */
  kept?(): Promise<number[]>;
}

/** A kind of place. */
export interface Backend {
  /** The name of its store in `_stores.ts`. */
  name: string;
  /** Why it is not available on this machine; `undefined` if it is. */
  missing: string | undefined;
  /** Makes a place that survives a `kill -9` of the processes that use it. */
  start(): Promise<Place>;
  /** How often a server process is killed. */
  kills: number;
}

/** A store, and how to close it. */
export interface OpenStore {
  store: VersionedStore;
  close(): unknown;
}

/** Opens a store in a place. */
export type StoreOpener = (where: string) => Promise<OpenStore>;

/** Throws unless a text is a complete session or the marker of one that has ended. */
export function auditText(text: string): void {
  if (/^ended:[\da-f]{12}$/.test(text)) return;
  const json = /^s1:[\da-f]{32}(?: [^ {]+)*(\{.*\})$/.exec(text)?.[1];
  if (json === undefined) throw new Error("A record is not a session");
  JSON.parse(json);
}
