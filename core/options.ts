/** The middleware's options: what they are, and how they are checked, once. */
import {
  checkNumber,
  checkOptions,
  checkSeconds,
  checkSecrets,
  hasMethods,
  kindOf,
  optionError,
} from "../base/check_options.ts";
import { DEFAULT_EXPIRE } from "../base/limits.ts";
import { PLAIN_METHODS, VERSIONED_METHODS } from "../base/store_methods.ts";
import { type CodecName, DataCodec } from "../data/codec.ts";
import type { SessionError } from "../errors.ts";
import type { CookieOptions, SessionState } from "../state/state.ts";
import type { SessionStore } from "../store/store.ts";
import type { SessionEvent } from "./event.ts";
import { consoleListener } from "./event_log.ts";

/** Options of the session middleware: PAGI's first, then those of this package. */
export interface SessionOptions {
  /**
   * Required. A secret, or a list of secrets for rotation; use at least 32 random bytes (a shorter
   * one is the event `short-secret`) and the same value in every process. New session IDs are derived from the first secret together with
   * fresh random bytes. It also encrypts the IDs in the lists of `sessions.list`; the other secrets
   * still decrypt them. After a change, keep the old secret in the list for `expire`, or the longest `session.lifetime`, and an hour.
   */
  secret: string | readonly string[];
  /**
   * Ends a session after this many seconds without a request: at least 1, and at most ten years. A
   * fraction is rounded up. A session may have a lifetime of its own: see `session.lifetime`.
   *
   * @default {3600}
   */
  expire?: number;
  /**
   * Carries the session ID between client and server.
   *
   * @default {a CookieState}
   */
  state?: SessionState;
  /**
   * Names the place of the session, for an app with several middlewares, such as a shop with an admin
   * area. With the key `admin`, the session is `req.admin`, `c.get("admin")`, `ctx.state.admin` or
   * `scope["pagi.session.admin"]`, and its cookie is called `pagi_session_admin`. Use letters, digits,
   * `_` and `-`, with a letter first.
   *
   * @default {undefined, the place is `session`, or `scope["pagi.session"]`}
   */
  key?: string;
  /**
   * Keeps the data.
   *
   * @default {a MemoryStore}
   */
  store?: SessionStore;
  /**
   * Names the cookie. Cannot be combined with `state`; pass the name to that State instead.
   *
   * @default {"pagi_session"; with a `key`, that follows after an underscore}
   */
  cookieName?: string;
  /** Sets the cookie's attributes, merged over the defaults. Cannot be combined with `state`. */
  cookieOptions?: CookieOptions;
  /**
   * Saves and sends a new session even if nothing was written to it, as PAGI does.
   *
   * @default {false}
   */
  saveUninitialized?: boolean;
  /**
   * Sends the cookie again, with its full lifetime, to a client that uses the session. A navigation
   * gets the cookie once in `touchInterval`. Another request gets it when less than half of the
   * cookie's lifetime remains.
   *
   * @default {true}
   */
  rolling?: boolean;
  /**
   * Sets the minimum number of seconds between two updates of the last-access time, and between two
   * renewals of the cookie. Values above `expire / 20` are reduced to `expire / 20`, which is the
   * event `questionable-option`. For a session with a shorter lifetime of its own, a twentieth of that
   * is the most.
   *
   * @default {60}
   */
  touchInterval?: number;
  /**
   * Ends a session this many seconds after its user signed in, or after it was created if nobody
   * has, even if it is in use. A new `subject` counts as a sign-in, and so does
   * `session.regenerate({ authenticated: true })`. No lifetime of a single session exceeds it.
   *
   * @default {undefined, never}
   */
  absoluteExpire?: number;
  /**
   * After `session.rotate()`, the old ID opens the same session until this many seconds after the
   * client first sent the new one. Two minutes are added for clocks that differ.
   *
   * @default {30}
   */
  rotateGrace?: number;
  /**
   * Rotates the ID at a navigation if it is older than this many seconds.
   *
   * @default {undefined, only `session.rotate()` does}
   */
  rotateInterval?: number;
  /**
   * Adds `Vary` to the responses of `wrap`. The fetch entry points always do.
   *
   * @default {false}
   */
  vary?: boolean;
  /**
   * Limits the seconds that one call of the store may take. All requests that wait for the call fail
   * with it.
   *
   * @default {5}
   */
  storeTimeout?: number;
  /**
   * Limits the size of a session, in bytes of its JSON in UTF-8. A larger session is not
   * saved and throws `ERR_SESSION_TOO_LARGE`.
   *
   * @default {65536}
   */
  maxBytes?: number;
  /**
   * Selects how values are encoded. `"json"` rejects values that JSON would change. `"structured"`
   * also stores, at any depth, Date, Map, Set, URL, bigint, undefined, NaN, the infinities, -0,
   * ArrayBuffer, DataView and typed arrays, as tags in the JSON. Both reject all other values with
   * `ERR_SESSION_DATA`.
   *
   * @default {"json"}
   */
  codec?: "json" | "structured";
  /**
   * Returns the time in Unix milliseconds. For tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
  /**
   * Generates IDs of 64 lowercase hex digits. For tests.
   *
   * @default {random bytes and `secret`}
   */
  generateId?: () => string | Promise<string>;
  /**
   * Called for every {@linkcode SessionEvent}. Errors thrown by the callback are ignored.
   *
   * @default {writes each kind of event to the console, at most once a minute; not
   * `store-without-guarantees`, and not `request-failed` if there is an `onError`}
   */
  onEvent?: (event: SessionEvent) => void;
  /**
   * Makes the response of `handler` for a session that failed. Return `undefined` for the default.
   *
   * @default {a short text with 400, 409 or 503}
   */
  onError?: (
    error: SessionError,
    request: Request,
  ) => Response | undefined | Promise<Response | undefined>;
}

