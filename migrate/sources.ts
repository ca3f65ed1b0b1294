/** Where old sessions are: what is asked of their store, and two kinds of it. */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import { isObject } from "../base/check_options.ts";

/** Where the sessions of another library are kept. */
export interface LegacySource {
  /**
   * The data of the session that `value` stands for, which comes out of the client's old cookie;
   * undefined or null when there is none, or it has expired.
   */
  get(value: string): Awaitable<object | null | undefined>;
  /** Removes that session. A library whose cookies hold the data has nothing to remove. */
  destroy?(value: string): Awaitable<unknown>;
}

/** What is asked of a store made for express-session: connect-redis, connect-pg-simple and others. */
export interface ConnectSessions {
  /** Calls back with the session, or with an error. */
  get(sid: string, callback: (error: unknown, session?: object | null) => void): unknown;
  /** Removes the session, then calls back. */
  destroy(sid: string, callback: (error?: unknown) => void): unknown;
}

/**
 * The sessions in a store that was made for express-session. One whose cookie has expired is none, and
 * the cookie's attributes, which express-session keeps as `cookie`, are no part of the data.
 *
 * @param now The clock, in Unix milliseconds; for tests.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connectSource } from "@pagi/session/migrate";
 *
 * const source = connectSource({
 *   get: (sid, callback) => callback(null, { sid, cookie: { expires: null } }),
 *   destroy: (_sid, callback) => callback(),
 * });
 * assertEquals(await source.get("abc"), { sid: "abc" });
 * ```
 */
export function connectSource(store: ConnectSessions, now: () => number = Date.now): LegacySource {
  return {
    async get(sid) {
      const session = await called<object | null>((done) => store.get(sid, done));
      if (!session) return undefined;
      const { cookie, ...data } = session as { cookie?: { expires?: string | Date | null } };
      const expires = cookie?.expires;
      return expires && new Date(expires).getTime() <= now() ? undefined : data;
    },
    destroy: (sid) => called((done) => store.destroy(sid, done)),
  };
}

/**
 * The sessions of a library whose cookies hold the data, sealed. What `open` throws for, and an empty
 * object, is no session.
 *
 * @param open The library's own function for it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sealedSource } from "@pagi/session/migrate";
 *
 * const source = sealedSource((value) => JSON.parse(atob(value)));
 * assertEquals(await source.get(btoa('{"user":"ada"}')), { user: "ada" });
 * assertEquals(await source.get("forged"), undefined);
 * ```
 */
export function sealedSource(open: (value: string) => Awaitable<unknown>): LegacySource {
  return {
    async get(value) {
      try {
        const data = await open(value);
        return isObject(data) && Object.keys(data).length > 0 ? data : undefined;
      } catch {
        // What a client sends never throws.
        return undefined;
      }
    },
  };
}

type Done<T> = (error?: unknown, value?: T) => void;

/** What `ask` calls back with. */
function called<T>(ask: (done: Done<T>) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const pending = ask((error, value) => {
      if (!error) resolve(value);
      // Of files; express-session does the same.
      else if ((error as { code?: unknown }).code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    // An async one may reject without having called back.
    if (isPromise(pending)) pending.catch(reject);
  });
}
