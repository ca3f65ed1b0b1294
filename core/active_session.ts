/** The second half of lifecycle: what is done with a request's session before its response is sent. */
import { after, type Awaitable } from "../base/awaitable.ts";
import { encodeEmptySession } from "../base/record_text.ts";
import type { Control, Shown } from "../data/working_copy.ts";
import type { LiveRecord } from "./lookup.ts";
import type { Change } from "./repository.ts";
import { SessionError } from "../errors.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { HeaderPair } from "../pagi.ts";

/** One request's session, from begin to commit. */
export class Exchange {
  /** The session, for the accessor. */
  readonly control: Control;
  readonly #lifecycle: Lifecycle;
  readonly #shown: Shown;
  readonly #created: number;
  readonly #record: LiveRecord | undefined;
  #isDone = false;

  /**
   * @param shown The session's id, where the client presented an older one the one it has now; and when
   * this request came.
   * @param created When it was made, in Unix seconds.
   * @param record The stored session, if there is one.
   */
  constructor(
    lifecycle: Lifecycle,
    control: Control,
    shown: Shown,
    created: number,
    record?: LiveRecord,
  ) {
    this.#lifecycle = lifecycle;
    this.control = control;
    this.#shown = shown;
    this.#created = created;
    this.#record = record;
  }

  /** The request headers that the response depends on, as far as the accessor tells. */
  get vary(): readonly string[] {
    return this.control.isAccessed ? this.#lifecycle.settings.state.vary ?? [] : [];
  }

  /**
   * Saves what the request made of its session, and adds to `headers` what the client must be told.
   * Once; a second call does nothing.
   *
   * @param cacheControl Tells the response's own Cache-Control, if it has one.
   */
  commit(headers: HeaderPair[], cacheControl: () => string | undefined): Awaitable<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    // Most requests are such, and to find that out further down takes a tenth of what they cost.
    if (this.#isOnlyRead()) return this.control.close();
    const before = headers.length;
    return after(this.#finish(headers), () => {
      if (headers.length > before) this.#keepFromCaches(headers, cacheControl());
    });
  }

  /** The handler failed: nothing is saved, but what it destroyed stays destroyed. */
  async abort(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    const isDestroyed = this.#isDestroyed();
    this.control.close();
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

  #keepFromCaches(headers: HeaderPair[], cacheControl: string | undefined): void {
    if (cacheControl === undefined) headers.push(["cache-control", "no-store"]);
    else if (isShareable(cacheControl)) {
      this.#lifecycle.settings.emit({
        type: "public-response",
        message:
          "A session id was sent with a Cache-Control that lets shared caches keep it and hand it on",
      });
    }
  }

  #finish(headers: HeaderPair[]): Awaitable<void> {
    if (this.#needsNewId()) {
      return after(this.#lifecycle.ids.next(), (newId) => this.#apply(headers, newId));
    }
    return this.#apply(headers, undefined);
  }

  /** From the first look at the data to the freeze of it there is no await. */
  #apply(headers: HeaderPair[], newId: string | undefined): Awaitable<void> {
    const { settings, records } = this.#lifecycle;
    if (this.#isDestroyed()) {
      this.control.close();
      return this.#destroy().then(() => settings.state.clear?.(headers));
    }
    if (this.control.mode !== "open") return this.control.close();
    const change = this.#capture();
    this.control.close();
    return after(this.#save(change, newId), (transport) => {
      if (newId !== undefined) this.control.rename(newId);
      if (transport === undefined) return;
      const expire = records.remaining(this.#created, this.#shown.lastAccess);
      settings.state.inject(headers, transport, { expire });
    });
  }

  async #destroy(): Promise<void> {
    try {
      await this.#end();
    } catch (cause) {
      const headers: HeaderPair[] = [];
      this.#lifecycle.settings.state.clear?.(headers);
      if (headers.length > 0) headers.push(["cache-control", "no-store"]);
      throw new SessionError(
        "ERR_SESSION_STORE",
        "Cannot end the session: the store failed, so it may still be alive",
        { cause, headers },
      );
    }
  }

  async #end(): Promise<void> {
    const { records } = this.#lifecycle;
    if (this.#record !== undefined) await records.end(this.#record);
    else if (this.control.isDestroyed) await records.endById(this.#shown.id);
  }

  /** What the client is to present from now on, or undefined when it need not be told. */
  #save(change: Change, newId: string | undefined): Awaitable<string | undefined> {
    const { records, settings } = this.#lifecycle;
    const record = this.#record;
    if (record === undefined) {
      const isUntouched = change.text === encodeEmptySession(this.#created);
      if (isUntouched && !settings.saveUninitialized) return undefined;
      return records.create(newId ?? this.#shown.id, this.#created, change);
    }
    if (newId !== undefined) return records.rotate(record, newId, change);
    return records.isChanged(record, change) ? records.save(record, change) : this.#touch(record);
  }

  #touch(record: LiveRecord): Awaitable<string | undefined> {
    return this.#lifecycle.records.isDue(record) ? this.#prolong(record) : undefined;
  }

  async #prolong(record: LiveRecord): Promise<string | undefined> {
    const { records, settings } = this.#lifecycle;
    try {
      const transport = await records.touch(record);
      return settings.rolling || record.mustInject ? transport : undefined;
    } catch (cause) {
      settings.emit({
        type: "touch-failed",
        message: "The store failed to note a session's use; it may expire early",
        cause,
      });
      return undefined;
    }
  }

  /** Whether nothing has become of the session that could be saved, not even its use. */
  #isOnlyRead(): boolean {
    const { isLent, isDestroyed } = this.control;
    if (isLent || isDestroyed) return false;
    const { records, settings } = this.#lifecycle;
    if (this.#record === undefined) return !settings.saveUninitialized;
    return !records.isDue(this.#record);
  }

  #isDestroyed(): boolean {
    return this.control.isDestroyed || Boolean(this.control.data._destroyed);
  }

  #needsNewId(): boolean {
    const { data } = this.control;
    const record = this.#record;
    return Boolean(data._regenerated) || (record !== undefined && record.subject !== data._subject);
  }

  /** What the request made of its session, as text: what it changes later is not part of it. */
  #capture(): Change {
    const { data, updates, isCleared, isLent, codec } = this.control;
    const base = this.#record?.text;
    if (!isLent) {
      const text = base ?? encodeEmptySession(this.#created);
      return { text, subject: this.#record?.subject, updates, isCleared };
    }
    const subject = data._subject;
    if (subject !== undefined && typeof subject !== "string") {
      throw new TypeError("Cannot save the session: _subject must be a string");
    }
    const text = codec.textOf(this.control, this.#created, this.#shown, base);
    return { text, subject, updates, isCleared };
  }
}

/** Whether a shared cache may keep it: RFC 9111, section 3. Set-Cookie does not keep it from that (7.3). */
function isShareable(cacheControl: string): boolean {
  return /\b(public|s-maxage)\b/i.test(cacheControl) ||
    !/\b(private|no-store|no-cache)\b/i.test(cacheControl);
}
