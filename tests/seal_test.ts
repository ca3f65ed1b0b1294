import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { Base64 } from "../store/_seal_base64.ts";
import type { SealedSession } from "../store/_seal_format.ts";
import { HourlySeal, type HourlySealOptions } from "../store/_seal_hourly.ts";
import { HourlyKeys } from "../store/_seal_keys.ts";
import { PagiSeal } from "../store/_seal_pagi.ts";
import { fakeClock, idOf } from "./_helpers.ts";

const SECRET = "the first secret, of more than 32 bytes";
const OTHER = "another secret, of more than 32 bytes";
const HOUR = 3600;

function sealWith(options: Partial<HourlySealOptions> = {}) {
  const clock = fakeClock(1_700_000_000);
  const common = { secrets: [SECRET], purpose: "session", maxSize: 4095, now: clock.now };
  const make = (other: Partial<HourlySealOptions> = {}) =>
    new HourlySeal({ ...common, ...options, ...other });
  const session: SealedSession = {
    id: idOf("5"),
    text: '{"_created":1700000000,"user":"ada"}',
    lastAccess: 1_700_000_000,
    lifetime: HOUR,
  };
  return { clock, make, format: make(), session };
}

const open = (format: HourlySeal, value: string, maxAge = Infinity) => format.open(value, maxAge);

const COUNTED = ["decrypt", "deriveKey", "digest", "encrypt", "importKey"] as const;

/** How often `work` calls Web Crypto. */
async function countCrypto(work: () => Promise<unknown>) {
  const { subtle, getRandomValues } = crypto;
  const originals = COUNTED.map((name) => [name, subtle[name]] as const);
  const calls = {
    decrypt: 0,
    deriveKey: 0,
    digest: 0,
    encrypt: 0,
    importKey: 0,
    random: 0,
    total: 0,
  };
  for (const [name, original] of originals) {
    const counting = (...args: unknown[]) => {
      calls[name]++;
      calls.total++;
      return Reflect.apply(original, subtle, args);
    };
    Object.assign(subtle, { [name]: counting });
  }
  Object.assign(crypto, {
    getRandomValues(array: Uint8Array<ArrayBuffer>) {
      calls.random++;
      return getRandomValues.call(crypto, array);
    },
  });
  try {
    await work();
  } finally {
    Object.assign(subtle, Object.fromEntries(originals));
    Object.assign(crypto, { getRandomValues });
  }
  return calls;
}

/** What `work` gives where the engine has no Base64 for bytes. */
function withoutNativeBase64<T>(work: () => T): T {
  const { fromBase64 } = Uint8Array;
  const { toBase64 } = Uint8Array.prototype;
  Object.assign(Uint8Array, { fromBase64: undefined });
  Object.assign(Uint8Array.prototype, { toBase64: undefined });
  try {
    return work();
  } finally {
    Object.assign(Uint8Array, { fromBase64 });
    Object.assign(Uint8Array.prototype, { toBase64 });
  }
}

for (
  const [where, run] of [
    ["with the engine's", <T>(work: () => T) => work()],
    ["with its own code", withoutNativeBase64],
  ] as const
) {
  Deno.test(`Base64 reads and writes what node:buffer does, ${where}`, () => {
    for (const alphabet of ["base64", "base64url"] as const) {
      const base64 = new Base64(alphabet);
      for (let length = 0; length < 100; length++) {
        const bytes = Uint8Array.from({ length }, (_, at) => (at * 89 + length * 7) & 255);
        const text = Buffer.from(bytes).toString(alphabet);
        run(() => {
          assertEquals(base64.encode(bytes), text);
          assertEquals(base64.decode(text), bytes);
        });
        assertEquals(base64.lengthOf(length), text.length);
      }
    }
  });

  Deno.test(`Base64.decode() takes no second text for the same bytes, ${where}`, () => {
    const padded = [
      "AB==",
      "AAB=",
      "AA",
      "AA=",
      "AAA",
      "A===",
      "====",
      "=",
      "AA==AA==",
      "AA A",
      "A",
    ];
    const unpadded = [
      "AB",
      "AAB",
      "AA==",
      "AAA=",
      "A",
      "A A A",
      "AAAA\n",
      "+/+/",
      "AAÁ",
      "AAA\u0100",
    ];
    run(() => {
      const found = [
        ...padded.map((text) => new Base64("base64").decode(text)),
        ...unpadded.map((text) => new Base64("base64url").decode(text)),
        new Base64("base64").decode("-_-_"),
      ];
      assertEquals(found.filter((bytes) => bytes !== undefined), []);
    });
  });
}

