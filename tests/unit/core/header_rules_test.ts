/** The rules by which a write changes the header of a session's record. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeHeader, type RecordHeader } from "../../../base/record_header.ts";
import { nextHeader, withToken } from "../../../core/header_rules.ts";
import { A, B, C, D, loadedWith, NOW, optionsWith, regenerated, rotated, SKEW } from "./_loaded.ts";

type Change = Parameters<typeof nextHeader>[1];

const HOUR = 3600 + SKEW;
const NOTHING: Change = {
  now: NOW,
  isPresented: true,
  isSent: false,
  notesSending: true,
  change: undefined,
  newVerifier: undefined,
  isRotation: false,
};
const SAME = { subject: undefined, isSignIn: false };

/** The header after a write to a session with this header. */
function after(
  header: Partial<RecordHeader>,
  change: Partial<Change>,
  subject?: string,
): RecordHeader {
  return nextHeader(loadedWith(header, subject), { ...NOTHING, ...change }, optionsWith());
}

/** The fields in which two headers differ, as they are in the second. */
function difference(from: RecordHeader, to: RecordHeader): Partial<RecordHeader> {
  const names = Object.keys(to) as (keyof RecordHeader)[];
  const isSame = (name: keyof RecordHeader) =>
    JSON.stringify(from[name]) === JSON.stringify(to[name]);
  return Object.fromEntries(
    names.filter((name) => !isSame(name)).map((name) => [name, to[name]]),
  );
}

/** The fields that a write changes in a header. */
function effect(header: Partial<RecordHeader>, change: Partial<Change>, subject?: string) {
  return difference(loadedWith(header, subject).header, after(header, change, subject));
}

Deno.test("nextHeader() changes nothing when a write changes only values", () => {
  const header = {
    regenerations: 2,
    subjectChanges: 1,
    signedInAt: NOW - 9,
    replacedAt: NOW - 8,
    presentedAt: NOW - 7,
    sentAt: NOW - 6,
    replaced: [regenerated(B, NOW - 8)],
    others: ["z"],
  };
  assertEquals(effect(header, { change: { subject: "ada", isSignIn: false } }, "ada"), {});
  assertEquals(effect({}, { change: SAME }), {});
  assertEquals(effect({}, {}), {});
});

Deno.test("nextHeader() counts every change of the subject, in both directions", () => {
  const to = (subject: string | undefined) => ({ change: { subject, isSignIn: false } });
  assertEquals(effect({}, to("ada")), { subjectChanges: 1 });
  assertEquals(effect({ subjectChanges: 1 }, to("bob"), "ada"), { subjectChanges: 2 });
  assertEquals(effect({ subjectChanges: 2 }, to(undefined), "bob"), { subjectChanges: 3 });
  assertEquals(effect({ subjectChanges: 3 }, to("bob"), "bob"), {});
  // A touch has no subject, and it does not change the session's.
  assertEquals(effect({ subjectChanges: 3 }, { change: undefined }, "bob"), {});
});

Deno.test("nextHeader() notes a sign-in, and otherwise keeps the earlier one", () => {
  const signIn = { subject: "ada", isSignIn: true };
  assertEquals(effect({ signedInAt: 5 }, { change: signIn }, "ada"), { signedInAt: NOW });
  assertEquals(after({ signedInAt: 5 }, { change: { ...signIn, isSignIn: false } }, "ada"), {
    ...loadedWith({ signedInAt: 5 }).header,
  });
});

Deno.test("nextHeader() notes when the ID was sent, unless it is a new one", () => {
  assertEquals(effect({ sentAt: 5 }, { isSent: true }), { sentAt: NOW });
  assertEquals(effect({ sentAt: 5 }, { isSent: false }), {});
  assertEquals(effect({ sentAt: 5 }, { isSent: true, notesSending: false }), {});
  const replaced = [regenerated(B, NOW)];
  assertEquals(effect({ sentAt: 5, replaced }, { isSent: true, notesSending: false }), {});
  assertEquals(after({ sentAt: 5 }, { isSent: true, newVerifier: D }).sentAt, undefined);
});

Deno.test("nextHeader() replaces the verifier and counts it, but no rotation", () => {
  assertEquals(effect({}, { newVerifier: D }), {
    verifier: D,
    regenerations: 1,
    replacedAt: NOW,
    replaced: [regenerated(A, NOW)],
  });
  assertEquals(effect({ regenerations: 4 }, { newVerifier: D, isRotation: true }), {
    verifier: D,
    replacedAt: NOW,
    replaced: [rotated(A, NOW)],
  });
});

