/** A request's changes to its session beside the values. */
export class MetadataChange {
  /** Flash messages that the request adds. */
  added: string[] = [];
  /** Flash messages that its response shows. */
  readonly taken: Set<string> = new Set();
  /** Keys whose stored values only one request may remove. */
  readonly pulled: Set<string> = new Set();

  /** Whether there is anything to save. */
  get isEmpty(): boolean {
    return this.added.length + this.taken.size + this.pulled.size === 0;
  }
}