for (
  const [what, change] of [
    ["JSON", {}],
    ["unicode", { text: '{"_created":1,"name":"Adéle 世 👩‍🚀"}' }],
    ["an empty text", { text: "" }],
    ["a text that begins with a byte order mark", { text: "\ufeffx" }],
    ["any id", { id: "user-世" }],
    ["the longest id", { id: "x".repeat(255) }],
    ["an id in capitals", { id: "A".repeat(64) }],
    ["a use between two seconds", { lastAccess: 1_699_999_999.5 }],
    ["a long life", { lifetime: 2 ** 32 - 1 }],
  ] as [string, Partial<SealedSession>][]
) {
  Deno.test(`HourlySeal opens ${what} as it was sealed`, async () => {
    const { format, session } = sealWith();
    const value = await format.seal({ ...session, ...change });
    assertEquals(await open(format, value), { ...session, ...change });
    assertEquals([format.accepts(value), /^[\w-]+$/.test(value)], [true, true]);
  });
}

for (const id of ["", "x".repeat(256)]) {
  Deno.test(`HourlySeal refuses an id of ${id.length} letters`, async () => {
    const { format, session } = sealWith();
    await assertRejects(() => format.seal({ ...session, id }), TypeError, "1 to 255 bytes");
  });
}

Deno.test("HourlySeal writes the bytes that its page says, as another implementation reads them", async () => {
  const { format, session, clock } = sealWith({ purpose: "cart" });
  const value = await format.seal(session);
  const bytes = Buffer.from(value, "base64url");
  const hour = Math.floor(clock.seconds() / HOUR);
  assertEquals([bytes[0], bytes.readUIntBE(1, 3)], [1, hour]);
  const salt = "@pagi/session sealed session 1";
  const key = Buffer.from(hkdfSync("sha256", SECRET, salt, `${hour} cart`, 32));
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(4, 16));
  decipher.setAAD(Buffer.from("1 cart"));
  decipher.setAuthTag(bytes.subarray(-16));
  const plain = Buffer.concat([decipher.update(bytes.subarray(16, -16)), decipher.final()]);
  assertEquals([plain[0], plain.readDoubleBE(1), plain.readUInt32BE(9)], [0, 1_700_000_000, HOUR]);
  assertEquals(plain.subarray(13, 45).toString("hex"), session.id);
  assertEquals(plain.subarray(45).toString(), session.text);
});

Deno.test("HourlySeal seals the same session to another value each time", async () => {
  const { format, session } = sealWith();
  const values = await Promise.all(Array.from({ length: 100 }, () => format.seal(session)));
  assertEquals(new Set(values).size, 100);
});