Deno.test("nextHeader() forgets whether the client has sent the last ID when the ID is replaced", () => {
  for (const isRotation of [false, true]) {
    const header = { presentedAt: NOW - 5, replaced: [rotated(B, NOW - 9)] };
    const next = after(header, { newVerifier: D, isRotation });
    const replaced = { verifier: A, isRotated: isRotation, at: NOW };
    assertEquals(next.presentedAt, undefined);
    // The one before was valid until the client sent the last ID.
    assertEquals(next.replaced, [rotated(B, NOW - 5), replaced]);
  }
});

Deno.test("nextHeader() replaces no verifier in a record that has none, and counts the regeneration", () => {
  assertEquals(effect({ verifier: "" }, { newVerifier: "" }), {
    regenerations: 1,
    replacedAt: NOW,
    sentAt: NOW,
  });
});

Deno.test("nextHeader() throws when the session has had the new verifier", () => {
  const header = { replaced: [regenerated(B, NOW), rotated(C, NOW)] };
  for (const newVerifier of [A, B, C]) {
    assertThrows(() => after(header, { newVerifier }), TypeError, "generateId");
  }
  assertEquals(after(header, { newVerifier: D }).verifier, D);
});

Deno.test("nextHeader() notes the client's first request with the new ID after a rotation", () => {
  const header = { replaced: [rotated(B, NOW - 50)] };
  assertEquals(effect(header, {}), { presentedAt: NOW });
  assertEquals(effect(header, { isPresented: false }), {});
  assertEquals(effect({ ...header, presentedAt: NOW - 20 }, {}), {});
  assertEquals(effect({ replaced: [rotated(B, NOW), regenerated(C, NOW)] }, {}), {});
  assertEquals(effect({}, {}), {});
});

Deno.test("nextHeader() keeps a replaced verifier for an hour and the clocks' two minutes", () => {
  for (const [age, isKept] of [[0, true], [HOUR, true], [HOUR + 1, false]] as const) {
    for (const change of [{}, { newVerifier: D }, { newVerifier: D, isRotation: true }]) {
      const old = regenerated(B, NOW - age);
      const { replaced } = after({ replaced: [old] }, change);
      assertEquals(replaced.some(({ verifier }) => verifier === B), isKept, `${age}`);
    }
  }
});

Deno.test("nextHeader() keeps a rotated verifier until the client has sent the next ID, however old", () => {
  const old = rotated(B, NOW - 1_000_000);
  assertEquals(after({ replaced: [old] }, { isPresented: false }).replaced, [old]);
  // The hour starts when the client sends the next ID.
  assertEquals(after({ replaced: [old] }, {}).replaced, [old]);
  assertEquals(after({ replaced: [old], presentedAt: NOW - HOUR }, {}).replaced, [old]);
  assertEquals(after({ replaced: [old], presentedAt: NOW - HOUR - 1 }, {}).replaced, []);
  // Only the last one can be unknown to the client.
  assertEquals(after({ replaced: [old, rotated(C, NOW)] }, {}).replaced, [rotated(C, NOW)]);
});

Deno.test("nextHeader() keeps a rotated verifier for an hour after it was last valid", () => {
  const old = rotated(B, NOW - 1_000_000);
  for (const isRotation of [false, true]) {
    const next = (presentedAt: number | undefined) =>
      after({ replaced: [old], presentedAt }, { newVerifier: D, isRotation }).replaced[0];
    assertEquals(next(NOW - 60), rotated(B, NOW - 60));
    // The client has not sent the next ID, so it was valid until now.
    assertEquals(next(undefined), rotated(B, NOW));
  }
  // One that a regeneration replaced was invalid immediately.
  const gone = regenerated(B, NOW - 60);
  assertEquals(after({ replaced: [gone] }, { newVerifier: D }).replaced[0], gone);
});

Deno.test("nextHeader() drops nothing because of a clock that is ahead", () => {
  const session = loadedWith({
    replaced: [regenerated(B, NOW - 60), regenerated(C, NOW - HOUR - 1)],
  });
  const change = { ...NOTHING, now: NOW + 100_000, isSent: true };
  // The session was used at `NOW`, so the clocks of other servers may say that.
  assertEquals(nextHeader(session, change, optionsWith()).replaced, [regenerated(B, NOW - 60)]);
  const later = { ...session, lastAccess: NOW + 100_000 };
  assertEquals(nextHeader(later, change, optionsWith()).replaced, []);
});

