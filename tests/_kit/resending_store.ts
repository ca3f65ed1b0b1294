/**
 * A store on a server, behind a client that sends some calls twice: when a client has lost the
 * connection, it cannot know whether a command was carried out.
 */
import type {
  DeleteOptions,
  ReplaceOptions,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "@pagi/session";
import type { Operation } from "./faulty_store.ts";

/** A write, which the client can send twice. */
export type Write = Exclude<Operation, "read">;

/** What happens to the next call of an operation. */
interface Resend {
  operation: Write;
  /** Called between the two, if the first answer is lost. */
  between?(): unknown;
  /** Called with a function that sends the call once more, if the first answer arrives. */
  keep?(send: () => Promise<unknown>): void;
}

export class ResendingStore implements VersionedStore {
  readonly #inner: VersionedStore;
  #next: Resend | undefined;

  constructor(inner: VersionedStore) {
    this.#inner = inner;
  }

  /**
   * Loses the answer to the next call of this operation. The call is sent again after `between` is
   * done, and the caller gets the second answer.
   */
  loseAnswer(operation: Write, between?: () => unknown): void {
    this.#next = { operation, between };
  }

  /** Resolves, after the next call of this operation, to a function that sends it once more. */
  keepCopy(operation: Write): Promise<() => Promise<unknown>> {
    return new Promise((resolve) => this.#next = { operation, keep: resolve });
  }

  async read(id: string, options: StoreCallOptions): Promise<StoredRecord | undefined> {
    return await this.#inner.read(id, options);
  }
  create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    return this.#send("create", async () => await this.#inner.create(id, text, options));
  }
  replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    return this.#send("replace", async () => await this.#inner.replace(id, text, options));
  }
  touch(id: string, options: TouchOptions): Promise<boolean> {
    return this.#send("touch", async () => await this.#inner.touch(id, options));
  }
  delete(id: string, options: DeleteOptions): Promise<boolean> {
    return this.#send("delete", async () => await this.#inner.delete(id, options));
  }

  async #send<T>(operation: Write, carryOut: () => Promise<T>): Promise<T> {
    const resend = this.#next;
    if (resend?.operation !== operation) return await carryOut();
    this.#next = undefined;
    const answer = await carryOut();
    if (resend.keep === undefined) {
      await resend.between?.();
      return await carryOut();
    }
    resend.keep(carryOut);
    return answer;
  }
}