Deno.test("HourlySeal opens nothing of which a single bit was flipped", async () => {
  const { format, session } = sealWith();
  for (const text of [session.text, "", "x".repeat(40)]) {
    const value = await format.seal({ ...session, text });
    const bytes = Buffer.from(value, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(await open(format, bytes.toString("base64url")), undefined, `bit ${bit}`);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
});

Deno.test("HourlySeal opens no value of which a single letter's bit was flipped", async () => {
  const { format, session } = sealWith();
  // Three lengths, so that the last letter has bits to spare in two of them.
  for (const text of ["x", "xy", "xyz"]) {
    const value = await format.seal({ ...session, text });
    for (let at = 0; at < value.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const letter = String.fromCharCode(value.charCodeAt(at) ^ (1 << bit));
        const changed = value.slice(0, at) + letter + value.slice(at + 1);
        assertEquals(await open(format, changed), undefined, `letter ${at}, bit ${bit}`);
      }
    }
  }
});

Deno.test("HourlySeal opens no part of a value, and nothing that has more", async () => {
  const { format, session } = sealWith();
  const value = await format.seal(session);
  const { length } = value;
  const parts = Array.from({ length }, (_, at) => [value.slice(0, at), value.slice(at + 1)]).flat();
  const more = ["A", "AAAA", "=", "==", " ", "\n", value].flatMap((x) => [value + x, x + value]);
  for (const changed of [...parts, ...more]) {
    assertEquals(await open(format, changed), undefined, changed);
  }
  // Bytes taken out of the middle, too.
  const bytes = Buffer.from(value, "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    assertEquals(await open(format, rest.toString("base64url")), undefined);
  }
});

Deno.test("HourlySeal opens nothing of another secret, purpose or version", async () => {
  const { format, make, session } = sealWith();
  const value = await format.seal(session);
  for (
    const other of [make({ secrets: [OTHER] }), make({ purpose: "csrf" }), make({ purpose: "" })]
  ) {
    assertEquals(await open(other, value), undefined);
    assertEquals(await open(format, await other.seal(session)), undefined);
  }
  assertEquals(format.accepts(`B${value.slice(1)}`), false);
});

Deno.test("HourlySeal opens nothing whose hour was changed to one that has a key", async () => {
  const { format, make, session, clock } = sealWith();
  const value = await format.seal(session);
  clock.advance(HOUR);
  const later = await format.seal(session);
  const swapped = later.slice(0, 6) + value.slice(6);
  assertEquals([await open(format, swapped), await open(make(), swapped)], [undefined, undefined]);
});

Deno.test("HourlySeal seals with the first secret and opens with all", async () => {
  const { make, session } = sealWith();
  const [old, both, next] = [[SECRET], [OTHER, SECRET], [OTHER]].map((secrets) =>
    make({ secrets })
  );
  const [before, after] = [await old!.seal(session), await both!.seal(session)];
  const opens = async (format: HourlySeal, value: string) =>
    await open(format, value) !== undefined;
  assertEquals(
    await Promise.all([opens(both!, before), opens(both!, after), opens(next!, after)]),
    [true, true, true],
  );
  assertEquals(await Promise.all([opens(old!, after), opens(next!, before)]), [false, false]);
});

Deno.test("HourlySeal opens a value on both sides of the hour, until it expires to the second", async () => {
  const { format, session, clock } = sealWith();
  clock.advance(HOUR - clock.seconds() % HOUR - 1);
  const sealed = { ...session, lastAccess: clock.seconds() };
  const value = await format.seal(sealed);
  for (const [after, isOpen] of [[0, true], [1, true], [HOUR - 1, true], [1, false]] as const) {
    clock.advance(after);
    assertEquals(await open(format, value) !== undefined, isOpen, `${clock.seconds()}`);
  }
});

Deno.test("HourlySeal looks at the hour before it does any crypto", async () => {
  const { make, session, clock } = sealWith();
  const format = make();
  const value = await format.seal({ ...session, lifetime: 2 ** 31 });
  const start = clock.seconds();
  const hourStart = start - start % HOUR;
  for (
    const [at, maxAge, isTried] of [
      [hourStart - 300, Infinity, true],
      [hourStart - 301, Infinity, false],
      [start + 400 * 86_400, Infinity, true],
      [start + 400 * 86_400 + HOUR + 300, Infinity, false],
      [hourStart + HOUR + 7200 + 299, 7200, true],
      [hourStart + HOUR + 7200 + 300, 7200, false],
    ] as const
  ) {
    clock.advance(at - clock.seconds());
    const calls = await countCrypto(async () => {
      assertEquals(await open(format, value, maxAge) !== undefined, isTried);
    });
    assertEquals(calls.total > 0, isTried, `at ${at}`);
  }
});

Deno.test("HourlySeal does no crypto when it is made, nor to tell a value's form", async () => {
  const { make, format, session } = sealWith();
  const value = await format.seal(session);
  const calls = await countCrypto(() => {
    const other = make({ secrets: [SECRET, OTHER] });
    assertEquals([other.accepts(value), other.accepts("junk"), other.accepts("")], [
      true,
      false,
      false,
    ]);
    assert(!other.accepts(idOf("0")) && !other.accepts('{"user":"ada"}'));
    assert(!other.accepts(`A${"é".repeat(90)}`) && !other.accepts(`AQ${"A".repeat(5000)}`));
    return Promise.resolve();
  });
  assertEquals([calls.total, calls.random], [0, 0]);
});

Deno.test("HourlySeal derives one key an hour, whatever comes", async () => {
  const { make, session, clock } = sealWith();
  const format = make();
  const value = await format.seal(session);
  const calls = await countCrypto(async () => {
    for (let at = 0; at < 200; at++) {
      await open(format, value);
      await open(format, value.slice(0, -3) + "AAA");
      await format.seal(session);
    }
  });
  assertEquals([calls.deriveKey, calls.importKey], [0, 0]);
  assertEquals([calls.decrypt, calls.encrypt], [400, 200]);
  clock.advance(HOUR);
  const next = await countCrypto(() =>
    Promise.all(Array.from({ length: 50 }, () => format.seal(session)))
  );
  assertEquals([next.deriveKey, next.importKey, next.encrypt], [1, 0, 50]);
});

Deno.test("HourlySeal derives nothing for an hour that has a key, however much junk names others", async () => {
  const { make, session } = sealWith();
  const format = make();
  const value = await format.seal(session);
  const bytes = Buffer.from(value, "base64url");
  const hour = bytes.readUIntBE(1, 3);
  const junk = async (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      bytes.writeUIntBE(at, 1, 3);
      await open(format, bytes.toString("base64url"), 86_400);
    }
  };
  // A day's hours, one for the skew, and no more, as often as it is tried.
  const first = await countCrypto(() => junk(hour - 5000, hour + 5000));
  assertEquals(first.deriveKey <= 26, true, `${first.deriveKey} derived`);
  const second = await countCrypto(async () => {
    await junk(hour - 2000, hour + 2000);
    await open(format, value);
  });
  assertEquals([second.deriveKey, second.importKey], [0, 0]);
});

