/**
 * One session's values during one request, with the state that the rules need. It is an object of
 * its own, so that the app's object contains nothing but the session's values.
 */
import { isObject } from "../base/check_options.ts";
import type { SessionValues } from "../base/record_text.ts";
import { SessionError, type SessionErrorCode } from "../errors.ts";
import type { SessionLifetime } from "../base/lifetime.ts";
import { isOfKind, textOf } from "../base/flash_message.ts";
import { type DataCodec, PLAIN_CODEC } from "./codec.ts";
import type { KeyUpdate, ReplayableUpdates } from "./merge.ts";
import { MetadataChange } from "./metadata_change.ts";
import { has } from "./session_values.ts";
import type { SessionLink } from "./session_link.ts";

/**
 * How a session may be used:
 * - `writable`: everything.
 * - `committed`: it was saved, by `save()` or for the response, so nothing is saved any more.
 * - `readOnly`: it was loaded for reading.
 * - `replaced`: the client sent an ID that a regeneration has replaced.
 * - `ambiguous`: the client sent several IDs, and none can be trusted.
 */
export type Mode = "writable" | "committed" | "readOnly" | "replaced" | "ambiguous";

/** Why a session cannot be written to. */
const REFUSALS: Record<Exclude<Mode, "writable">, readonly [code: SessionErrorCode, why: string]> =
  {
    committed: [
      "ERR_SESSION_COMMITTED",
      "the session was saved already, by session.save() or because the response has started",
    ],
    readOnly: ["ERR_SESSION_READ_ONLY", "this session was loaded for reading"],
    replaced: [
      "ERR_SESSION_INTERRUPTED",
      "another request has given this session a new ID. Repeat the request with that",
    ],
    ambiguous: [
      "ERR_SESSION_AMBIGUOUS",
      "the request carries several session IDs, and none can be trusted. Delete the site's cookies",
    ],
  };

/** The verbs of changes that `sessions.update()` can make. */
const VALUE_VERBS = ["set", "update", "delete", "clear"];

/** The error for doing `verb` to a session that is not writable. */
export function refusal(mode: Exclude<Mode, "writable">, verb: string): SessionError {
  const [code, why] = REFUSALS[mode];
  const advice = mode === "replaced" || mode === "ambiguous" ? "" : `. ${adviceFor(mode, verb)}`;
  return new SessionError(code, `Cannot ${verb}: ${why}${advice}`);
}

/** Another way to do what is too late here, or not possible. */
function adviceFor(mode: Mode, verb: string): string {
  if (VALUE_VERBS.includes(verb)) return "Use sessions.update() to change it";
  if (verb === "destroy") return "Use sessions.destroy() to end it";
  return mode === "committed" ? "Do it before that" : "Only the handler of a request can do that";
}

/**
 * Why a request has no stored session:
 *
 * - `none`: the client sent no ID.
 * - `unknown`: no session has the ID that it sent, or not any more.
 * - `expired`: the session has expired.
 * - `replaced`: the session has a newer ID.
 * - `ambiguous`: the client sent several IDs, and none can be trusted.
 */
export type SessionAbsence = "none" | "unknown" | "expired" | "replaced" | "ambiguous";

/**
 * Identifies a session, and the ID and the subject that it had when it was loaded. A server that
 * holds a session may change it later, but only if nobody else has signed in since.
 */
export interface SessionLineage {
  readonly key: string;
  readonly header: {
    readonly regenerations: number;
    readonly subjectChanges: number;
  };
}

const workingCopies = new WeakMap<object, WorkingCopy>();
/** How many fallbacks of a request are watched. */
const MAX_FALLBACKS = 8;
const NO_UPDATES: ReadonlyMap<string, KeyUpdate> = new Map();

/** The metadata of a session that its record's text does not hold. */
export interface SessionIdentity {
  /**
   * The session's ID, or a function that generates it: most new sessions are never saved.
   * `undefined` if there is no session.
   */
  readonly id: string | (() => string) | undefined;
  /** When the session was last used, in Unix seconds. */
  readonly lastAccess: number;
}

