/** The middleware's options: what they are, and how they are checked, once. */
import { checkNumber, checkOptions, checkSecrets, hasMethods } from "../base/check_options.ts";
import { PLAIN_METHODS, VERSIONED_METHODS } from "../base/store_methods.ts";
import { type CodecName, DataCodec } from "../data/codec.ts";
import type { SessionError } from "../errors.ts";
import { type CookieOptions, CookieState } from "../state/cookie.ts";
import type { SessionState } from "../state/state.ts";
import { MemoryStore } from "../store/memory.ts";
import type { SessionStore } from "../store/store.ts";

/**
 * Something that an operator may want to know, and that no request fails for.
 *
 * | type | what happened |
 * | --- | --- |
 * | `store-without-guarantees` | the store cannot compare versions, or keeps nothing itself: its message says what that means |
 * | `touch-failed` | the store failed to note a session's use; the request went on |
 * | `record-corrupt` | the store gave back what is no session; the client was treated as new |
 * | `ambiguous` | a client presented more than one live session and was given none |
 * | `public-response` | an id was sent with a `Cache-Control` that lets shared caches keep it: `public`, `s-maxage`, or none of `private`, `no-cache` and `no-store` |
 * | `cleanup-failed` | a record that no client knows could not be removed; it will expire |
 * | `destroy-failed` | the handler called `destroy()` and threw; then the store failed too |
 * | `headers-dropped` | the session's headers could not be put on a 101 response, or on one that was sent already |
 */
export interface SessionEvent {
  /** What happened. */
  type:
    | "store-without-guarantees"
    | "touch-failed"
    | "record-corrupt"
    | "ambiguous"
    | "public-response"
    | "cleanup-failed"
    | "destroy-failed"
    | "headers-dropped";
  /** The same for a person to read; holds no id, secret or session data. */
  message: string;
  /** The error underneath, where there is one. */
  cause?: unknown;
}

/** Options of the session middleware: PAGI's first, then this package's own. */
export interface SessionOptions {
  /**
   * What session ids are derived from, beside fresh randomness, and what seals the ids in the lists
   * of `sessions.list`: at least 32 random bytes, the same in every process. Required; keep it to
   * yourself. In a list the first is used, and the others open what was sealed under them: after a
   * change keep the old one there for `expire` and an hour.
   */
  secret: string | readonly string[];
  /**
   * Seconds without a request after which a session has expired.
   *
   * @default {3600}
   */
  expire?: number;
  /**
   * How the id travels.
   *
   * @default {a CookieState}
   */
  state?: SessionState;
  /**
   * Where the data is kept.
   *
   * @default {a MemoryStore}
   */
  store?: SessionStore;
  /**
   * The cookie's name, where `state` is not given.
   *
   * @default {"pagi_session"}
   */
  cookieName?: string;
  /** The cookie's attributes, where `state` is not given; merged over the defaults. */
  cookieOptions?: CookieOptions;
  /**
   * Saves and sends a new session even if nothing was written to it, as PAGI does.
   *
   * @default {false}
   */
  saveUninitialized?: boolean;
  /**
   * Sends the cookie again, for as long as at first, when the store has noted the session's use.
   *
   * @default {true}
   */
  rolling?: boolean;
  /**
   * Seconds between two notes in the store that a session is in use, where requests change nothing of
   * it; capped at `expire / 20`.
   *
   * @default {60}
   */
  touchInterval?: number;
  /**
   * Seconds after which a session ends, however much it is used.
   *
   * @default {undefined, never}
   */
  absoluteExpire?: number;
  /**
   * Adds `Vary` to what `wrap` sends, as the fetch doors do by themselves.
   *
   * @default {false}
   */
  vary?: boolean;
  /**
   * Seconds that the store may take for one answer.
   *
   * @default {5}
   */
  storeTimeout?: number;
  /**
   * How large a session may be, in bytes of its record's text in UTF-8. What would be larger is not
   * saved: `ERR_SESSION_TOO_LARGE`.
   *
   * @default {65536}
   */
  maxBytes?: number;
  /**
   * How values are written. `"json"` refuses what JSON would change. `"structured"` also keeps, nested
   * anywhere: Date, Map, Set, URL, bigint, undefined, NaN, the infinities, -0, ArrayBuffer, DataView and
   * typed arrays, as tags in the JSON; both refuse the rest, with `ERR_SESSION_DATA`.
   *
   * @default {"json"}
   */
  codec?: "json" | "structured";
  /**
   * The clock, in Unix milliseconds; for tests.
   *
   * @default {Date.now}
   */
  now?: () => number;
  /**
   * Makes ids: 64 lowercase hex digits each; for tests.
   *
   * @default {random bytes and `secret`}
   */
  generateId?: () => string | Promise<string>;
  /** Is told what an operator may want to know. What it throws is ignored. */
  onEvent?: (event: SessionEvent) => void;
  /**
   * Makes the response of `handler` for a session that failed; undefined leaves it to the default.
   *
   * @default {a short text with 400, 409 or 503}
   */
  onError?: (
    error: SessionError,
    request: Request,
  ) => Response | undefined | Promise<Response | undefined>;
}

