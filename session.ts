/**
 * {@linkcode Session}: a session's data behind methods that are strict where typos hurt.
 *
 * @module
 */
import { isReserved, type SessionValues } from "./base/record_text.ts";
import { isObject } from "./base/check_options.ts";
import { Control, controlFor, findControl, refusal } from "./data/working_copy.ts";
import { has, put, userKeys } from "./data/session_values.ts";
import { SessionError } from "./errors.ts";

/** The keys that the middleware keeps in a session's data. The app reads them, and no more. */
export interface SessionMetadata {
  /** The session's id. */
  readonly _id?: string;
  /** When the session was made, in Unix seconds. */
  readonly _created?: number;
  /** When the session was last used before this request, or now in an HTTP request; Unix seconds. */
  readonly _last_access?: number;
  /** Set to a true value to get a new id with this response. */
  _regenerated?: unknown;
  /** Set to a true value to end the session with this response. */
  _destroyed?: unknown;
  /** Whose session this is; a new value brings a new id. */
  _subject?: string;
}

/** A session's data as the app sees it: its own keys, and PAGI's reserved ones. */
export type SessionData<T extends object = Record<string, unknown>> = T & SessionMetadata;

/** How many keys an error names before it only counts them. */
const MAX_KEYS_NAMED = 10;