Deno.test("HourlyKeys keeps a limited number of keys", async () => {
  const keys = new HourlyKeys(SECRET, "session");
  const { subtle } = crypto;
  const original = subtle.deriveKey;
  // Ten thousand derivations take a second, and it is not them that is looked at.
  const made = await keys.at(0);
  subtle.deriveKey = () => Promise.resolve(made);
  try {
    for (let hour = 1; hour <= 12_000; hour++) await keys.at(hour);
    let derived = 0;
    subtle.deriveKey = () => {
      derived++;
      return Promise.resolve(made);
    };
    for (let hour = 12_000; hour > 2000; hour--) await keys.at(hour);
    assertEquals(derived, 0);
    await keys.at(1);
    assertEquals(derived, 1);
  } finally {
    subtle.deriveKey = original;
  }
});

Deno.test("HourlySeal recovers when a key could not be derived", async () => {
  const { format, session } = sealWith();
  const { subtle } = crypto;
  for (const name of ["importKey", "deriveKey"] as const) {
    const original = subtle[name];
    Object.assign(subtle, { [name]: () => Promise.reject(new Error("no entropy today")) });
    try {
      await assertRejects(() => sealWith().format.seal(session), Error, "no entropy");
      if (name === "deriveKey") {
        await assertRejects(() => format.seal(session), Error, "no entropy");
      }
    } finally {
      Object.assign(subtle, { [name]: original });
    }
  }
  const value = await format.seal(session);
  assertEquals((await open(format, value))?.id, session.id);
});

