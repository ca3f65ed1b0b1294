/** Lookups of IDs: they lead to an active session, to one whose ID was replaced, or to no session. */
import { assert, assertEquals } from "@std/assert";
import { encodeEnded } from "../../../base/record_text.ts";
import type { RecordHeader } from "../../../base/record_header.ts";
import {
  examine,
  holds,
  isGraceRunning,
  isInGrace,
  isUnconfirmed,
  type Lookup,
  unixNow,
} from "../../../core/lookup.ts";
import {
  A,
  B,
  C,
  D,
  KEY,
  loadedWith,
  NOW,
  optionsWith,
  recordWith,
  regenerated,
  rotated,
  SKEW,
} from "./_loaded.ts";

const HOUR = 3600 + SKEW;
const GRACE = 30 + SKEW;
const EVER = NOW - 1_000_000;

/** Names the result of a lookup. */
function nameOf(lookup: Lookup): string {
  if (lookup.status === "absent") return lookup.reason;
  if (lookup.status === "replaced") return lookup.isHeld ? "replaced and held" : "replaced";
  if (lookup.status === "active" && lookup.oldVerifier !== undefined) return "active in grace";
  return lookup.status;
}

/** Names what an ID with this verifier stands for. */
function find(verifier: string | undefined, header: Partial<RecordHeader> = {}): string {
  return nameOf(examine(recordWith(header), verifier, optionsWith()));
}

Deno.test("examine() finds the session when the verifier is the current one, or finding it is enough", () => {
  assertEquals([find(A), find(undefined), find(B)], ["active", "active", "unknown"]);
  const lookup = examine(recordWith({}, { version: "7" }), A, optionsWith());
  assert(lookup.status === "active");
  assertEquals(
    [lookup.id, lookup.key, lookup.version, lookup.lastAccess, lookup.readAt, lookup.created],
    [A + KEY, KEY, "7", NOW, NOW, NOW],
  );
  assertEquals([lookup.json, lookup.mustInject], [`{"_created":${NOW}}`, false]);
});

Deno.test("examine() opens a session with a part of its ID never, whatever the record holds", () => {
  const header = { replacedAt: NOW, replaced: [regenerated(B, NOW), rotated(C, NOW)] };
  for (const verifier of ["", A.slice(1), `${A}a`, A.toUpperCase(), C.slice(1), `${C}c`, " "]) {
    assertEquals(find(verifier, header), "replaced", verifier);
    assertEquals(find(verifier), "unknown", verifier);
  }
});

Deno.test("examine() finds no session without a record, at its end, or in an index", () => {
  const events: string[] = [];
  const options = optionsWith({ onEvent: ({ type }) => void events.push(type) });
  const of = (text: string) => nameOf(examine(recordWith({}, { text }), A, options));
  assertEquals(nameOf(examine(undefined, A, options)), "unknown");
  assertEquals([of(encodeEnded("t")), of('subject:{"epoch":"","entries":[]}')], [
    "unknown",
    "unknown",
  ]);
  assertEquals(events, []);
  assertEquals([of(""), of(`s1:${A}`), of(`s1:${A} r-1{"_created":1}`)], Array(3).fill("unknown"));
  assertEquals(events, Array(3).fill("record-corrupt"));
});

Deno.test("examine() counts a replaced verifier as replaced for an hour after the last change", () => {
  for (const [age, found] of [[0, "replaced and held"], [HOUR, "replaced and held"]] as const) {
    const replaced = [regenerated(B, NOW - age)];
    assertEquals(find(B, { replacedAt: NOW - age, replaced }), found);
  }
  const replaced = [regenerated(B, NOW - HOUR - 1)];
  assertEquals(find(B, { replacedAt: NOW - HOUR - 1, replaced }), "unknown");
  // The last change counts, but a verifier ends the session only within an hour of its own.
  assertEquals(
    find(B, { replacedAt: NOW, replaced: [...replaced, regenerated(C, NOW)] }),
    "replaced",
  );
});