/** Makes the State and the store if the options have none. */
export interface SessionDefaults {
  /** Makes the State. */
  state(options: SessionOptions): SessionState;
  /** Makes the store. */
  store(options: SessionOptions): SessionStore;
}

/** The options, checked and complete. Durations are in seconds. */
export interface ResolvedOptions {
  /** The first secret is used for new values; all of them open existing ones. */
  secrets: readonly string[];
  expire: number;
  state: SessionState;
  store: SessionStore;
  key: string | undefined;
  saveUninitialized: boolean;
  rolling: boolean;
  touchInterval: number;
  absoluteExpire: number;
  rotateGrace: number;
  rotateInterval: number;
  vary: boolean;
  storeTimeout: number;
  codec: DataCodec;
  now: () => number;
  generateId: (() => string | Promise<string>) | undefined;
  emit: (event: SessionEvent) => void;
  onError: SessionOptions["onError"];
}

const OWNER = "the session middleware";
const DEFAULT_TOUCH_INTERVAL = 60;
/** `touchInterval` is at most this part of `expire`, because a session may end that much late. */
export const TOUCHES_PER_EXPIRE = 20;
const DEFAULT_STORE_TIMEOUT = 5;
const DEFAULT_ROTATE_GRACE = 30;
const DEFAULT_MAX_BYTES = 65_536;

const IN_SECONDS = "use expire, in seconds";
/** Options that other libraries have, and what to use here. */
const HINTS: Readonly<Record<string, string>> = {
  name: "use cookieName",
  cookie: "use cookieOptions",
  ...Object.fromEntries(
    ["httpOnly", "path", "sameSite", "secure", "domain"]
      .map((name) => [name, `use cookieOptions: { ${name} }`]),
  ),
  maxAge: IN_SECONDS,
  ttl: IN_SECONDS,
  expireAfterSeconds: IN_SECONDS,
  expires: IN_SECONDS,
  ...Object.fromEntries(["secrets", "keys", "password", "encryptionKey"]
    .map((name) => [name, "use secret, which may be a list"])),
  sessionCookieName: "use cookieName",
  genid: "use generateId",
  resave: "leave it out: only changes are saved",
};

const CODECS: readonly unknown[] = ["json", "structured"] satisfies CodecName[];

const BOOLEANS = ["saveUninitialized", "rolling", "vary"] as const;
const FUNCTIONS = ["now", "generateId", "onEvent", "onError"] as const;
const DURATIONS = [
  "expire",
  "touchInterval",
  "absoluteExpire",
  "rotateGrace",
  "rotateInterval",
  "storeTimeout",
] as const;
const KNOWN = [
  "secret",
  "state",
  "store",
  "cookieName",
  "cookieOptions",
  "key",
  "maxBytes",
  "codec",
  ...DURATIONS,
  ...BOOLEANS,
  ...FUNCTIONS,
];

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError} If an option is missing, unknown or of the wrong type.
 * @throws {RangeError} If a duration is not a number of seconds that makes sense.
 */
