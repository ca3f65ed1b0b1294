/**
 * {@linkcode Session}: access to a session's data through methods that catch typos.
 *
 * @module
 */
import {
  checkOptions,
  isObject,
  kindOf,
  optionError,
  refuseCallback,
} from "./base/check_options.ts";
import { encodeMessage, MAX_MESSAGE_LENGTH } from "./base/flash_message.ts";
import { checkLifetime, type SessionLifetime } from "./base/lifetime.ts";
import { isReserved, type SessionValues } from "./base/record_text.ts";
import { checkSubject } from "./base/subject.ts";
import { has, put, userKeys } from "./data/session_values.ts";
import {
  findWorkingCopy,
  noteAccess,
  refusal,
  type SessionAbsence,
  WorkingCopy,
  workingCopyOf,
} from "./data/working_copy.ts";
import { SessionError } from "./errors.ts";

export type { SessionAbsence, SessionLifetime };

/** The keys of the middleware in a session's data. The app may read them. */
export interface SessionMetadata {
  /** The session's ID. */
  readonly _id?: string;
  /** When the session was created, in Unix seconds. */
  readonly _created?: number;
  /**
   * When the session was last used, in Unix seconds; in an HTTP request, the time of this request.
   */
  readonly _last_access?: number;
  /** Set it to a true value to replace the session ID with this response. */
  _regenerated?: unknown;
  /** Set it to a true value to end the session with this response. */
  _destroyed?: unknown;
  /** The ID of the user who owns the session. A different value also replaces the session ID. */
  _subject?: string;
}

/** Options of {@linkcode Session.regenerate}. */
export interface RegenerateOptions {
  /**
   * Says that the user has just authenticated again. The absolute lifetime then starts again, as it
   * does with a new `subject`.
   *
   * @default {false}
   */
  authenticated?: boolean;
}

/** A session's data as the app sees it: its own keys and the reserved keys of PAGI. */
export type SessionData<T extends object = Record<string, unknown>> = T & SessionMetadata;

/** A session as `console.log` and `JSON.stringify` show it: neither its values nor its ID. */
export interface SessionSummary {
  /**
   * `writable`, or why the session cannot be written to. It was saved (`committed`) or ended
   * (`destroyed`), or it was loaded for reading (`readOnly`). Or the request has an ID that was
   * replaced (`replaced`), or several IDs (`ambiguous`).
   */
  state: "writable" | "committed" | "destroyed" | "readOnly" | "replaced" | "ambiguous";
  /** Why there is no stored session; left out if there is one. */
  absence?: SessionAbsence;
  /** The app's keys. */
  keys: string[];
}

/** The advice to those who pass a callback. */
const CONTINUE = "Continue on the next line; the session is saved when the response starts";

/** An error lists at most this many keys. If there are more, it gives their number. */
const MAX_KEYS_NAMED = 10;

/**
 * Access to a session's data through methods that catch typos, as PAGI::Session does. It holds a
 * reference to the data: changes through one are visible through the other.
 *
 * The data is behind methods: `session.user = "ada"` throws a TypeError, because nothing would save
 * it, and so does `session.user` if the session has a key `user`. That includes sloppy mode, as in a
 * CommonJS file without `"use strict"`. There, JavaScript ignores only assignments to read-only
 * properties, such as `session.id`. A subclass may have properties, which are not saved.
 * Nothing can notice `delete session.user` and `"user" in session`, which concern the object and not
 * the data: use `session.delete("user")` and `session.exists("user")`.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { Session } from "@pagi/session";
 *
 * const session = Session.fromData<{ user?: string; theme?: string }>({ user: "ada" });
 * assertEquals(session.get("user"), "ada");
 * assertEquals(session.get("theme", "light"), "light");
 * assertThrows(() => session.get("theme"));
 * ```
 */
export class Session<T extends object = Record<string, unknown>> {
  readonly #workingCopy: WorkingCopy;