/** The options, checked and complete. Durations in seconds. */
export interface Settings {
  /** The first is used; all open. */
  secrets: readonly string[];
  expire: number;
  state: SessionState;
  store: SessionStore;
  saveUninitialized: boolean;
  rolling: boolean;
  touchInterval: number;
  absoluteExpire: number;
  vary: boolean;
  storeTimeout: number;
  codec: DataCodec;
  now: () => number;
  generateId: (() => string | Promise<string>) | undefined;
  emit: (event: SessionEvent) => void;
  onError: SessionOptions["onError"];
}

const OWNER = "the session middleware";
const DEFAULT_EXPIRE = 3600;
const DEFAULT_TOUCH_INTERVAL = 60;
/** A touch may come late by this part of `expire`, so a session may end that much early. */
const TOUCHES_PER_EXPIRE = 20;
const DEFAULT_STORE_TIMEOUT = 5;
const DEFAULT_MAX_BYTES = 65_536;

const CODECS: readonly unknown[] = ["json", "structured"] satisfies CodecName[];

const BOOLEANS = ["saveUninitialized", "rolling", "vary"] as const;
const FUNCTIONS = ["now", "generateId", "onEvent", "onError"] as const;
const DURATIONS = ["expire", "touchInterval", "absoluteExpire", "storeTimeout"] as const;
const KNOWN = [
  "secret",
  "state",
  "store",
  "cookieName",
  "cookieOptions",
  "maxBytes",
  "codec",
  ...DURATIONS,
  ...BOOLEANS,
  ...FUNCTIONS,
];

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError} When an option is missing, unknown, or of the wrong kind.
 * @throws {RangeError} When a duration is not a number from 0 up.
 */
export function settle(options: SessionOptions): Settings {
  check(options);
  const { secret, expire = DEFAULT_EXPIRE, cookieName, cookieOptions, onEvent } = options;
  const secrets = checkSecrets(OWNER, secret, 0);
  if (secrets.includes("")) throw new TypeError(`Cannot make ${OWNER}: secret must not be empty`);
  const now = options.now ?? Date.now;
  return {
    secrets,
    expire,
    state: options.state ?? new CookieState({ cookieName, cookieOptions }),
    store: options.store ?? new MemoryStore({ now: options.now }),
    saveUninitialized: options.saveUninitialized ?? false,
    rolling: options.rolling ?? true,
    touchInterval: Math.min(
      options.touchInterval ?? DEFAULT_TOUCH_INTERVAL,
      expire / TOUCHES_PER_EXPIRE,
    ),
    absoluteExpire: options.absoluteExpire ?? Infinity,
    vary: options.vary ?? false,
    storeTimeout: options.storeTimeout ?? DEFAULT_STORE_TIMEOUT,
    codec: new DataCodec(options.codec ?? "json", options.maxBytes ?? DEFAULT_MAX_BYTES),
    now,
    generateId: options.generateId,
    emit(event) {
      try {
        onEvent?.(event);
      } catch {
        // A listener that fails must not fail the request that it was told about.
      }
    },
    onError: options.onError,
  };
}

function check(options: SessionOptions): void {
  checkOptions(OWNER, options, KNOWN);
  for (const name of DURATIONS) {
    if (options[name] !== undefined) checkNumber(OWNER, name, options[name], "seconds");
  }
  if (options.maxBytes !== undefined) checkNumber(OWNER, "maxBytes", options.maxBytes, "bytes");
  if (options.codec !== undefined && !CODECS.includes(options.codec)) {
    throw new TypeError(`Cannot make ${OWNER}: codec must be "json" or "structured"`);
  }
  for (const name of BOOLEANS) {
    if (options[name] !== undefined && typeof options[name] !== "boolean") {
      throw new TypeError(`Cannot make ${OWNER}: ${name} must be true or false`);
    }
  }
  for (const name of FUNCTIONS) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw new TypeError(`Cannot make ${OWNER}: ${name} must be a function`);
    }
  }
  if (options.state !== undefined) {
    for (const name of ["cookieName", "cookieOptions"] as const) {
      if (options[name] === undefined) continue;
      throw new TypeError(`Cannot make ${OWNER}: ${name} beside state would be ignored`);
    }
    if (!hasMethods(options.state, ["extract", "inject"])) {
      throw new TypeError(`Cannot make ${OWNER}: state must have the methods extract and inject`);
    }
    const { name } = options.state;
    if (name !== undefined && typeof name !== "string") {
      throw new TypeError(`Cannot make ${OWNER}: the state's name must be a string`);
    }
  }
  if (
    options.store !== undefined && !hasMethods(options.store, PLAIN_METHODS) &&
    !hasMethods(options.store, VERSIONED_METHODS)
  ) {
    throw new TypeError(
      `Cannot make ${OWNER}: store must have the methods ${
        PLAIN_METHODS.join(", ")
      }, or those of ` +
        "a VersionedStore",
    );
  }
}
