/** Records everything that operators, loggers and clients see, and searches it for leaks. */
import {
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type VersionedStore,
} from "@pagi/session";
import { stringsIn } from "./dump.ts";

/** Texts that must not appear anywhere. */
export const SECRET = "canary-secret-0f6c1d0e-of-32-bytes-or-more";
export const WORDS: readonly string[] = [
  SECRET,
  "canary-value-77a1",
  "canary.subject@example.org",
  "canary-nested-5be0",
];
const [, VALUE, SUBJECT, NESTED] = WORDS as [string, string, string, string];

/** Session data that contains every canary. */
export const DATA = { card: VALUE, profile: { list: [NESTED] } };
export { SUBJECT };

/** This many of a word's first or last characters count as a leak. */
const PART = 16;
const isIn = (text: string) => (part: string) => text.includes(part);

/** Records output and finds what should not be in it. */
export class Ear {
  readonly told: string[] = [];
  readonly codes = new Set<string>();
  readonly types = new Set<string>();
  readonly #ids = new Set<string>();

  /** The options of a middleware whose events this records. */
  readonly options = {
    secret: SECRET,
    onEvent: (event: SessionEvent) => {
      this.types.add(event.type);
      this.hear(event);
    },
  } satisfies Partial<SessionOptions>;

  /** Adds an ID that must not leak. */
  keep(...ids: (string | undefined)[]): void {
    for (const id of ids) if (id !== undefined && id !== "") this.#ids.add(id);
  }

  /** Records everything that a logger could make of a value. */
  hear(value: unknown): void {
    this.told.push(...everything(value, new Set()), Deno.inspect(value, { depth: 9 }));
  }

  /** Runs a function that must fail, and records its error. */
  async fails(act: () => unknown): Promise<Error & { code?: string }> {
    try {
      await act();
    } catch (error) {
      this.hear(error);
      const { code } = error as { code?: unknown };
      if (typeof code === "string") this.codes.add(code);
      return error as Error;
    }
    throw new Error(`It did not fail: ${act}`);
  }

  /** Returns the leaks. */
  leaks(): string[] {
    const all = [...new Set(this.told)].join("\n").toLowerCase();
    // A part of an ID or a value is a leak, too.
    const wanted = [...this.#ids, ...WORDS].map((word) => word.toLowerCase());
    return wanted.filter((word) => [word.slice(0, PART), word.slice(-PART)].some(isIn(all)));
  }
}

/** Returns every string in a value, including hidden properties, prototypes and stacks. */
export function everything(value: unknown, seen: Set<unknown>): string[] {
  if (typeof value !== "object" || value === null || seen.has(value)) return stringsIn(value);
  seen.add(value);
  const own = Reflect.ownKeys(value).flatMap((key) => {
    const found = Object.getOwnPropertyDescriptor(value, key)?.value;
    return [String(key), ...everything(found, seen)];
  });
  if (!(value instanceof Error)) return own;
  return [...own, value.name, value.message, String(value.stack), String(value)];
}

/** Records what is printed while `act` runs. This package prints nothing. */
export async function withConsole(ear: Ear, act: () => Promise<void>): Promise<number> {
  const names = ["log", "info", "warn", "error", "debug", "trace"] as const;
  const originals = names.map((name) => console[name]);
  let printed = 0;
  try {
    for (const name of names) console[name] = (...args) => (printed++, ear.hear(args));
    await act();
  } finally {
    names.forEach((name, at) => console[name] = originals[at]!);
  }
  return printed;
}

/** How a driver fails. */
export type Failure = "throws" | "rejects" | "as a number" | "with a cause";

/** Creates a driver's error that quotes all arguments in every way that drivers do. */
export function quotingError(call: string, args: unknown[], failure: Failure): unknown {
  const quoted = stringsIn(args).join(" ");
  if (failure === "as a number") return { code: 7, args };
  const error = new Error(`ERR ${call} with args beginning with: ${quoted}`);
  Object.assign(error, { command: { name: call, args }, detail: `Failing row: (${quoted})` });
  Object.defineProperty(error, "parameters", { value: args, enumerable: false });
  return failure === "with a cause" ? new Error(`${call} failed`, { cause: error }) : error;
}

const CALLS = ["read", "create", "replace", "touch", "delete"] as const;
type Call = typeof CALLS[number];

/** Wraps a store whose calls fail as `fault` says, with errors that quote. */
export function quoting(inner: VersionedStore) {
  const rig: { store: VersionedStore; fault?: { call: Call; failure: Failure } } = {
    store: Object.fromEntries(CALLS.map((name) => [name, (...args: unknown[]) => {
      const { fault } = rig;
      if (fault?.call !== name) return (inner[name] as (...args: unknown[]) => unknown)(...args);
      const error = quotingError(name, args, fault.failure);
      if (fault.failure === "throws") throw error;
      return Promise.reject(error);
    }])) as unknown as VersionedStore,
  };
  return rig;
}

/** Creates a middleware whose output is recorded. */
export function listenedTo(ear: Ear, options: Partial<SessionOptions>): SessionMiddleware {
  return new SessionMiddleware({ ...ear.options, ...options });
}