  static {
    noteAccess((session) => #workingCopy in session ? session.#workingCopy : undefined);
  }

  // Refuses `session.user` and `session.user = "ada"`. Engines would return `undefined`, and ignore
  // the assignment in sloppy mode. The Proxy stands behind the methods, so calls do not reach it.
  static {
    // Neither a subclass nor a Proxy of a session, such as those of Vue.
    const isSession = (receiver: object) =>
      #workingCopy in receiver && Object.getPrototypeOf(receiver) === Session.prototype;
    const handler: ProxyHandler<object> = {
      get(target, key, receiver) {
        // Not "toString" and the like: a client may have chosen the key.
        const isKey = typeof key === "string" && key !== "then" && !(key in target) &&
          isSession(receiver) && has((receiver as Session).#workingCopy.data, key);
        if (isKey) throw noProperty("get", key);
        return Reflect.get(target, key, receiver);
      },
      set(target, key, value, receiver) {
        if (isSession(receiver)) throw noProperty("set", String(key));
        return Reflect.set(target, key, value, receiver);
      },
    };
    Object.setPrototypeOf(Session.prototype, new Proxy({}, handler));
  }

  /**
   * Accepts what a handler has: a session's data, a scope with `pagi.session`, or an object with
   * such a `scope` (a property or a method). Further arguments are ignored.
   *
   * @throws {TypeError} If `source` is something else.
   */
  constructor(source: object, ..._ignored: unknown[]) {
    this.#workingCopy = source instanceof WorkingCopy ? source : findWorkingCopy(source);
    if (new.target === Session) Object.preventExtensions(this);
  }

  /**
   * Makes a session of your own data, for tests. Nothing is saved.
   *
   * @throws {TypeError} If `data` is not an object.
   */
  static fromData<T extends object = Record<string, unknown>>(data: SessionData<T>): Session<T> {
    if (!isObject(data)) throw new TypeError("Cannot make a Session: fromData takes an object");
    return new Session<T>(workingCopyOf(data));
  }

  /**
   * The session ID, 64 hex digits; `undefined` if there is no session. After `regenerate()` it is
   * the old ID until the response has been committed, then the new one. After `restart()` it is
   * `undefined` until then.
   */
  get id(): string | undefined {
    this.#read();
    return this.#workingCopy.id;
  }

  /**
   * The data itself. Changes to this object are saved in the same way as changes made through the
   * methods.
   */
  get data(): SessionData<T> {
    this.#read();
    return this.#workingCopy.materialize() as SessionData<T>;
  }

  /** Why there is no stored session; `undefined` if there is one. */
  get absence(): SessionAbsence | undefined {
    this.#workingCopy.isAccessed = true;
    return this.#workingCopy.absence;
  }

  /**
   * The ID of the user who owns the session. Assigning a different value also replaces the session
   * ID with this response, as a login must. A new session is started first if the client's
   * ID has been replaced, or if the handler has ended the session with `sessions.destroyAll()`. So
   * nobody is kept from signing in.
   *
   * Two subjects are the same user if their strings are equal. Texts that only look equal, such as
   * `é` as one character or as two, are different users. Use an ID from your database, not a name.
   *
   * @throws {TypeError} On assignment, if it is not a string, is empty, or is not well-formed
   * Unicode.
   * @throws {SessionError} On assignment, if the session cannot be written to.
   */
  get subject(): string | undefined {
    return this.#read()._subject as string | undefined;
  }

  set subject(subject: string | undefined) {
    if (subject !== undefined) checkSubject("set the subject", subject);
    const { mode, isEnded, isRestarted } = this.#workingCopy;
    const isOver = mode === "replaced" || (mode === "writable" && isEnded && !isRestarted);
    if (subject !== undefined && isOver) this.restart();
    this.#write("set the subject")._subject = subject;
  }

  /**
   * How long this session lives, in place of what the middleware's options say: "remember me".
   * `undefined` if it has no lifetime of its own; assign that to return to the middleware's. The
   * object is a frozen copy.
   *
   * The cookie follows it, and the response sends it again. So do the store's TTL and the touch
   * interval, which is at most a twentieth of `idle`. If two requests assign different lifetimes, the
   * one that is saved last counts. No other request restores the earlier one.
   *
   * A new ID keeps the lifetime. A new `subject` resets it, except if the same request assigns one:
   * assign the subject first.
   *
   * @throws {TypeError} On assignment, if it is not an object, or a property is unknown or of the wrong
   * type.
   * @throws {RangeError} On assignment, if a duration is below one second or above ten years.
   * @throws {SessionError} On assignment, if the session cannot be written to.
   *
   * @example Remember me
   * ```ts
   * import { assertEquals, assertMatch } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   *
   * const DAY = 86_400;
   * const sessions = new SessionMiddleware({ secret: "replace this with: openssl rand -hex 32" });
   * const logIn = sessions.handler((request, session) => {
   *   session.subject = "user-7";
   *   session.lifetime = new URL(request.url).searchParams.has("remember")
   *     ? { idle: 30 * DAY, persistent: true }
   *     : { persistent: false };
   *   return Response.json(session.lifetime);
   * });
   *
   * const response = await logIn(new Request("http://localhost/login?remember"));
   * assertMatch(response.headers.get("set-cookie")!, /Max-Age=2592000$/);
   * assertEquals(await response.json(), { idle: 2_592_000, persistent: true });
   * ```
   */
  get lifetime(): SessionLifetime | undefined {
    this.#workingCopy.isAccessed = true;
    return this.#workingCopy.lifetime;
  }

  set lifetime(lifetime: SessionLifetime | undefined) {
    const value = lifetime === undefined ? undefined : checkLifetime(lifetime);
    this.#write("set the lifetime");
    this.#workingCopy.metadata.lifetime = { value };
  }

  /**
   * When the session ends if it is not used again, in Unix seconds. In an HTTP request, this request
   * is the last use, with the lifetime that it has assigned. It ends at most `touchInterval` later.
   * `undefined` if no session can be used, as under a replaced ID, or after `destroy()`. A session that
   * the server holds counts from its last `touch()`.
   */
  get expiresAt(): number | undefined {
    this.#workingCopy.isAccessed = true;
    return this.#workingCopy.link?.expiresAt;
  }

  /**
   * Returns the value of `key`. A key whose value is `undefined` does not exist.
   *
   * @throws {SessionError} `ERR_SESSION_KEY` if the key does not exist and no fallback is given.
   */
  get<K extends keyof T & string>(key: K): Exclude<T[K], undefined>;
  /**
   * Returns the value of `key`, or `fallback` if the key does not exist. Never throws. A change of the
   * fallback is not saved: use `getOrInsert` for a list or an object that you add to.
   */
  get<K extends keyof T & string, F>(
    key: K,
    fallback: F,
  ): unknown extends T[K] ? F : Exclude<T[K], undefined> | F;
  get(key: string, ...fallback: [unknown?]): unknown {
    const data = this.#readFor(key);
    if (has(data, key)) return this.#handOut(data[key]);
    if (fallback.length === 0) throw this.#missing("get", key);
    const [value] = fallback;
    if (isObject(value)) this.#workingCopy.noteFallback(key, value);
    return value;
  }

  /**
   * Returns the value of `key`. If the key does not exist, stores `value` first. So what you put into
   * a list or an object that it returns is saved, unlike with the fallback of `get`.
   *
   * @throws {TypeError} If the key is reserved, or there is no value.
   * @throws {SessionError} If the key does not exist and the session cannot be written to.
   *
   * @example A cart that begins empty
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Session } from "@pagi/session";
   *
   * const session = Session.fromData<{ cart?: string[] }>({});
   * session.getOrInsert("cart", []).push("apple");
   * session.getOrInsert("cart", []).push("pear");
   * assertEquals(session.get("cart"), ["apple", "pear"]);
   * ```
   */
  getOrInsert<K extends keyof T & string, V extends T[K]>(
    key: K,
    value: V,
  ): unknown extends T[K] ? V : Exclude<T[K], undefined>;
  getOrInsert(key: string, value: unknown): unknown {
    checkKey("get or insert", key);
    if (value === undefined) {
      throw new TypeError(`Cannot get or insert ${quoted(key)}: there is no value to insert`);
    }
    const data = this.#read();
    if (!has(data, key)) this.#put(this.#write("insert"), key, value);
    return this.#handOut(this.#read()[key]);
  }

  /**
   * Returns the value of `key`, and removes the key. If several requests pull the same value at the
   * same time, only one of them is saved. The others fail with `ERR_SESSION_CONFLICT`, and so does a
   * request whose value another one has changed. So a token works once. A `CookieStore` and a
   * store without versions cannot compare, so there all of them are saved.
   *
   * The handler uses the value before it is saved. If that has effects elsewhere that must not happen
   * twice, await `session.save()` first.
   *
   * @throws {TypeError} If the key is reserved.
   * @throws {SessionError} `ERR_SESSION_KEY` if the key does not exist and no fallback is given;
   * another code if the session cannot be written to.
   *
   * @example The state of an OAuth sign-in, which counts once
   * ```ts
   * import { assertEquals, assertThrows } from "@std/assert";
   * import { Session } from "@pagi/session";
   *
   * const session = Session.fromData<{ oauthState?: string }>({ oauthState: "a-random-text" });
   * assertEquals(session.pull("oauthState"), "a-random-text");
   * assertThrows(() => session.pull("oauthState"));
   * ```
   */
  pull<K extends keyof T & string>(key: K): Exclude<T[K], undefined>;
  /** Returns the value of `key`, and removes the key; returns `fallback` if it does not exist. */
  pull<K extends keyof T & string, F>(
    key: K,
    fallback: F,
  ): unknown extends T[K] ? F : Exclude<T[K], undefined> | F;
  pull(key: string, ...fallback: [unknown?]): unknown {
    checkKey("pull", key);
    if (!has(this.#read(), key)) {
      if (fallback.length === 0) throw this.#missing("pull", key);
      return fallback[0];
    }
    const data = this.#write("pull");
    const value = data[key];
    this.#workingCopy.dropUpdate(key);
    delete data[key];
    // No other request has a new session.
    if (this.#workingCopy.absence === undefined) this.#workingCopy.metadata.pulled.add(key);
    return value;
  }

  /**
   * Adds a message for the user, which the next page shows with `takeFlash`, also after a redirect.
   * Messages are not among the session's keys. They follow it to a new ID, and a session keeps the
   * last 16 of them. `clear()`, `restart()` and `destroy()` remove them.
   *
   * @param kind Groups messages, such as `"info"`.
   * @throws {TypeError} If the kind or the message is not a string, or is empty.
   * @throws {RangeError} If one of them has more than 1000 characters (UTF-16 units).
   * @throws {SessionError} If the session cannot be written to.
   *
   * @example A message that survives a redirect
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   * import { visitor } from "@pagi/session/testing";
   *
   * const sessions = new SessionMiddleware({ secret: "replace this with: openssl rand -hex 32" });
   * const handler = sessions.handler((request, session) => {
   *   if (request.method === "GET") return Response.json(session.takeFlash("info"));
   *   session.flash("info", "Saved");
   *   return new Response(null, { status: 303, headers: { location: "/" } });
   * });
   *
   * const ada = await visitor(sessions);
   * const page = await ada.fetch(handler, "/", { method: "POST", redirect: "follow" });
   * assertEquals(await page.json(), ["Saved"]);
   * assertEquals(await (await ada.fetch(handler)).json(), []);
   * ```
   */
  flash(kind: string, message: string): this {
    checkFlash("kind", kind);
    checkFlash("message", message);
    this.#write("flash a message");
    this.#workingCopy.metadata.added.push(encodeMessage(kind, message));
    return this;
  }

  /**
   * Returns the messages of a kind, the oldest first. The response removes them when it is saved; if
   * that fails, they stay. Messages that several requests add at the same time are all kept. No response
   * shows a message that an earlier one has shown, but two responses at the same time may show the
   * same. If there is no message, nothing is written.
   *
   * @throws {TypeError} If the kind is not a string, or is empty.
   * @throws {RangeError} If it has more than 1000 characters (UTF-16 units).
   * @throws {SessionError} If the session cannot be written to. With an ID that has been replaced,
   * and with several IDs, there is no message.
   */
  takeFlash(kind: string): string[] {
    checkFlash("kind", kind);
    const { mode } = this.#workingCopy;
    this.#workingCopy.isAccessed = true;
    if (mode === "replaced" || mode === "ambiguous") return [];
    if (mode !== "writable") throw refusal(mode, "take messages");
    return this.#workingCopy.takeMessages(kind);
  }

  #missing(verb: string, key: string): SessionError {
    const data = this.#read();
    const keys = userKeys(data).sort();
    const known = keys.length > MAX_KEYS_NAMED
      ? `the session has ${keys.length} others`
      : keys.length === 0
      ? "the session is empty"
      : `the session has ${keys.map(named).join(", ")}`;
    return new SessionError(
      "ERR_SESSION_KEY",
      `Cannot ${verb} ${quoted(key)}: no such key; ${known}`,
    );
  }

  /**
   * Writes one key.
   *
   * @throws {TypeError} If the key is reserved, or the object is a Map, a FormData, a promise or
   * something else whose content is not in its keys.
   * @throws {SessionError} If the session cannot be written to.
   */
  set<K extends keyof T & string>(key: K, value: T[K]): this;
  /** Writes every key of an object. */
  set(values: Partial<T>): this;
  set(keyOrValues: string | object, value?: unknown): this {
    const data = this.#write("set");
    if (typeof keyOrValues === "string") {
      checkKey("set", keyOrValues);
      if (arguments.length < 2) throw notValues("one key");
      this.#put(data, keyOrValues, value);
      return this;
    }
    const values = checkValues(keyOrValues);
    const keys = Object.keys(values);
    for (const key of keys) checkKey("set", key);
    for (const key of keys) this.#put(data, key, values[key]);
    return this;
  }

  /**
   * Changes one key with a function of its value, which is `undefined` if the key does not exist.
   * If another request changes the same key in the meantime, the function is called again with the
   * newer value. So two tabs that each add one add two.
   *
   * @throws {TypeError} If the key is reserved, or the function returns a promise.
   * @throws {SessionError} If the session cannot be written to.
   */
  update<K extends keyof T & string>(key: K, change: (value: T[K] | undefined) => T[K]): this;
  update(key: string, change: (value: never) => unknown): this {
    const data = this.#write("update");
    checkKey("update", key);
    if (typeof change !== "function") {
      throw new TypeError(
        `Cannot update ${
          quoted(key)
        }: expected a function of the value. To write a value, use set()`,
      );
    }
    const replayable = change as (value: unknown) => unknown;
    const old = has(data, key) ? data[key] : undefined;
    const before = this.#workingCopy.codec.fingerprint(old);
    const value = replayable(old);
    if (value instanceof Promise) {
      // Nothing awaits it, and an unhandled rejection would end the process.
      value.catch(() => {});
      throw new TypeError(`Cannot update ${quoted(key)}: the function must not be async`);
    }
    put(data, key, value);
    const earlier = this.#workingCopy.updates.get(key);
    const follows = earlier !== undefined && earlier.after === before;
    const functions = follows ? earlier.functions : [];
    functions.push(replayable);
    this.#workingCopy.setUpdate(key, {
      functions,
      before: follows ? earlier.before : before,
      after: this.#workingCopy.codec.fingerprint(value),
    });
    return this;
  }

  /** Returns whether the key exists. */
  exists(key: keyof T & string): boolean {
    return has(this.#readFor(key), key);
  }

  /**
   * Removes keys. Ignores keys that do not exist.
   *
   * @throws {TypeError} If a key is reserved.
   * @throws {SessionError} If the session cannot be written to.
   */
  delete(...keys: (keyof T & string)[]): this {
    const data = this.#write("delete");
    for (const key of keys) checkKey("delete", key);
    for (const key of keys) {
      this.#workingCopy.dropUpdate(key);
      delete data[key];
    }
    return this;
  }

  /** Returns the keys of the app: all except those that start with `_`. */
  keys(): (keyof T & string)[] {
    return userKeys(this.#read()) as (keyof T & string)[];
  }

  /** Returns an object with those of the keys that exist. */
  slice<K extends keyof T & string>(...keys: K[]): { [P in K]?: Exclude<T[P], undefined> } {
    const found: [key: string, value: unknown][] = [];
    for (const key of keys) {
      const data = this.#readFor(key);
      if (has(data, key)) found.push([key, this.#handOut(data[key])]);
    }
    return Object.fromEntries(found) as { [P in K]?: Exclude<T[P], undefined> };
  }

  /**
   * Removes all keys of the app, including those that another request adds in the meantime. Keys
   * that start with `_`, the session and its ID stay.
   *
   * @throws {TypeError} If it gets a callback.
   * @throws {SessionError} If the session cannot be written to.
   */
  clear(): this {
    refuseCallback("clear", arguments, CONTINUE);
    const data = this.#write("clear");
    for (const key of userKeys(data)) delete data[key];
    this.#workingCopy.clear();
    return this;
  }

  /**
   * Replaces the session ID with this response. The old ID becomes invalid. Call this whenever the
   * user's privileges change, above all at login (OWASP: session fixation).
   *
   * @throws {TypeError} If an option is unknown or of the wrong type, or it gets a callback.
   * @throws {SessionError} If the session cannot be written to.
   */
  regenerate(options: RegenerateOptions = {}): this {
    refuseCallback("regenerate", arguments, CONTINUE);
    checkOptions("the new ID", options, ["authenticated"]);
    const { authenticated = false } = options;
    if (typeof authenticated !== "boolean") {
      throw optionError("the new ID", "authenticated must be true or false");
    }
    this.#write("regenerate")._regenerated = 1;
    this.#workingCopy.isAuthenticated ||= authenticated;
    return this;
  }

  /**
   * Replaces the session ID with this response, for the same user. Unlike after `regenerate()`, the
   * old ID stays valid until a moment after the client first sent the new one (the option
   * `rotateGrace`). So neither a lost response nor a request in progress signs the user out. A
   * request that comes with the old ID is sent the current one again and does not rotate. With a
   * store that cannot compare versions, the old ID becomes invalid, as after `regenerate()`.
   *
   * @throws {TypeError} If it gets a callback.
   * @throws {SessionError} If the session cannot be written to.
   *
   * @example A new ID once a day
   * ```ts
   * import { assertNotEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   *
   * const DAY = 86_400;
   * const sessions = new SessionMiddleware<{ rotatedAt: number }>({
   *   secret: "replace this with: openssl rand -hex 32",
   * });
   * const handler = sessions.handler((_request, session) => {
   *   const now = Date.now() / 1000;
   *   if (now - session.get("rotatedAt", 0) > DAY) session.rotate().set("rotatedAt", now);
   *   return new Response(session.id);
   * });
   *
   * const first = await handler(new Request("http://localhost/"));
   * assertNotEquals(first.headers.get("set-cookie"), null);
   * ```
   */
  rotate(): this {
    refuseCallback("rotate", arguments, CONTINUE);
    this.#write("rotate");
    this.#workingCopy.isRotated = true;
    return this;
  }

  /**
   * Ends this session with the response, and continues with a new, empty one under a new ID. If the
   * client's ID has been replaced, the session that has the newer ID goes on.
   *
   * @throws {TypeError} If it gets a callback.
   * @throws {SessionError} If the session cannot be written to.
   */
  restart(): this {
    refuseCallback("restart", arguments, CONTINUE);
    const { mode } = this.#workingCopy;
    if (mode !== "replaced") this.#write("restart");
    this.#workingCopy.restart();
    return this;
  }

  /**
   * Ends the session with this response: deletes it from the store and clears it at the client.
   * Call this at logout.
   *
   * @throws {TypeError} If it gets a callback.
   * @throws {SessionError} If the session cannot be written to.
   */
  destroy(): this {
    refuseCallback("destroy", arguments, CONTINUE);
    if (!this.#workingCopy.destroyReplaced()) this.#write("destroy")._destroyed = 1;
    return this;
  }

  /**
   * Saves the session now, and resolves to what the client will send from now on: the ID, or the
   * encrypted session of a `CookieStore`. It resolves to `undefined` if the client will send nothing,
   * because the session is new and empty, or has ended. Nothing can be written to the session after
   * that. The headers for the client go onto the response that follows, whatever it is.
   *
   * Call it to keep changes in spite of an exception, which would otherwise discard them. Call it as
   * well to hand out the ID after a login, to a client that has no cookies.
   *
   * If the promise rejects, the session cannot be saved any more in this request, and the response
   * fails with the same error, even if the handler catches it. A second call returns the same
   * promise.
   *
   * @throws {TypeError} If it gets a callback.
   * @throws {SessionError} The promise rejects with it if the session cannot be saved. The code is
   * `ERR_SESSION_COMMITTED` if the response has started, `ERR_SESSION_READ_ONLY` if the session was
   * loaded for reading, and otherwise that with which a response would fail.
   *
   * @example Count failed logins, although the handler throws
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { MemoryStore, SessionMiddleware } from "@pagi/session";
   *
   * const store = new MemoryStore();
   * const sessions = new SessionMiddleware<{ failures: number }>({
   *   secret: "replace this with: openssl rand -hex 32",
   *   store,
   * });
   * const logIn = sessions.handler(async (_request, session) => {
   *   session.update("failures", (failures = 0) => failures + 1);
   *   await session.save();
   *   throw new Error("401 Unauthorized");
   * });
   *
   * await logIn(new Request("http://localhost/login", { method: "POST" })).catch(() => {});
   * assertEquals(store.size, 1);
   * ```
   */
  save(): Promise<string | undefined> {
    refuseCallback("save", arguments, "Await the promise that it returns");
    const { mode, link } = this.#workingCopy;
    this.#workingCopy.isAccessed = true;
    if (link !== undefined) return link.save();
    if (mode !== "writable") return Promise.reject(refusal(mode, "save"));
    // A test's own data: nothing is stored.
    this.#workingCopy.close();
    return Promise.resolve(undefined);
  }

  /**
   * Notes that a session which the server holds is used: that of a WebSocket or of server-sent events,
   * from `sessions.load`, or of a response that streams. Otherwise such a session expires while its
   * connection is open. Call it for each message: the store is called at most once per
   * `touchInterval`. Before the response of a request, nothing has to be noted.
   *
   * Resolves to `false` if there is no such session any more: it has expired or was ended, or somebody
   * else has signed in. Close the connection then. Between two calls of the store it resolves to
   * `true`. The data, and its `_last_access`, stay as they were loaded.
   *
   * @throws {TypeError} If it gets a callback.
   * @throws {SessionError} The promise rejects with `ERR_SESSION_STORE` if the store fails, or if it is
   * a `CookieStore`: only a response can extend a session that lies at its client.
   *
   * @example A connection that keeps its session in use
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   * import { visitor } from "@pagi/session/testing";
   *
   * const sessions = new SessionMiddleware({
   *   secret: "replace this with: openssl rand -hex 32",
   * });
   * const ada = await visitor(sessions, { subject: "user-7" });
   *
   * // When a WebSocket opens, and for each of its messages.
   * const session = await sessions.load(ada.request("/chat"));
   * const isActive = await session!.touch();
   * assertEquals(isActive, true);
   * ```
   */
  touch(): Promise<boolean> {
    refuseCallback("touch", arguments, "Await the promise that it returns");
    // A test's own data stands for a session that is active.
    return this.#workingCopy.link?.touch() ?? Promise.resolve(true);
  }

  /**
   * Makes a CSRF token for the forms and scripts of this page. `sessions.verifyCsrf()` accepts only
   * requests that contain one. Put it into a hidden field `_csrf` of each form, or let your script send
   * it in the header `X-CSRF-Token`.
   *
   * Nothing is stored for it: it depends on the session and on the middleware's secret. Each call
   * returns another text, and all of them are valid until the session ends or its ID is regenerated, as
   * at a login. `rotate()` leaves them valid, except with a plain store. Call it after whatever
   * regenerates the ID. A new session is saved, so that its client can send the token back.
   *
   * @throws {SessionError} If the session is new and cannot be written to.
   *
   * @example A form
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SessionMiddleware } from "@pagi/session";
   * import { visitor } from "@pagi/session/testing";
   *
   * const sessions = new SessionMiddleware({
   *   secret: "replace this with: openssl rand -hex 32",
   * });
   * const handler = sessions.handler(async (request, session) => {
   *   await sessions.verifyCsrf(request, session);
   *   if (request.method === "POST") return new Response("Saved");
   *   return new Response(`<form method="post">
   *     <input type="hidden" name="_csrf" value="${session.csrfToken()}">
   *   </form>`);
   * });
   *
   * const ada = await visitor(sessions);
   * const page = await (await ada.fetch(handler)).text();
   * const body = new FormData();
   * assertEquals((await ada.fetch(handler, "/", { method: "POST", body })).status, 403);
   * body.set("_csrf", page.match(/value="(.*)"/)![1]!);
   * assertEquals((await ada.fetch(handler, "/", { method: "POST", body })).status, 200);
   * ```
   */
  csrfToken(): string {
    this.#workingCopy.isAccessed = true;
    // A test's own data has neither a key nor a secret.
    return this.#workingCopy.link?.csrfToken() ?? "csrf-token-of-test-data";
  }

  /** Returns the session's state and keys, but neither its values nor its ID, for logs. */
  toJSON(): SessionSummary {
    const { mode, data, absence, isDestroyed } = this.#workingCopy;
    const isEnding = mode === "writable" && Boolean(data._destroyed);
    // Looking at a session in a log does not make the response depend on it.
    return {
      state: isEnding || isDestroyed ? "destroyed" : mode,
      ...absence !== undefined && { absence },
      keys: userKeys(data),
    };
  }

  #put(data: SessionValues, key: string, value: unknown): void {
    this.#workingCopy.dropUpdate(key);
    put(data, key, value);
  }

  /** Marks the session as possibly changed if the app receives a mutable value. */
  #handOut(value: unknown): unknown {
    if (isObject(value)) this.#workingCopy.maybeDirty = true;
    return value;
  }

  #read(): SessionValues {
    this.#workingCopy.isAccessed = true;
    return this.#workingCopy.data;
  }

  #readFor(key: string): SessionValues {
    if (typeof key !== "string") throw new TypeError("Cannot read: a key must be a string");
    const data = this.#read();
    // Only the materialized values have all reserved keys.
    return isReserved(key) ? this.#workingCopy.materialize() : data;
  }

  #write(verb: string): SessionValues {
    const { mode } = this.#workingCopy;
    this.#workingCopy.isAccessed = true;
    if (mode !== "writable") throw refusal(mode, verb);
    this.#workingCopy.maybeDirty = true;
    return this.#read();
  }
}

for (const name of ["nodejs.util.inspect.custom", "Deno.customInspect"]) {
  Object.defineProperty(Session.prototype, Symbol.for(name), {
    value(this: Session) {
      return `Session ${JSON.stringify(this)}`;
    },
  });
}

/** The error for data that is used as a property. */
function noProperty(verb: "get" | "set", key: string): TypeError {
  const call = verb === "get" ? `get(${quoted(key)})` : `set(${quoted(key)}, value)`;
  return new TypeError(
    `Cannot ${verb} the property ${key} of a session: its data is behind methods. Use session.${call}`,
  );
}

function checkValues(values: unknown): Record<string, unknown> {
  if (isObject(values) && !Array.isArray(values) && hasKeys(values)) return values;
  throw notValues(kindOf(values));
}

/** Whether an object has keys, or may have some: a Map, a FormData or a promise never has. */
function hasKeys(values: object): boolean {
  if (Object.keys(values).length > 0) return true;
  // The prototype of a plain object is the end of the chain, in whatever realm it was made.
  const prototype = Object.getPrototypeOf(values);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notValues(given: string): TypeError {
  return new TypeError(
    `Cannot set: it takes a key and a value, or an object of them; it got ${given}`,
  );
}

/** Requires a text of a flash message. */
function checkFlash(name: string, text: unknown): asserts text is string {
  if (typeof text !== "string" || text === "") {
    const given = text === "" ? "empty" : kindOf(text);
    throw new TypeError(`Cannot flash: the ${name} must be a text; it is ${given}`);
  }
  if (text.length <= MAX_MESSAGE_LENGTH) return;
  throw new RangeError(
    `Cannot flash: the ${name} has more than ${MAX_MESSAGE_LENGTH} characters. Keep long texts ` +
      "under a key of the session",
  );
}

function checkKey(verb: string, key: unknown): void {
  if (typeof key !== "string") throw new TypeError(`Cannot ${verb}: a key must be a string`);
  if (isReserved(key)) throw new TypeError(`Cannot ${verb} ${quoted(key)}: this key is reserved`);
}

/**
 * A key as a message shows it. It may come from a client, and a line break could forge a line in a
 * log.
 */
function quoted(key: string): string {
  return JSON.stringify(key);
}

function named(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : quoted(key);
}
