// deno-lint-ignore-file no-import-prefix -- the package's own check has to find these too
/** How a server process opens the store that it is told to, by name. Nothing is loaded in vain. */
import type { VersionedStore } from "@pagi/session/store";
import { SQL_STORES } from "./_sql_stores.ts";

/** A store, and how it is closed. */
export interface OpenStore {
  store: VersionedStore;
  close(): unknown;
}

/** Opens a store in a place: a port, a file, an address, as its backend says. */
export type StoreOpener = (where: string) => Promise<OpenStore>;

/** The stores by name. */
export const STORES: { [name: string]: StoreOpener } = {
  async redis(port) {
    const { Redis } = await import("npm:ioredis@5.11.1");
    const { RedisStore } = await import("@pagi/session/store/redis");
    const client = new Redis({ port: Number(port), retryStrategy: () => 50 });
    client.on("error", () => {});
    return { store: new RedisStore(client), close: () => client.disconnect() };
  },
  async kv(path) {
    const { DenoKvStore } = await import("@pagi/session/store/deno-kv");
    const kv = await Deno.openKv(path);
    return { store: new DenoKvStore(kv), close: () => kv.close() };
  },
  ...SQL_STORES,
};
