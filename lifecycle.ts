/**
 * What happens to a session in a request: every rule once, for every front door. {@linkcode Lifecycle}
 * begins; the {@linkcode Exchange} that it hands out commits, before anything of the response is sent.
 */
import { decode, encode, type SessionValues } from "./_codec.ts";
import { type Control, control, type Mode } from "./_control.ts";
import { deepFreeze, newData, viewOf } from "./_data.ts";
import { IdSource, isId, isNotEmpty } from "./_id.ts";
import { type Change, interrupted, type LiveRecord, SessionRecords } from "./_session_records.ts";
import type { Settings } from "./_settings.ts";
import { openStore, type StoreFace } from "./_store_face.ts";
import { SessionError } from "./errors.ts";
import type { HeaderPair, Scope } from "./pagi.ts";

/** How many ids of one client are looked up: a sibling domain can add cookies of our name. */
const MAX_CANDIDATES = 4;

/** What a client presents: a session, the old id of one, more than one, or nothing. */
type Presented =
  | { kind: "live"; record: LiveRecord }
  | { kind: "moved"; id: string }
  | { kind: "ambiguous" }
  | { kind: "absent" };

/** The rules, with their settings. */
export class Lifecycle {
  readonly settings: Settings;
  readonly records: SessionRecords;
  readonly ids: IdSource;
  readonly #face: StoreFace;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#face = openStore(settings.store, settings.storeTimeout);
    this.records = new SessionRecords(this.#face, settings);
    this.ids = new IdSource(settings, this.#face.isVersioned ? isId : isNotEmpty);
    if (!this.#face.isVersioned) {
      settings.emit({
        type: "store-without-guarantees",
        message: "The store has get, set and delete only: races can lose updates and undo a logout",
      });
    }
  }

  /** Opens the session of an HTTP request: the client's, or a new one. */
  async begin(scope: Scope): Promise<Exchange> {
    const presented = await this.#resolve(scope);
    const now = this.records.now();
    switch (presented.kind) {
      case "live": {
        const { record } = presented;
        return new Exchange(this, viewOf(record, now), "open", { created: record.created, record });
      }
      case "absent": {
        // An id that the server did not issue is never adopted.
        const data = newData(await this.ids.next(), now, now);
        return new Exchange(this, data, "open", { created: now });
      }
      case "moved":
      case "ambiguous": {
        // Empty, not to be written to, and never sent.
        const data: SessionValues = Object.freeze(Object.create(null));
        const movedTo = presented.kind === "moved" ? presented.id : undefined;
        return new Exchange(this, data, presented.kind, { created: now, movedTo });
      }
    }
  }

  /** The data of the client's session, to be read and no more; undefined when there is none. */
  async peek(scope: Scope): Promise<SessionValues | undefined> {
    const presented = await this.#resolve(scope);
    if (presented.kind !== "live") return undefined;
    const { record } = presented;
    return this.snapshot(viewOf(record, record.lastAccess));
  }

  /** Makes `data` read-only through and through. */
  snapshot(data: SessionValues): SessionValues {
    control(data, "snapshot");
    return deepFreeze(data);
  }

  /** Changes the session under `id` in one step; `change` runs again if another came first. */
  async update(id: string, change: (data: SessionValues) => unknown): Promise<SessionValues> {
    const found = this.#face.accepts(id) ? await this.records.find(id) : undefined;
    if (found?.kind !== "live") throw interrupted();
    const { record, text } = await this.records.swap(found.record, async (current) => {
      const data = viewOf(current, this.records.now());
      await change(data);
      if (data._regenerated || data._destroyed || data._subject !== current.subject) {
        throw new TypeError(
          "Cannot update the session: a new id, a new subject or the end of it needs a request",
        );
      }
      return encode(data, current.created, current.subject);
    });
    // What was saved, not what `change` made: its objects stay the caller's.
    const saved = { ...record, values: decode(text)!.values };
    return this.snapshot(viewOf(saved, this.records.now()));
  }

  /** Ends the session under `id`, wherever it has moved. */
  async destroy(id: string): Promise<void> {
    if (this.#face.accepts(id)) await this.records.endById(id);
  }

  async #resolve(scope: Scope): Promise<Presented> {
    const extracted = await this.settings.state.extract(scope);
    const presented = typeof extracted === "string" ? [extracted] : new Set(extracted ?? []);
    const candidates = [...presented].filter((id) =>
      typeof id === "string" && this.#face.accepts(id)
    );
    let best: Presented = { kind: "absent" };
    for (const id of candidates.slice(0, MAX_CANDIDATES)) {
      const found = await this.records.find(id);
      if (found.kind === "absent" || (found.kind === "moved" && best.kind !== "absent")) continue;
      if (found.kind === "live" && best.kind === "live") {
        this.settings.emit({
          type: "ambiguous",
          message: "A client presented more than one live session and was given none",
        });
        return { kind: "ambiguous" };
      }
      best = found;
    }
    return best;
  }
}

/** Where the session of an exchange comes from. */
interface Origin {
  /** When it was made, in Unix seconds; not the app's to change. */
  created: number;
  /** The stored session, if there is one. */
  record?: LiveRecord;
  /** The id that the session has now, when the client presented an older one. */
  movedTo?: string;
}

/** One request's session, from begin to commit. */
export class Exchange {
  /** What the app sees. */
  readonly data: SessionValues;
  readonly #lifecycle: Lifecycle;
  readonly #control: Control;
  readonly #origin: Origin;
  #isDone = false;