Deno.test("examine() counts a verifier that the record does not hold as replaced, but not as held", () => {
  const changed = { replacedAt: NOW, replaced: [regenerated(B, NOW)] };
  assertEquals(find(D, changed), "replaced");
  assertEquals(find(D, { ...changed, replacedAt: NOW - HOUR }), "replaced");
  assertEquals(find(D, { ...changed, replacedAt: NOW - HOUR - 1 }), "unknown");
  assertEquals(find(D), "unknown");
  const lookup = examine(recordWith(changed), D, optionsWith());
  assertEquals(lookup, {
    status: "replaced",
    key: KEY,
    isHeld: false,
    replacedAt: NOW,
    presented: undefined,
  });
});

Deno.test("examine() opens a session by the ID that rotate() replaced until the client sends the next one", () => {
  for (const at of [NOW, EVER]) {
    const header = { replacedAt: at, replaced: [rotated(B, at)] };
    assertEquals([find(B, header), find(A, header)], ["active in grace", "active"]);
  }
  const lookup = examine(recordWith({ replaced: [rotated(B, EVER)] }), B, optionsWith());
  assert(lookup.status === "active");
  assertEquals([lookup.id, lookup.oldVerifier], [A + KEY, B]);
});

Deno.test("examine() opens a session by a rotated ID for rotateGrace and two minutes after that", () => {
  const found = (age: number, rotateGrace?: number) => {
    const header = {
      replacedAt: EVER,
      presentedAt: NOW - age,
      replaced: [rotated(B, EVER)],
    };
    return nameOf(examine(recordWith(header), B, optionsWith({ rotateGrace })));
  };
  assertEquals([found(GRACE), found(GRACE + 1)], ["active in grace", "replaced and held"]);
  assertEquals([found(0, 0), found(SKEW, 0), found(SKEW + 1, 0)], [
    "active in grace",
    "active in grace",
    "replaced and held",
  ]);
  assertEquals([found(1000 + SKEW, 1000), found(1001 + SKEW, 1000)], [
    "active in grace",
    "replaced and held",
  ]);
  // It can end the session for an hour from the time that the client sent the next ID. It counts as
  // late for an hour from the end of the grace.
  assertEquals([found(HOUR), found(HOUR + 1)], ["replaced and held", "replaced"]);
  assertEquals([found(HOUR + 30), found(HOUR + 31)], ["replaced", "unknown"]);
});

Deno.test("examine() lets only the last verifier have a grace, and only after a rotation", () => {
  const replacedAt = NOW;
  const twice = { replacedAt, replaced: [rotated(B, NOW), rotated(C, NOW)] };
  assertEquals([find(B, twice), find(C, twice)], ["replaced and held", "active in grace"]);
  const ended = { replacedAt, replaced: [rotated(B, NOW), regenerated(C, NOW)] };
  assertEquals([find(B, ended), find(C, ended)], ["replaced and held", "replaced and held"]);
  const begun = { replacedAt, replaced: [regenerated(B, NOW), rotated(C, NOW)] };
  assertEquals([find(B, begun), find(C, begun)], ["replaced and held", "active in grace"]);
});

Deno.test("examine() says that a session has expired only under its current ID", () => {
  const header = { replacedAt: NOW, replaced: [rotated(B, NOW)] };
  const record = recordWith(header, { lastAccess: NOW - 3661 });
  const found = [A, undefined, B, D].map((verifier) => examine(record, verifier, optionsWith()));
  assertEquals(found.map(nameOf), ["expired", "expired", "unknown", "unknown"]);
});

Deno.test("examine() finds a session until expire and touchInterval have passed", () => {
  const found = (age: number, options = {}) =>
    nameOf(examine(recordWith({}, { lastAccess: NOW - age }), A, optionsWith(options)));
  assertEquals([found(3660), found(3661)], ["active", "expired"]);
  const brief = { expire: 600, touchInterval: 10 };
  assertEquals([found(610, brief), found(611, brief)], ["active", "expired"]);
  const exact = { expire: 600, touchInterval: 0 };
  assertEquals([found(600, exact), found(601, exact)], ["active", "expired"]);
  assertEquals(found(NaN), "expired");
});