/**
 * A session's data behind methods that do not let typos pass: PAGI::Session. It holds a reference
 * to the data, so changes through either are seen by both.
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
  readonly #control: Control;

  /**
   * Takes what a handler has at hand: a session's data, a scope with `pagi.session`, or an object
   * with such a `scope` (a property or a method). Further arguments are ignored.
   *
   * @throws {TypeError} When it is none of these.
   */
  constructor(source: object, ..._ignored: unknown[]) {
    this.#control = source instanceof Control ? source : findControl(source);
  }

  /**
   * A session around data of your own, for tests. Nothing is saved.
   *
   * @throws {TypeError} When `data` is not an object.
   */
  static fromData<T extends object = Record<string, unknown>>(data: SessionData<T>): Session<T> {
    if (!isObject(data)) throw new TypeError("Cannot make a Session: fromData takes an object");
    return new Session<T>(controlFor(data));
  }

  /** The session's id, 64 hex digits; undefined when there is no session behind this one. */
  get id(): string | undefined {
    this.#read();
    return this.#control.id;
  }

  /** The data itself. What you change in it counts as if it went through the methods. */
  get data(): SessionData<T> {
    this.#read();
    return this.#control.expose() as SessionData<T>;
  }

  /**
   * Whose session this is, as the app said: a user's id. A new value brings a new session id with
   * the response, as a login should.
   *
   * @throws {SessionError} On writing, when the session cannot be written to.
   */
  get subject(): string | undefined {
    return this.#read()._subject as string | undefined;
  }

  set subject(subject: string | undefined) {
    if (subject !== undefined && (typeof subject !== "string" || subject === "")) {
      throw new TypeError("Cannot set the subject: it must be a string that is not empty");
    }
    this.#write("set the subject")._subject = subject;
  }

  /**
   * The value under `key`. A key whose value is undefined does not exist.
   *
   * @throws {SessionError} `ERR_SESSION_KEY` when the key does not exist and no fallback is given.
   */
  get<K extends keyof T & string>(key: K): Exclude<T[K], undefined>;
  /** The value under `key`, or `fallback` when the key does not exist; never throws. */
  get<K extends keyof T & string, F>(
    key: K,
    fallback: F,
  ): unknown extends T[K] ? F : Exclude<T[K], undefined> | F;
  get(key: string, ...fallback: [unknown?]): unknown {
    const data = this.#readFor(key);
    if (has(data, key)) return this.#lend(data[key]);
    if (fallback.length > 0) return fallback[0];
    const keys = userKeys(data).sort();
    const known = keys.length > MAX_KEYS_NAMED
      ? `the session has ${keys.length} others`
      : keys.length === 0
      ? "the session is empty"
      : `the session has ${keys.map(named).join(", ")}`;
    throw new SessionError("ERR_SESSION_KEY", `Cannot get ${quoted(key)}: no such key; ${known}`);
  }

  /**
   * Writes one key.
   *
   * @throws {TypeError} When a key is one of PAGI's reserved ones.
   * @throws {SessionError} When the session cannot be written to.
   */
  set<K extends keyof T & string>(key: K, value: T[K]): this;
  /** Writes every key of an object. */
  set(values: Partial<T>): this;
  set(keyOrValues: string | object, value?: unknown): this {
    const data = this.#write("set");
    if (typeof keyOrValues === "string") {
      checkKey("set", keyOrValues);
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
   * Changes one key by a function of its value, which is undefined when the key does not exist.
   * If another request changes the same key meanwhile, the function is called again, with the
   * newer value: two tabs that count up by one count two.
   *
   * @throws {TypeError} When the key is reserved, or the function returns a promise.
   * @throws {SessionError} When the session cannot be written to.
   */
  update<K extends keyof T & string>(key: K, change: (value: T[K] | undefined) => T[K]): this;
  update(key: string, change: (value: never) => unknown): this {
    const data = this.#write("update");
    checkKey("update", key);
    const replayable = change as (value: unknown) => unknown;
    const old = has(data, key) ? data[key] : undefined;
    const before = this.#control.codec.fingerprint(old);
    const value = replayable(old);
    if (value instanceof Promise) {
      // Nobody will wait for it, and a rejection that nobody sees ends the process.
      value.catch(() => {});
      throw new TypeError(`Cannot update ${quoted(key)}: the function must not be async`);
    }
    put(data, key, value);
    const earlier = this.#control.updates.get(key);
    const follows = earlier !== undefined && earlier.after === before;
    this.#control.setUpdate(key, {
      functions: follows ? [...earlier.functions, replayable] : [replayable],
      before: follows ? earlier.before : before,
      after: this.#control.codec.fingerprint(value),
    });
    return this;
  }

  /** Whether the key exists. */
  exists(key: keyof T & string): boolean {
    return has(this.#readFor(key), key);
  }

  /**
   * Removes keys; those that do not exist are passed over.
   *
   * @throws {TypeError} When a key is one of PAGI's reserved ones.
   * @throws {SessionError} When the session cannot be written to.
   */
  delete(...keys: (keyof T & string)[]): this {
    const data = this.#write("delete");
    for (const key of keys) checkKey("delete", key);
    for (const key of keys) {
      this.#control.dropUpdate(key);
      delete data[key];
    }
    return this;
  }

  /** The app's keys: all but those that start with `_`. */
  keys(): (keyof T & string)[] {
    return userKeys(this.#read()) as (keyof T & string)[];
  }

  /** An object with those of the keys that exist. */
  slice<K extends keyof T & string>(...keys: K[]): { [P in K]?: Exclude<T[P], undefined> } {
    const found: [key: string, value: unknown][] = [];
    for (const key of keys) {
      const data = this.#readFor(key);
      if (has(data, key)) found.push([key, this.#lend(data[key])]);
    }
    return Object.fromEntries(found) as { [P in K]?: Exclude<T[P], undefined> };
  }

  /**
   * Removes all of the app's keys, those included that another request adds meanwhile. The session
   * and its id stay.
   *
   * @throws {SessionError} When the session cannot be written to.
   */
  clear(): this {
    const data = this.#write("clear");
    for (const key of userKeys(data)) delete data[key];
    this.#control.clear();
    return this;
  }

  /**
   * Gives the session a new id with this response; the old one is dead from then on. Do so
   * whenever rights change, at login above all (OWASP: session fixation).
   *
   * @throws {SessionError} When the session cannot be written to.
   */
  regenerate(): this {
    this.#write("regenerate")._regenerated = 1;
    return this;
  }

  /**
   * Ends the session with this response: it is deleted from the store and the client is told to
   * forget it. For logout.
   *
   * @throws {SessionError} When the session cannot be written to.
   */
  destroy(): this {
    if (!this.#control.destroyLate()) this.#write("destroy")._destroyed = 1;
    return this;
  }

  #put(data: SessionValues, key: string, value: unknown): void {
    this.#control.dropUpdate(key);
    put(data, key, value);
  }

  /** What can be changed from outside has to be looked at when the session is saved. */
  #lend(value: unknown): unknown {
    if (isObject(value)) this.#control.isLent = true;
    return value;
  }

  #read(): SessionValues {
    this.#control.isAccessed = true;
    return this.#control.data;
  }

  #readFor(key: string): SessionValues {
    const data = this.#read();
    // PAGI's reserved keys are complete in what the app is shown.
    return isReserved(key) ? this.#control.expose() : data;
  }

  #write(verb: string): SessionValues {
    const { mode } = this.#control;
    this.#control.isAccessed = true;
    if (mode !== "open") {
      throw refusal(mode, verb);
    }
    this.#control.isLent = true;
    return this.#read();
  }
}

function checkValues(values: unknown): Record<string, unknown> {
  if (isObject(values) && !Array.isArray(values)) return values;
  throw new TypeError("Cannot set: it takes a key and a value, or an object of them");
}

function checkKey(verb: string, key: unknown): void {
  if (typeof key !== "string") throw new TypeError(`Cannot ${verb}: a key must be a string`);
  if (isReserved(key)) throw new TypeError(`Cannot ${verb} ${quoted(key)}: this key is reserved`);
}

/** A key in a message; it may be a client's, and a line break in it would forge a line of a log. */
function quoted(key: string): string {
  return JSON.stringify(key);
}

function named(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : quoted(key);
}