Deno.test("nextHeader() replaces the ID by the clock of whichever server is ahead", () => {
  const session = { ...loadedWith(), lastAccess: NOW + 500 };
  const next = nextHeader(session, { ...NOTHING, newVerifier: D }, optionsWith());
  assertEquals([next.replacedAt, next.replaced], [NOW + 500, [regenerated(A, NOW + 500)]]);
  const early = { ...session, lastAccess: NOW - 500 };
  assertEquals(nextHeader(early, { ...NOTHING, newVerifier: D }, optionsWith()).replacedAt, NOW);
});

Deno.test("nextHeader() keeps a rotated verifier for as long as its grace runs", () => {
  const options = optionsWith({ rotateGrace: 10_000 });
  const of = (age: number) => {
    const session = loadedWith({ presentedAt: NOW - age, replaced: [rotated(B, NOW - 20_000)] });
    return nextHeader(session, { ...NOTHING, isSent: true }, options).replaced.length;
  };
  assertEquals([of(10_000 + SKEW), of(10_001 + SKEW)], [1, 0]);
});

Deno.test("nextHeader() keeps the eight newest of the replaced verifiers", () => {
  const verifiers = Array.from({ length: 8 }, (_, at) => at.toString(16).repeat(32));
  const replaced = verifiers.map((verifier) => regenerated(verifier, NOW - 1));
  const next = after({ replaced }, { newVerifier: D, isRotation: true });
  assertEquals(next.replaced, [...replaced.slice(1), rotated(A, NOW)]);
});

Deno.test("withToken() adds a token behind those that a late call may still look for", () => {
  const tokens = [
    { token: "0".repeat(12), at: NOW - 151 },
    { token: "1".repeat(12), at: NOW - 150 },
  ];
  const token = "f".repeat(12);
  const { header } = loadedWith({ tokens, others: ["z"] });
  const next = withToken(header, token, NOW, optionsWith());
  assertEquals(next, { ...header, tokens: [tokens[1]!, { token, at: NOW }] });
});

Deno.test("withToken() drops nothing because of a clock that is ahead", () => {
  const tokens = [{ token: "0".repeat(12), at: NOW - 150 }, {
    token: "1".repeat(12),
    at: NOW - 151,
  }];
  const { header } = loadedWith({ tokens });
  const next = withToken(header, "f".repeat(12), NOW + 100_000, optionsWith(), NOW);
  assertEquals(next.tokens.slice(0, -1), [tokens[0]!]);
});

Deno.test("withToken() keeps tokens for twice storeTimeout when that is longer", () => {
  for (const [age, isKept] of [[400, true], [401, false]] as const) {
    const { header } = loadedWith({ tokens: [{ token: "0".repeat(12), at: NOW - age }] });
    const { tokens } = withToken(header, "f".repeat(12), NOW, optionsWith({ storeTimeout: 200 }));
    assertEquals(tokens.length, isKept ? 2 : 1);
  }
});

Deno.test("withToken() keeps the newest 32 other tokens", () => {
  const tokens = Array.from({ length: 40 }, (_, at) => ({
    token: at.toString(16).padStart(12, "0"),
    at: NOW,
  }));
  const own = { token: "f".repeat(12), at: NOW };
  const next = withToken(loadedWith({ tokens }).header, own.token, NOW, optionsWith());
  assertEquals(next.tokens, [...tokens.slice(8), own]);
});

Deno.test("a header never grows beyond 1,055 bytes", () => {
  let session = loadedWith();
  const options = optionsWith();
  for (let count = 0; count < 100; count++) {
    const newVerifier = count.toString(16).padStart(32, "e");
    const change = { subject: `${count}`, isSignIn: true };
    const next = nextHeader(session, {
      ...NOTHING,
      change,
      newVerifier,
      isRotation: count % 2 > 0,
    }, options);
    const header = withToken(next, count.toString(16).padStart(12, "0"), NOW, options);
    session = { ...session, header, subject: `${count}` };
  }
  const { length } = encodeHeader(session.header);
  // Eight replaced verifiers, 33 tokens, two counts and three times.
  assert(length <= 35 + 8 * 41 + 33 * 20 + 2 * 4 + 3 * 8, `${length}`);
});
