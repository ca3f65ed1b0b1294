// deno-lint-ignore-file no-import-prefix -- the package's own check has to find these too
/** How a server process opens a store by its name. It loads only the drivers of that store. */
import type { StoreOpener } from "./_backend.ts";
import { SQL_STORES } from "./_sql_stores.ts";

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
