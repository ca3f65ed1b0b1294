/** Stores random values in a session: either they come back unchanged or the save is refused. */
import fc from "npm:fast-check@4.10.2";
import {
  MemoryStore,
  type Session,
  SessionError,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { cookieOf, requestWith } from "../_kit/helpers.ts";
import type { Campaign } from "./_campaign.ts";

const ODD_KEYS = ["__proto__", "constructor", "toString", "$", "$date", "_codec", "", "then"];
const key = fc.oneof(fc.string(), fc.constantFrom(...ODD_KEYS));
/** Strings, some of which look like tags. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("$", "$date", "$map", "$undefined", "$bytes", "\ud800", "\0"),
);

/** An object whose keys are all own properties, including `__proto__`. */
const record = (value: fc.Arbitrary<unknown>) =>
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));

const { plain, structured } = fc.letrec((tie) => ({
  plain: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    text,
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.integer(),
    fc.array(tie("plain"), { maxLength: 4 }),
    record(tie("plain")),
  ),
  structured: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    text,
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.double(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.webUrl().map((url) => new URL(url)),
    fc.uint8Array(),
    fc.float64Array({ maxLength: 3 }),
    fc.bigInt64Array({ maxLength: 3 }),
    fc.uint8Array().map((bytes) => bytes.slice().buffer),
    fc.array(tie("structured"), { maxLength: 4 }),
    fc.array(tie("structured"), { maxLength: 4 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie("structured"), tie("structured")), { maxLength: 4 })
      .map((entries) => new Map(entries)),
    record(tie("structured")),
  ),
}));

/** Values that no codec supports. */
const unkept = fc.constantFrom<unknown>(() => 1, Symbol("s"), /x/, new (class Mine {})());

/** Stores a value in a new session; resolves to the value that the next request finds. */
async function through(codec: SessionOptions["codec"], value: unknown): Promise<unknown> {
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    codec,
    store: new MemoryStore(),
    maxBytes: 1e6,
  });
  const first = await sessions.run(requestWith(), (session) => {
    // In an array, because a key with the value undefined does not exist.
    session.set("v", [value]);
    return new Response();
  });
  let found: unknown;
  const read = (session: Session) => {
    [found] = session.get("v") as unknown[];
    return new Response();
  };
  await sessions.run(requestWith({ cookie: cookieOf(first) }), read);
  return found;
}

/** Compares two values, with no code of the library. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof URL) return a.href === (b as URL).href;
  if (a instanceof ArrayBuffer) {
    return areSame([...new Uint8Array(a)], [...new Uint8Array(b as ArrayBuffer)]);
  }
  if (a instanceof Map || a instanceof Set) {
    return areSame([...a.entries()].flat(), [...(b as Map<unknown, unknown>).entries()].flat());
  }
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return areSame(keys, others) && areSame(Object.values(a), Object.values(b));
}

function areSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, at) => isSame(item, b[at]));
}

function roundTrip(
  name: string,
  codec: SessionOptions["codec"],
  values: fc.Arbitrary<unknown>,
): Campaign {
  return {
    name,
    counts: { long: 200_000, brief: 5000 },
    async run(count, seed) {
      let refused = 0;
      const property = fc.asyncProperty(
        values,
        fc.boolean(),
        unkept,
        async (value, isBroken, fault) => {
          if (!isBroken) return isSame(await through(codec, value), value);
          refused++;
          try {
            await through(codec, { fine: value, fault });
          } catch (error) {
            return error instanceof SessionError && error.code === "ERR_SESSION_DATA" &&
              error.message.includes("v[0].fault is");
          }
          return false;
        },
      );
      await fc.assert(property, { seed: seed | 0, numRuns: count, includeErrorInReport: true });
      return `${count - refused} values came back as they were, ${refused} were refused`;
    },
  };
}

/** Random values that JSON supports. */
export const dataPlain = roundTrip("data-plain", "json", plain);
/** Random values of every type that the structured codec supports. */
export const dataStructured = roundTrip("data-structured", "structured", structured);