/** One session in one request. */
export class WorkingCopy implements ReplayableUpdates {
  /** The values. To hand them to the app, call `materialize`. */
  data: SessionValues;
  /** How the values are encoded. */
  readonly codec: DataCodec;
  mode: Mode;
  /** Whether `clear()` was called. */
  isCleared = false;
  /** Whether the handler used the `Session` object. Then the response depends on the session. */
  isAccessed = false;
  /** True if the data may have changed: the handler wrote to it or was given a mutable value. */
  maybeDirty = false;
  /** Whether `destroy()` was called on values that cannot be written to. */
  isDestroyed = false;
  /** Whether the handler has ended the stored session by a call such as `sessions.destroyAll`. */
  isEnded = false;
  /** Whether the new ID leaves the old one valid for a while. */
  isRotated = false;
  /** Whether the user has authenticated again. */
  isAuthenticated = false;
  /** Whether the response sends the ID again, although the client has it. */
  mustSend = false;
  /** Whether the session ends and a new one begins with the same response. */
  isRestarted = false;
  /** Whether the session is saved even if it is new and empty. */
  isNeeded = false;
  /** Why there is no stored session; `undefined` if there is one. */
  absence: SessionAbsence | undefined;
  /** Which session this is; `undefined` if it has not been saved. */
  lineage: SessionLineage | undefined;
  /** Identifies the session in any store; `undefined` if it has not been saved. */
  stored: SessionLineage | undefined;
  /** The middleware that has opened the session, if one has. */
  owner: object | undefined;
  /** The rules behind the session; `undefined` if the values are a test's own. */
  link: SessionLink | undefined;
  #updates: Map<string, KeyUpdate> | undefined;
  #metadata: MetadataChange | undefined;
  #fallbacks: [key: string, fallback: object, size: number][] | undefined;
  readonly #lastAccess: number | undefined;
  #draw: (() => string) | undefined;
  #id: string | undefined;
  /** The ID that closed values show to the app. */
  #closedId: string | undefined;
  #isMaterialized: boolean;

  /**
   * @param identity Left out if `data` already contains the ID and the last-access time.
   */
  constructor(
    data: SessionValues,
    mode: Mode,
    identity?: SessionIdentity,
    codec: DataCodec = PLAIN_CODEC,
  ) {
    this.data = data;
    this.mode = mode;
    this.codec = codec;
    // Values that refuse every write take no ID either, and they have no prototype.
    this.#isMaterialized = identity === undefined || mode === "replaced" || mode === "ambiguous";
    if (identity === undefined) return;
    if (typeof identity.id === "function") this.#draw = identity.id;
    else this.#id = identity.id;
    this.#lastAccess = identity.lastAccess;
  }

  /** Keys that were changed by a function. */
  get updates(): ReadonlyMap<string, KeyUpdate> {
    return this.#updates ?? NO_UPDATES;
  }

  /** The changes beside the values; `undefined` if nothing changes. */
  get metadataChange(): MetadataChange | undefined {
    return this.#metadata?.isEmpty ? undefined : this.#metadata;
  }

  /** The changes beside the values, to add one. */
  get metadata(): MetadataChange {
    return this.#metadata ??= new MetadataChange();
  }

  /** The ID under which the record lies or will lie. Generates it if necessary. */
  get recordId(): string {
    return this.#id ??= this.#draw!();
  }

  /** When the session was last used, in Unix seconds; for a new session, when it was created. */
  get lastAccess(): number {
    return this.#lastAccess!;
  }

