/** Sources of old sessions: their interface, and two implementations. */
import { type Awaitable, isPromise } from "../base/awaitable.ts";
import { isObject } from "../base/check_options.ts";

/** A source of sessions that another library stored. */
export interface LegacySource {
  /**
   * Returns the data of the session that `value`, from the client's old cookie, identifies. Returns
   * `undefined` or `null` if the session does not exist or has expired.
   */
  get(value: string): Awaitable<object | null | undefined>;
  /** Deletes that session. Omit it if the old cookies contain the data themselves. */
  destroy?(value: string): Awaitable<unknown>;
}

/**
 * The part of an express-session store that is used. connect-redis, connect-pg-simple and others
 * have it.
 */
export interface ConnectSessions {
  /** Calls `callback` with the session or an error. */
  get(sid: string, callback: (error: unknown, session?: object | null) => void): unknown;
  /** Deletes the session, then calls `callback`. */
  destroy(sid: string, callback: (error?: unknown) => void): unknown;
}

/**
 * Reads sessions from an express-session store. It ignores sessions whose cookie has expired. It
 * removes the key `cookie`, in which express-session stores the attributes of the cookie.
 *
 * @param now Replaces the clock in tests. Returns Unix milliseconds.
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
      const session = await promiseOf<object | null>((done) => store.get(sid, done));
      if (!session) return undefined;
      const { cookie, ...data } = session as { cookie?: { expires?: string | Date | null } };
      const expires = cookie?.expires;
      return expires && new Date(expires).getTime() <= now() ? undefined : data;
    },
    destroy: (sid) => promiseOf((done) => store.destroy(sid, done)),
  };
}

/**
 * Reads sessions from the encrypted cookies of another library. A cookie for which `open` throws or
 * returns an empty object is ignored.
 *
 * @param open The library's function that decrypts a cookie's value.
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
        // Client input never throws.
        return undefined;
      }
    },
  };
}

type Done<T> = (error?: unknown, value?: T) => void;

/** A promise of the result that `call` passes to its callback. */
function promiseOf<T>(call: (done: Done<T>) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const pending = call((error, value) => {
      if (!error) resolve(value);
      // File stores report a missing session this way. express-session treats it in the same way.
      else if ((error as { code?: unknown }).code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    // An async function may reject without calling back.
    if (isPromise(pending)) pending.catch(reject);
  });
}
