/** Lua scripts: sent once, then called by their hash. */
import { toHex } from "../../base/hex.ts";
import type { Send } from "./client.ts";
import type { StoreCallOptions } from "../store.ts";

/** A script on one key. Redis runs it as a whole: nothing happens between two of its steps. */
export class RedisScript {
  readonly #source: string;
  #hash: string | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  /**
   * Runs it on `key`: one round trip. Where Redis does not have the script (a new server, a
   * restart, SCRIPT FLUSH, another node) it has done nothing yet, and a second one brings it.
   */
  async run(send: Send, key: string, args: string[], options: StoreCallOptions): Promise<unknown> {
    this.#hash ??= await sha1(this.#source);
    try {
      return await send(["EVALSHA", this.#hash, "1", key, ...args], key, options);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return await send(["EVAL", this.#source, "1", key, ...args], key, options);
    }
  }
}

/** What Redis calls a script by. */
async function sha1(source: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(source));
  return toHex(new Uint8Array(hash));
}
