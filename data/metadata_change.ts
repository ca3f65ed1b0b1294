import { isSameLifetime, type SessionLifetime } from "../base/lifetime.ts";

/** A request's changes to its session beside the values. */
export class MetadataChange {
  /** Flash messages that the request adds. */
  added: string[] = [];
  /** Flash messages that its response shows. */
  readonly taken: Set<string> = new Set();
  /** Keys whose stored values only one request may remove. */
  readonly pulled: Set<string> = new Set();

  /** The lifetime that the request gives to the session; `value` is empty for the middleware's. */
  lifetime: { readonly value: SessionLifetime | undefined } | undefined;

  /** Whether there is anything to save. */
  get isEmpty(): boolean {
    return this.lifetime === undefined &&
      this.added.length + this.taken.size + this.pulled.size === 0;
  }

  /** Whether it gives another lifetime to a session that has this one. */
  changesLifetime(before: SessionLifetime | undefined): boolean {
    return this.lifetime !== undefined && !isSameLifetime(this.lifetime.value, before);
  }

  /** Whether it changes a session that has this lifetime. */
  changes(lifetime: SessionLifetime | undefined): boolean {
    return this.added.length + this.taken.size + this.pulled.size > 0 ||
      this.changesLifetime(lifetime);
  }
}