  /** The session's ID as the app sees it; `undefined` if there is no session behind this. */
  get id(): string | undefined {
    if (this.#isMaterialized) return this.data._id as string | undefined;
    return this.#draw === undefined ? this.#id : this.recordId;
  }

  /** Whether the app can hold the values. */
  get isMaterialized(): boolean {
    return this.#isMaterialized;
  }

  /**
   * The values for the app to hold: complete, without a prototype, and associated with this object.
   * The `Session` object works without them, which makes requests that only read faster.
   */
  materialize(): SessionValues {
    const { data, mode } = this;
    this.maybeDirty = true;
    if (!this.#isMaterialized) {
      Object.setPrototypeOf(data, null);
      // The values of a request with such an ID refuse every write.
      if (mode !== "replaced" && mode !== "ambiguous") {
        data._id = this.id;
        data._last_access = this.#lastAccess;
      }
      this.#isMaterialized = true;
      if (this.mode !== "writable") Object.freeze(data);
    }
    workingCopies.set(data, this);
    return data;
  }

  /**
   * Marks the session as destroyed if its ID was replaced: that logout still counts. Returns
   * whether it was.
   */
  destroyReplaced(): boolean {
    this.isAccessed = true;
    this.isDestroyed ||= this.mode === "replaced";
    return this.mode === "replaced";
  }

  /**
   * Makes this a new session, whose ID is drawn when it is saved.
   *
   * @param values Its values. Those of the reserved keys do not count, except the subject.
   */
  restart(values?: SessionValues): void {
    const { data } = this;
    const now = this.#lastAccess!;
    if (this.mode === "writable") Object.freeze(data);
    const { _id, _last_access, _regenerated, _destroyed, ...kept } = values ?? {};
    this.data = { ...kept, _created: now };
    this.mode = "writable";
    this.#updates = undefined;
    // Messages and a lifetime go along with the values. A value that was pulled stays taken.
    const { added, pulled, lifetime } = this.metadata;
    this.#metadata = new MetadataChange();
    if (values !== undefined) Object.assign(this.#metadata, { added, lifetime });
    for (const key of pulled) this.#metadata.pulled.add(key);
    this.isCleared =
      this.isRotated =
      this.isAuthenticated =
      this.isDestroyed =
      this.isNeeded =
        false;
    this.isRestarted = this.isAccessed = this.maybeDirty = true;
    this.lineage =
      this.stored =
      this.#id =
      this.#draw =
      this.#closedId =
        undefined;
    this.#isMaterialized = false;
  }

  /** Makes every later write throw. */
  close(): void {
    const { data, mode } = this;
    this.mode = "committed";
    if (mode !== "writable") return;
    if (data._regenerated !== undefined) delete data._regenerated;
    if (data._destroyed !== undefined) delete data._destroyed;
    if (!this.#isMaterialized) return;
    // The ID changes once more if a rotation succeeds.
    this.#closedId = data._id as string | undefined;
    Object.defineProperty(data, "_id", { get: () => this.#closedId, enumerable: true });
    Object.freeze(data);
  }

  /** Sets the ID that the session has from now on. */
  rename(id: string): void {
    this.#closedId = this.#id = id;
  }

  /** Notes how a key was changed. */
  setUpdate(key: string, update: KeyUpdate): void {
    // Not a copy: with thousands of keys, copies would take a time that grows with their square.
    this.#updates ??= new Map();
    this.#updates.set(key, update);
  }

  /** Forgets how a key was changed, because something else has written to it. */
  dropUpdate(key: string): void {
    this.#updates?.delete(key);
  }

  /**
   * Marks the session as cleared, which also removes keys that other requests add in the meantime.
   */
  clear(): void {
    this.isCleared = true;
    if (this.#metadata !== undefined) this.#metadata.added = [];
  }

  /** Notes that the handler received a fallback, which it may take for a value of the session. */
  noteFallback(key: string, fallback: object): void {
    this.#fallbacks ??= [];
    if (this.#fallbacks.length < MAX_FALLBACKS) {
      this.#fallbacks.push([key, fallback, sizeOf(fallback)]);
    }
  }

  /** The key of a fallback that the handler has changed and not stored. */
  findChangedFallback(): string | undefined {
    return this.#fallbacks?.find(([key, fallback, size]) => {
      return sizeOf(fallback) !== size && !has(this.data, key) &&
        !Object.values(this.data).includes(fallback);
    })?.[0];
  }

  /** The session's own lifetime; `undefined` if it has the middleware's. */
  get lifetime(): SessionLifetime | undefined {
    const change = this.#metadata?.lifetime;
    return change === undefined ? this.link?.lifetime : change.value;
  }

  /** Takes the messages of a kind. The commit removes them. */
  takeMessages(kind: string): string[] {
    const isMeant = (message: string) => isOfKind(message, kind);
    const stored = this.isCleared ? [] : this.link?.messages.filter(isMeant) ?? [];
    const left = stored.filter((message) => !this.#metadata?.taken.has(message));
    const added = this.#metadata?.added.filter(isMeant) ?? [];
    if (added.length > 0) {
      this.metadata.added = this.metadata.added.filter((message) => !isMeant(message));
    }
    for (const message of left) this.metadata.taken.add(message);
    // A request that finds none has nothing to save.
    if (left.length > 0) this.maybeDirty = true;
    return [...left, ...added].map(textOf);
  }
}

let accessWorkingCopy: ((session: object) => WorkingCopy | undefined) | undefined;

/** Notes how to find the working copy behind a `Session`. Its class alone can do that. */
export function noteAccess(access: (session: object) => WorkingCopy | undefined): void {
  accessWorkingCopy = access;
}

const forms = new WeakMap<object, () => WorkingCopy>();

/** Notes that an object is another form of a session, such as `req.session` of express-session. */
export function noteForm(form: object, access: () => WorkingCopy): void {
  forms.set(form, access);
}

/** The working copy behind another form of a session. */
export function workingCopyOfForm(form: unknown): WorkingCopy | undefined {
  return isObject(form) ? forms.get(form)?.() : undefined;
}

/**
 * The working copy behind a `Session`, or another form of one.
 *
 * @throws {TypeError} If it is something else.
 */
export function workingCopyIn(session: unknown): WorkingCopy {
  const found = isObject(session)
    ? accessWorkingCopy?.(session) ?? workingCopyOfForm(session)
    : undefined;
  if (found !== undefined) return found;
  throw new TypeError(
    "Cannot use the session: expected a Session. In a PAGI app: new Session(scope)",
  );
}

/** How many entries a list, an object or a collection has. */
function sizeOf(value: object): number {
  return value instanceof Map || value instanceof Set ? value.size : Object.keys(value).length;
}

/** The middleware that these values come from; `undefined` if they are somebody else's. */
export function ownerOf(data: unknown): object | undefined {
  return isObject(data) ? workingCopies.get(data)?.owner : undefined;
}

/** The working copy of these values: the one they came from, or a new one of its own. */
export function workingCopyOf(data: SessionValues): WorkingCopy {
  const known = workingCopies.get(data);
  if (known !== undefined) return known;
  const created = new WorkingCopy(data, "writable");
  created.materialize();
  return created;
}

/**
 * The working copy behind what a handler has: a session's data, a scope with `pagi.session`, or an
 * object with such a `scope`.
 *
 * @throws {TypeError} If `source` is something else.
 */
export function findWorkingCopy(source: unknown): WorkingCopy {
  if (isObject(source)) {
    const known = workingCopies.get(source) ?? workingCopyOfForm(source);
    if (known !== undefined) return known;
    if (isObject(source["pagi.session"])) return workingCopyOf(source["pagi.session"]);
    const scope = typeof source.scope === "function" ? source.scope() : source.scope;
    if (isObject(scope) && isObject(scope["pagi.session"])) {
      return workingCopyOf(scope["pagi.session"]);
    }
  }
  throw new TypeError(
    "Cannot make a Session: expected a session's data, a scope with pagi.session (is the " +
      "middleware in front?), or an object with such a scope",
  );
}