export function resolveOptions(
  options: SessionOptions,
  defaults: SessionDefaults,
): ResolvedOptions {
  check(options);
  const { secret, onEvent } = options;
  // Stored times have no fractions. With one in `expire`, a session could end up to a second early.
  const expire = Math.ceil(options.expire ?? DEFAULT_EXPIRE);
  const secrets = checkSecrets(OWNER, secret, 0);
  if (secrets.includes("")) throw optionError(OWNER, "secret must not be empty");
  const now = options.now ?? Date.now;
  const listen = onEvent ?? consoleListener(now, options.onError !== undefined);
  return {
    secrets,
    expire,
    state: options.state ?? defaults.state(options),
    store: options.store ?? defaults.store(options),
    key: options.key,
    saveUninitialized: options.saveUninitialized ?? false,
    rolling: options.rolling ?? true,
    touchInterval: Math.min(
      options.touchInterval ?? DEFAULT_TOUCH_INTERVAL,
      expire / TOUCHES_PER_EXPIRE,
    ),
    absoluteExpire: options.absoluteExpire ?? Infinity,
    rotateGrace: options.rotateGrace ?? DEFAULT_ROTATE_GRACE,
    rotateInterval: options.rotateInterval ?? Infinity,
    vary: options.vary ?? false,
    storeTimeout: options.storeTimeout ?? DEFAULT_STORE_TIMEOUT,
    codec: new DataCodec(options.codec ?? "json", options.maxBytes ?? DEFAULT_MAX_BYTES),
    now,
    generateId: options.generateId,
    emit(event) {
      try {
        listen(event);
      } catch {
        // A listener that throws must not make the request fail.
      }
    },
    onError: options.onError,
  };
}

function check(options: SessionOptions): void {
  checkOptions(OWNER, options, KNOWN, HINTS);
  for (const name of DURATIONS) {
    if (options[name] !== undefined) checkSeconds(OWNER, name, options[name]);
  }
  for (const name of ["expire", "absoluteExpire"] as const) {
    const seconds = options[name];
    if (seconds === undefined || seconds >= 1) continue;
    // In other libraries, 0 stands for no limit, or for the browser session.
    throw optionError(
      OWNER,
      `${name} must be at least 1 second; it is ${seconds}. To end the cookie with the browser, ` +
        "set cookieOptions.maxAge to false",
      RangeError,
    );
  }
  const { key } = options;
  if (key !== undefined && (typeof key !== "string" || !/^[A-Za-z][\w-]*$/.test(key))) {
    throw optionError(OWNER, "key must be a letter, then letters, digits, _ and -");
  }
  if (options.maxBytes !== undefined) checkNumber(OWNER, "maxBytes", options.maxBytes, "bytes");
  if (options.codec !== undefined && !CODECS.includes(options.codec)) {
    throw optionError(OWNER, `codec must be "json" or "structured"`);
  }
  for (const name of BOOLEANS) {
    if (options[name] !== undefined && typeof options[name] !== "boolean") {
      throw optionError(OWNER, `${name} must be true or false`);
    }
  }
  for (const name of FUNCTIONS) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw optionError(OWNER, `${name} must be a function`);
    }
  }
  if (options.state !== undefined) {
    for (const name of ["cookieName", "cookieOptions"] as const) {
      if (options[name] === undefined) continue;
      throw optionError(OWNER, `${name} beside state would be ignored`);
    }
    if (!hasMethods(options.state, ["extract", "inject"])) {
      throw optionError(
        OWNER,
        `state must have the methods extract and inject; it is ${kindOf(options.state)}`,
      );
    }
    const { name, choose } = options.state;
    if (choose !== undefined && typeof choose !== "function") {
      throw optionError(OWNER, "the state's choose must be a function");
    }
    if (name !== undefined && typeof name !== "string") {
      throw optionError(OWNER, "the state's name must be a string");
    }
  }
  if (
    options.store !== undefined && !hasMethods(options.store, PLAIN_METHODS) &&
    !hasMethods(options.store, VERSIONED_METHODS)
  ) {
    throw optionError(
      OWNER,
      `store must have the methods ${PLAIN_METHODS.join(", ")}, or those of ` +
        `a VersionedStore; it is ${kindOf(options.store)}`,
    );
  }
}