Deno.test("HourlySeal refuses what is too large with both sizes, before any crypto", async () => {
  const { format, session } = sealWith();
  const fits = { ...session, text: "x".repeat(2994) };
  assertEquals((await format.seal(fits)).length, 4095);
  const calls = await countCrypto(async () => {
    const error = await assertRejects(() => format.seal({ ...fits, text: "x".repeat(2995) }));
    const { code, message } = error as Error & { code: string };
    assertEquals(code, "ERR_SESSION_TOO_LARGE");
    assert(message.includes("4096") && message.includes("4095"), message);
  });
  assertEquals([calls.total, calls.random], [0, 0]);
});

Deno.test("PagiSeal opens nothing that was changed, cut or sealed by another", async () => {
  const common = { maxSize: 4095, now: Date.now };
  const format = new PagiSeal({ ...common, secrets: [SECRET] });
  const hash = { _id: idOf("5"), _created: 1, _last_access: 2, user: "ada" };
  const value = await format.sealHash(hash._id, hash);
  assertEquals(await format.openHash(value), hash);
  const bytes = Buffer.from(value, "base64");
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(await format.openHash(bytes.toString("base64")), undefined, `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (let at = 0; at < value.length; at++) {
    assertEquals(await format.openHash(value.slice(0, at)), undefined);
    for (let bit = 0; bit < 8; bit++) {
      const letter = String.fromCharCode(value.charCodeAt(at) ^ (1 << bit));
      const changed = value.slice(0, at) + letter + value.slice(at + 1);
      assertEquals(await format.openHash(changed), undefined, `letter ${at}, bit ${bit}`);
    }
  }
  const other = new PagiSeal({ ...common, secrets: [OTHER] });
  const both = new PagiSeal({ ...common, secrets: [OTHER, SECRET] });
  assertEquals([await other.openHash(value), await both.openHash(value)], [undefined, hash]);
});

for (const text of ["[]", "null", "1", '"a"', "{", "", "\xff"]) {
  Deno.test(`PagiSeal takes ${JSON.stringify(text)} for no session, though the secret sealed it`, async () => {
    const format = new PagiSeal({ secrets: [SECRET], maxSize: 4095, now: Date.now });
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SECRET));
    const key = await crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt"]);
    const iv = new Uint8Array(12);
    const plain = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const sealed = Buffer.from(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain));
    const parts = [iv, sealed.subarray(-16), sealed.subarray(0, -16)];
    const value = Buffer.concat(parts).toString("base64");
    assertEquals([await format.openHash(value), await format.open(value)], [undefined, undefined]);
  });
}

Deno.test("PagiSeal derives one key for each secret, and another try when that failed", async () => {
  const format = new PagiSeal({ secrets: [SECRET, OTHER], maxSize: 4095, now: Date.now });
  const { subtle } = crypto;
  const original = subtle.digest;
  subtle.digest = () => Promise.reject(new Error("not now"));
  try {
    await assertRejects(() => format.sealHash("a", {}), Error, "not now");
  } finally {
    subtle.digest = original;
  }
  const calls = await countCrypto(async () => {
    const value = await format.sealHash("a", { user: "ada" });
    for (let at = 0; at < 50; at++) await format.openHash(value);
    for (let at = 0; at < 50; at++) await format.openHash(`AAAA${value.slice(4)}`);
  });
  assertEquals([calls.digest, calls.importKey, calls.encrypt, calls.decrypt], [2, 2, 1, 150]);
});