Deno.test("examine() finds a session until absoluteExpire after the sign-in, or else the creation", () => {
  const options = optionsWith({ absoluteExpire: 1000 });
  const found = (signedInAt: number | undefined, created: number) =>
    nameOf(examine(recordWith({ signedInAt }, { json: `{"_created":${created}}` }), A, options));
  assertEquals([found(undefined, NOW - 1000), found(undefined, NOW - 1001)], ["active", "expired"]);
  assertEquals([found(NOW - 1000, EVER), found(NOW - 1001, EVER)], ["active", "expired"]);
  assertEquals(found(NOW - 1001, NOW), "expired");
});

Deno.test("examine() does not let a session go on forever because of a sign-in in the future", () => {
  const found = (signedInAt: number, created: number) => {
    const record = recordWith({ signedInAt }, { json: `{"_created":${created}}` });
    return nameOf(examine(record, A, optionsWith({ absoluteExpire: 1000 })));
  };
  assertEquals([found(NOW + SKEW, EVER), found(NOW + SKEW + 1, EVER)], ["active", "expired"]);
  assertEquals(found(36 ** 8 - 1, NOW - 1000), "active");
  assertEquals(found(36 ** 8 - 1, NOW - 1001), "expired");
});

Deno.test("examine() believes a backend that knows that the ID was replaced", () => {
  const found = (age: number) =>
    examine(recordWith({}, { replacedAt: NOW - age }), undefined, optionsWith());
  assertEquals(found(HOUR), {
    status: "replaced",
    key: KEY,
    isHeld: true,
    replacedAt: NOW - HOUR,
    presented: undefined,
  });
  assertEquals(nameOf(found(HOUR + 1)), "unknown");
});

Deno.test("holds() is true for the current verifier and the replaced ones", () => {
  const { header } = loadedWith({ replaced: [regenerated(B, EVER), rotated(C, NOW)] });
  assertEquals([A, B, C, D, ""].map((one) => holds(header, one)), [true, true, true, false, false]);
});

Deno.test("isUnconfirmed() is true from a rotation until the client sends the new ID", () => {
  const of = (header: Partial<RecordHeader>) => isUnconfirmed(loadedWith(header).header);
  assertEquals([of({}), of({ replaced: [regenerated(B, NOW)] })], [false, false]);
  assertEquals([of({ replaced: [rotated(B, NOW)] }), of({ replaced: [rotated(B, EVER)] })], [
    true,
    true,
  ]);
  assertEquals(of({ replaced: [rotated(B, NOW)], presentedAt: NOW }), false);
  assertEquals(of({ replaced: [rotated(B, NOW), regenerated(C, NOW)] }), false);
});

Deno.test("isGraceRunning() and isInGrace() agree, and the latter is true for one verifier only", () => {
  const options = optionsWith();
  const of = (header: Partial<RecordHeader>, now: number) => {
    const one = loadedWith(header).header;
    const inGrace = [A, B, C].filter((verifier) => isInGrace(one, verifier, now, options));
    return [isGraceRunning(one, now, options), ...inGrace];
  };
  const replaced = [rotated(B, NOW), rotated(C, NOW)];
  assertEquals(of({ replaced }, NOW + 1_000_000), [true, C]);
  assertEquals(of({ replaced, presentedAt: NOW }, NOW + GRACE), [true, C]);
  assertEquals(of({ replaced, presentedAt: NOW }, NOW + GRACE + 1), [false]);
  assertEquals(of({ replaced: [...replaced, regenerated(D, NOW)] }, NOW), [false]);
  assertEquals(of({}, NOW), [false]);
});

Deno.test("unixNow() rounds down to whole seconds", () => {
  assertEquals([0, 999, 1000, 1999].map((ms) => unixNow({ now: () => ms })), [0, 0, 1, 1]);
});
