/**
 * What lifecycle and the accessor share about one session in one request. It stands beside the
 * data and not in it, so that the app sees a plain object.
 */
import type { SessionValues } from "../base/record_text.ts";
import { isObject } from "../base/check_options.ts";
import { type DataCodec, PLAIN_CODEC } from "./codec.ts";
import type { Intent, KeyUpdate } from "./merge.ts";
import { SessionError, type SessionErrorCode } from "../errors.ts";

/**
 * What may be done with a session: `open`, written to; `committed`, the response was started;
 * `snapshot`, loaded for reading; `moved`, presented under an id that was rotated away;
 * `ambiguous`, presented beside another live session.
 */
export type Mode = "open" | "committed" | "snapshot" | "moved" | "ambiguous";

/** Why a session cannot be written to. */
const REFUSALS: Record<Exclude<Mode, "open">, readonly [code: SessionErrorCode, why: string]> = {
  committed: [
    "ERR_SESSION_COMMITTED",
    "the response has been started and the session saved; use sessions.update() from here on",
  ],
  snapshot: [
    "ERR_SESSION_READ_ONLY",
    "this session was loaded for reading; use sessions.update() to change it",
  ],
  moved: [
    "ERR_SESSION_INTERRUPTED",
    "another request has given this session a new id; retry under that",
  ],
  ambiguous: ["ERR_SESSION_AMBIGUOUS", "the client presents more than one live session"],
};

/** The error for doing `verb` to a session that is not open. */
export function refusal(mode: Exclude<Mode, "open">, verb: string): SessionError {
  const [code, why] = REFUSALS[mode];
  return new SessionError(code, `Cannot ${verb}: ${why}`);
}

const controls = new WeakMap<object, Control>();
const NO_UPDATES: ReadonlyMap<string, KeyUpdate> = new Map();

/** What the app is shown of a session, beside what its record's text holds. */
export interface Shown {
  /** The session's id. */
  readonly id: string;
  /** When it was last used, in Unix seconds. */
  readonly lastAccess: number;
}

/** What is shown of a new session: its id is drawn when somebody looks at it. */
export class NewShown implements Shown {
  readonly lastAccess: number;
  readonly #draw: () => string;
  #id: string | undefined;

  constructor(draw: () => string, lastAccess: number) {
    this.#draw = draw;
    this.lastAccess = lastAccess;
  }

  get id(): string {
    return this.#id ??= this.#draw();
  }
}

/** One session in one request. */
export class Control implements Intent {
  /** The session's data. Whoever hands it to the app calls `expose` instead. */
  readonly data: SessionValues;
  /** How the data will be written. */
  readonly codec: DataCodec;
  mode: Mode;
  /** Keys that were changed by a function. */
  updates: ReadonlyMap<string, KeyUpdate> = NO_UPDATES;
  /** Whether `clear()` was called. */
  isCleared = false;
  /** Whether the accessor was used at all: then the response depends on the session. */
  isAccessed = false;
  /**
   * Whether the app has written to the data or holds a part of it that it could write to. Otherwise the
   * data is what its record says, and need not be looked at.
   */
  isLent = false;
  /** Whether `destroy()` was called on data that cannot be written to. */
  isDestroyed = false;
  #shown: Shown | undefined;
  /** The id of closed data that the app holds. */
  #id: string | undefined;

  /** Without `shown` the data is complete, and the app's to hold already. */
  constructor(data: SessionValues, mode: Mode, shown?: Shown, codec: DataCodec = PLAIN_CODEC) {
    this.data = data;
    this.mode = mode;
    this.codec = codec;
    this.#shown = shown;
  }

  /** The session's id; undefined when there is no session behind this. */
  get id(): string | undefined {
    return this.#shown === undefined ? this.data._id as string | undefined : this.#shown.id;
  }

  /** Whether the app can hold the data. */
  get isExposed(): boolean {
    return this.#shown === undefined;
  }

  /**
   * The data for the app to hold: complete, without a prototype, and leading back to this. Only
   * here, since all of it costs 1 µs, half of a read, and the accessor needs none of it.
   */
  expose(): SessionValues {
    const { data } = this;
    this.isLent = true;
    if (this.#shown !== undefined) {
      Object.setPrototypeOf(data, null);
      data._id = this.#shown.id;
      data._last_access = this.#shown.lastAccess;
      this.#shown = undefined;
      if (this.mode !== "open") Object.freeze(data);
    }
    controls.set(data, this);
    return data;
  }

  /** A logout under an id that was rotated away still ends the session. Whether this is one. */
  destroyLate(): boolean {
    this.isAccessed = true;
    this.isDestroyed ||= this.mode === "moved";
    return this.mode === "moved";
  }

  /** From here on a write is loud. */
  close(): void {
    const { data, mode } = this;
    this.mode = "committed";
    if (mode !== "open") return;
    if (data._regenerated !== undefined) delete data._regenerated;
    if (data._destroyed !== undefined) delete data._destroyed;
    if (this.#shown !== undefined) return;
    // The id may change yet, when the rotation has taken.
    this.#id = data._id as string | undefined;
    Object.defineProperty(data, "_id", { get: () => this.#id, enumerable: true });
    Object.freeze(data);
  }

  /** The session goes by this id from now on. */
  rename(id: string): void {
    if (this.#shown !== undefined) this.#shown = { id, lastAccess: this.#shown.lastAccess };
    else this.#id = id;
  }

  /** Notes how a key was changed. */
  setUpdate(key: string, update: KeyUpdate): void {
    this.updates = new Map(this.updates).set(key, update);
  }

  /** Forgets how a key was changed: something else has written to it. */
  dropUpdate(key: string): void {
    if (!this.updates.has(key)) return;
    const rest = new Map(this.updates);
    rest.delete(key);
    this.updates = rest;
  }

  /** Takes away what others add. */
  clear(): void {
    this.isCleared = true;
  }
}

/** The control of data: lifecycle's, or one of its own. */
export function controlFor(data: SessionValues): Control {
  const known = controls.get(data);
  if (known !== undefined) return known;
  const made = new Control(data, "open");
  made.expose();
  return made;
}

/**
 * The control of what a handler has at hand: a session's data, a scope with `pagi.session`, or an
 * object with such a `scope`.
 *
 * @throws {TypeError} When it is none of these.
 */
export function findControl(source: unknown): Control {
  if (isObject(source)) {
    const known = controls.get(source);
    if (known !== undefined) return known;
    if (isObject(source["pagi.session"])) return controlFor(source["pagi.session"]);
    const scope = typeof source.scope === "function" ? source.scope() : source.scope;
    if (isObject(scope) && isObject(scope["pagi.session"])) {
      return controlFor(scope["pagi.session"]);
    }
  }
  throw new TypeError(
    "Cannot make a Session: expected a session's data, a scope with pagi.session (is the " +
      "middleware in front?), or an object with such a scope",
  );
}
