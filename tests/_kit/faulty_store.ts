/** A MemoryStore that fails when a test wants it to. */
import type {
  Awaitable,
  DeleteOptions,
  MemoryStore,
  ReplaceOptions,
  StoreCallOptions,
  StoredRecord,
  TouchOptions,
  VersionedStore,
  WriteOptions,
} from "@pagi/session";

export type Operation = "read" | "create" | "replace" | "touch" | "delete";

/** The ways in which a call fails. */
export type Fault =
  | "throws"
  | "rejects"
  | "never settles"
  | "settles late"
  | "fails after it was applied"
  | "gives an invalid answer";

export const FAULTS: Fault[] = [
  "throws",
  "rejects",
  "never settles",
  "settles late",
  "fails after it was applied",
  "gives an invalid answer",
];

export class FaultyStore implements VersionedStore {
  readonly inner: MemoryStore;
  /** The call that fails, and how. It fails from the `after`th time on, counted from 0. */
  fault: { operation: Operation; kind: Fault; after?: number } | undefined;
  /** The calls so far. */
  readonly calls: Operation[] = [];
  /** The signals that calls received. */
  readonly signals: AbortSignal[] = [];
  #matches = 0;

  constructor(inner: MemoryStore) {
    this.inner = inner;
  }

  read(id: string, options: StoreCallOptions): Awaitable<StoredRecord | undefined> {
    return this.#call("read", options, () => this.inner.read(id));
  }
  create(id: string, text: string, options: WriteOptions): Awaitable<string | undefined> {
    return this.#call("create", options, () => this.inner.create(id, text, options));
  }
  replace(id: string, text: string, options: ReplaceOptions): Awaitable<string | undefined> {
    return this.#call("replace", options, () => this.inner.replace(id, text, options));
  }
  touch(id: string, options: TouchOptions): Awaitable<boolean> {
    return this.#call("touch", options, () => this.inner.touch(id, options));
  }
  delete(id: string, options: DeleteOptions): Awaitable<boolean> {
    return this.#call("delete", options, () => this.inner.delete(id, options));
  }

  #call<T>(operation: Operation, { signal }: StoreCallOptions, apply: () => T): Awaitable<T> {
    this.calls.push(operation);
    this.signals.push(signal);
    const { fault } = this;
    if (fault?.operation !== operation || this.#matches++ < (fault.after ?? 0)) return apply();
    switch (fault.kind) {
      case "throws":
        throw new Error("boom");
      case "rejects":
        return Promise.reject(new Error("boom"));
      case "never settles":
        return new Promise(() => {});
      case "settles late":
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve(apply())));
      case "fails after it was applied":
        apply();
        return Promise.reject(new Error("boom"));
      case "gives an invalid answer":
        return {} as T;
    }
  }
}
