/** Lua scripts, which are sent once and then called by their SHA-1 digest. */
import { toHex } from "../../base/hex.ts";
import type { Send } from "./client.ts";
import type { StoreCallOptions } from "../store.ts";

/** A script on one key. Redis runs it atomically. */
export class RedisScript {
  readonly #source: string;
  #digest: string | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  /**
   * Runs the script on `key` in one round trip. If Redis does not know the script (a new server, a
   * restart, SCRIPT FLUSH, another node), nothing has happened yet, and a second command sends it.
   */
  async run(send: Send, key: string, args: string[], options: StoreCallOptions): Promise<unknown> {
    this.#digest ??= await sha1(this.#source);
    try {
      return await send(["EVALSHA", this.#digest, "1", key, ...args], key, options);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return await send(["EVAL", this.#source, "1", key, ...args], key, options);
    }
  }
}

/** The digest by which Redis identifies a script. */
async function sha1(source: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(source));
  return toHex(new Uint8Array(digest));
}