  constructor(lifecycle: Lifecycle, data: SessionValues, mode: Mode, origin: Origin) {
    this.data = data;
    this.#lifecycle = lifecycle;
    this.#control = control(data, mode);
    this.#origin = origin;
  }

  /** The session's id; undefined when the client has none that this request may use. */
  get id(): string | undefined {
    return this.data._id as string | undefined;
  }

  /** The request headers that the response depends on, as far as the accessor tells. */
  get vary(): readonly string[] {
    return this.#control.accessed ? this.#lifecycle.settings.state.vary ?? [] : [];
  }

  /**
   * Saves what the request made of its session, and adds to `headers` what the client must be told.
   * Once; a second call does nothing.
   *
   * @param cacheControl The response's own Cache-Control, if it has one.
   */
  async commit(headers: HeaderPair[], cacheControl: string | undefined): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    const before = headers.length;
    await this.#finish(headers);
    if (headers.length === before) return;
    if (cacheControl === undefined) headers.push(["cache-control", "no-store"]);
    else if (/\bpublic\b/i.test(cacheControl)) {
      this.#lifecycle.settings.emit({
        type: "public-response",
        message: "A session id was sent with Cache-Control: public; a shared cache may hand it on",
      });
    }
  }

  /** The handler failed: nothing is saved, but what it destroyed stays destroyed. */
  async abort(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    const isDestroyed = this.#isDestroyed();
    this.#close();
    if (!isDestroyed) return;
    try {
      await this.#end();
    } catch (cause) {
      this.#lifecycle.settings.emit({
        type: "destroy-failed",
        message: "The handler destroyed the session and threw; then the store failed to delete it",
        cause,
      });
    }
  }

  async #finish(headers: HeaderPair[]): Promise<void> {
    const { settings } = this.#lifecycle;
    // Before anything is looked at: from there to the freeze below there is no await.
    const newId = this.#needsNewId() ? await this.#lifecycle.ids.next() : undefined;
    if (this.#isDestroyed()) {
      this.#close();
      await this.#destroy();
      settings.state.clear?.(headers);
    } else if (this.#control.mode === "open") {
      const change = this.#capture();
      this.#close(newId);
      const transport = await this.#save(change, newId);
      if (transport === undefined) return;
      const expire = this.#lifecycle.records.remaining(this.#origin.created);
      settings.state.inject(headers, transport, { expire });
    }
  }

  async #destroy(): Promise<void> {
    try {
      await this.#end();
    } catch (cause) {
      const headers: HeaderPair[] = [];
      this.#lifecycle.settings.state.clear?.(headers);
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot end the session: the store failed, so it may still be alive",
        { cause, headers },
      );
    }
  }

  async #end(): Promise<void> {
    const { record, movedTo } = this.#origin;
    if (record !== undefined) await this.#lifecycle.records.end(record);
    else if (movedTo !== undefined) await this.#lifecycle.records.endById(movedTo);
  }

  /** What the client is to present from now on, or undefined when it need not be told. */
  async #save(change: Change, newId: string | undefined): Promise<string | undefined> {
    const { records, settings } = this.#lifecycle;
    const { record, created } = this.#origin;
    if (record === undefined) {
      const isUntouched = change.text === encode({}, created, undefined);
      if (isUntouched && !settings.saveUninitialized) return undefined;
      return await records.create(this.id!, created, change);
    }
    if (newId !== undefined) return await records.rotate(record, newId, change);
    if (records.isChanged(record, change)) return await records.save(record, change);
    return await this.#touch(record);
  }

  async #touch(loaded: LiveRecord): Promise<string | undefined> {
    const { records, settings } = this.#lifecycle;
    // Either way: a clock that was set back must not keep the record from being prolonged.
    if (Math.abs(records.now() - loaded.lastAccess) < settings.touchInterval) return undefined;
    try {
      const transport = await records.touch(loaded);
      return settings.rolling ? transport : undefined;
    } catch (cause) {
      settings.emit({
        type: "touch-failed",
        message: "The store failed to note a session's use; it may expire early",
        cause,
      });
      return undefined;
    }
  }

  #isDestroyed(): boolean {
    return this.#control.destroyed || Boolean(this.data._destroyed);
  }

  #needsNewId(): boolean {
    const { record } = this.#origin;
    return Boolean(this.data._regenerated) ||
      (record !== undefined && record.subject !== this.data._subject);
  }

  /** What the request made of its session, as text: what it changes later is not part of it. */
  #capture(): Change {
    const subject = this.data._subject;
    if (subject !== undefined && typeof subject !== "string") {
      throw new TypeError("Cannot save the session: _subject must be a string");
    }
    const { updates, cleared } = this.#control;
    return { text: encode(this.data, this.#origin.created, subject), subject, updates, cleared };
  }

  /** From here on a write is loud. */
  #close(newId?: string): void {
    if (this.#control.mode !== "open") return;
    this.#control.mode = "committed";
    delete this.data._regenerated;
    delete this.data._destroyed;
    if (newId !== undefined) this.data._id = newId;
    Object.freeze(this.data);
  }
}
