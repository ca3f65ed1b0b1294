import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { createDecipheriv, hkdfSync } from "node:crypto";
import type { CookieSession } from "../../../../store/_cookie/format.ts";
import type { HourlyFormat } from "../../../../store/_cookie/hourly_format.ts";
import { countSubtle, withoutCrypto } from "../../../_kit/web_crypto.ts";
import { HOUR, open, OTHER, sealWith, SECRET } from "../../../_kit/seal.ts";

for (
  const [what, change] of [
    ["JSON", {}],
    ["unicode", { text: '{"_created":1,"name":"Adéle 世 👩‍🚀"}' }],
    ["an empty text", { text: "" }],
    ["a text that begins with a byte order mark", { text: "\ufeffx" }],
    ["any id", { id: "user-世" }],
    ["the longest id", { id: "x".repeat(254) }],
    ["a generation", { generation: "0123456789ab" }],
    ["an id in capitals", { id: "A".repeat(64) }],
    ["a use between two seconds", { lastAccess: 1_699_999_999.5 }],
    ["a long life", { lifetime: 2 ** 32 - 1 }],
  ] as [string, Partial<CookieSession>][]
) {
  Deno.test(`HourlyFormat opens ${what} as it was sealed`, async () => {
    const { format, session } = sealWith();
    const value = await format.encrypt({ ...session, ...change });
    assertEquals(await open(format, value), { ...session, ...change });
    assertEquals([format.accepts(value), /^[\w-]+$/.test(value)], [true, true]);
  });
}

for (const id of ["", "x".repeat(256)]) {
  Deno.test(`HourlyFormat refuses an id of ${id.length} letters`, async () => {
    const { format, session } = sealWith();
    await assertRejects(() => format.encrypt({ ...session, id }), TypeError, "1 to 254 bytes");
  });
}

Deno.test("HourlyFormat writes the bytes that its page says, as another implementation reads them", async () => {
  const { format, session, clock } = sealWith({ purpose: "cart" });
  const value = await format.encrypt(session);
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

Deno.test("HourlyFormat binds a name as its page says, as another implementation reads it", async () => {
  const { format, session, clock } = sealWith({ purpose: "cart" });
  const bytes = Buffer.from(await format.encrypt(session, "__Host-\u00e9"), "base64url");
  const hour = Math.floor(clock.seconds() / HOUR);
  const salt = "@pagi/session sealed session 1";
  const key = Buffer.from(hkdfSync("sha256", SECRET, salt, `${hour} cart`, 32));
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(4, 16));
  decipher.setAAD(Buffer.from('[1,"cart","__Host-\u00e9"]'));
  decipher.setAuthTag(bytes.subarray(-16));
  const plain = Buffer.concat([decipher.update(bytes.subarray(16, -16)), decipher.final()]);
  assertEquals(plain.subarray(45).toString(), session.text);
});

Deno.test("HourlyFormat seals the same session to another value each time", async () => {
  const { format, session } = sealWith();
  const values = await Promise.all(Array.from({ length: 100 }, () => format.encrypt(session)));
  assertEquals(new Set(values).size, 100);
});

Deno.test("HourlyFormat opens nothing of which a single bit was flipped", async () => {
  const { format, session } = sealWith();
  for (const text of [session.text, "", "x".repeat(40)]) {
    const value = await format.encrypt({ ...session, text });
    const bytes = Buffer.from(value, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(await open(format, bytes.toString("base64url")), undefined, `bit ${bit}`);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
});

Deno.test("HourlyFormat opens no value of which a single letter's bit was flipped", async () => {
  const { format, session } = sealWith();
  // Three lengths, so that the last letter has bits to spare in two of them.
  for (const text of ["x", "xy", "xyz"]) {
    const value = await format.encrypt({ ...session, text });
    for (let at = 0; at < value.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const letter = String.fromCharCode(value.charCodeAt(at) ^ (1 << bit));
        const changed = value.slice(0, at) + letter + value.slice(at + 1);
        assertEquals(await open(format, changed), undefined, `letter ${at}, bit ${bit}`);
      }
    }
  }
});

Deno.test("HourlyFormat opens no part of a value, and nothing that has more", async () => {
  const { format, session } = sealWith();
  const value = await format.encrypt(session);
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

Deno.test("HourlyFormat opens nothing of another secret, purpose or version", async () => {
  const { format, make, session } = sealWith();
  const value = await format.encrypt(session);
  for (
    const other of [make({ secrets: [OTHER] }), make({ purpose: "csrf" }), make({ purpose: "" })]
  ) {
    assertEquals(await open(other, value), undefined);
    assertEquals(await open(format, await other.encrypt(session)), undefined);
  }
  assertEquals(format.accepts(`B${value.slice(1)}`), false);
});

Deno.test("HourlyFormat opens what it sealed for a purpose and a name for these alone, wherever one ends", async () => {
  const { make, session } = sealWith();
  const uses = [
    ["a b", "c"],
    ["a", "b c"],
    ["a", " b c"],
    ["a b c", undefined],
    ["a", undefined],
    ["a", ""],
    ['a","b', "c"],
    ["a", 'b","c'],
    ['["a","b"]', undefined],
    ["a", "b"],
    ["a", "\ud800"],
    ["a", "\ud801"],
    ["a", "\ufffd"],
  ] as const;
  for (const [from, [purpose, name]] of uses.entries()) {
    const value = await make({ purpose }).encrypt(session, name);
    for (const [to, [purpose, name]] of uses.entries()) {
      const format = make({ purpose });
      assertEquals(await open(format, value, Infinity, name) !== undefined, from === to);
      // Nor once it has opened something under that name.
      await open(format, await format.encrypt(session, name), Infinity, name);
      assertEquals(await open(format, value, Infinity, name) !== undefined, from === to);
    }
  }
});

Deno.test("HourlyFormat tells names apart however many there are", async () => {
  const { format, session } = sealWith();
  const values = [];
  for (let at = 0; at < 150; at++) values.push(await format.encrypt(session, `name ${at}`));
  for (const [at, value] of values.entries()) {
    assertEquals((await open(format, value, Infinity, `name ${at}`))?.id, session.id);
    assertEquals(await open(format, value, Infinity, `name ${at + 1}`), undefined);
  }
});

Deno.test("HourlyFormat opens nothing whose hour was changed to one that has a key", async () => {
  const { format, make, session, clock } = sealWith();
  const value = await format.encrypt(session);
  clock.advance(HOUR);
  const later = await format.encrypt(session);
  const swapped = later.slice(0, 6) + value.slice(6);
  assertEquals([await open(format, swapped), await open(make(), swapped)], [undefined, undefined]);
});

Deno.test("HourlyFormat seals with the first secret and opens with all", async () => {
  const { make, session } = sealWith();
  const [old, both, next] = [[SECRET], [OTHER, SECRET], [OTHER]].map((secrets) =>
    make({ secrets })
  );
  const [before, after] = [await old!.encrypt(session), await both!.encrypt(session)];
  const opens = async (format: HourlyFormat, value: string) =>
    await open(format, value) !== undefined;
  assertEquals(
    await Promise.all([opens(both!, before), opens(both!, after), opens(next!, after)]),
    [true, true, true],
  );
  assertEquals(await Promise.all([opens(old!, after), opens(next!, before)]), [false, false]);
});

Deno.test("HourlyFormat opens a value on both sides of the hour, until it expires to the second", async () => {
  const { format, session, clock } = sealWith();
  clock.advance(HOUR - clock.seconds() % HOUR - 1);
  const sealed = { ...session, lastAccess: clock.seconds() };
  const value = await format.encrypt(sealed);
  for (const [after, isOpen] of [[0, true], [1, true], [HOUR - 1, true], [1, false]] as const) {
    clock.advance(after);
    assertEquals(await open(format, value) !== undefined, isOpen, `${clock.seconds()}`);
  }
});

Deno.test("HourlyFormat refuses what is too large with both sizes, before any crypto", async () => {
  const { format, session } = sealWith();
  const fits = { ...session, text: "x".repeat(2994) };
  assertEquals((await format.encrypt(fits)).length, 4095);
  await withoutCrypto(async () => {
    const error = await assertRejects(() => format.encrypt({ ...fits, text: "x".repeat(2995) }));
    const { code, message } = error as Error & { code: string };
    assertEquals(code, "ERR_SESSION_TOO_LARGE");
    assert(message.includes("1 bytes more than the 4095 that"), message);
  });
});

Deno.test("HourlyFormat.encryptPlain() seals for 400 days to the second", async () => {
  const { format, clock } = sealWith();
  const value = await format.encryptPlain("a", { user: "ada" }, "");
  clock.advance(400 * 86_400);
  assertEquals((await format.decryptPlain(value))?.user, "ada");
  clock.advance(1);
  assertEquals(await format.decryptPlain(value), undefined);
});

Deno.test("HourlyFormat opens what it has sealed or opened lately without crypto, as it would with", async () => {
  const { make, session } = sealWith();
  const [format, other] = [make({ cacheSize: 2 }), make()];
  // What is kept is what the value says: whole seconds, and no half of a character.
  for (const change of [{}, { lifetime: 59.5 }, { text: '{"a":"\ud800"}' }, { id: "user-世" }]) {
    const own = await format.encrypt({ ...session, ...change }, "a");
    const foreign = await other.encrypt({ ...session, ...change }, "a");
    const expected = await open(other, own, Infinity, "a");
    assertEquals(await open(format, foreign, Infinity, "a"), expected);
    await withoutCrypto(() => {
      for (const value of [own, foreign]) {
        assertEquals(format.decrypt(value, Infinity, "a"), expected);
      }
    });
  }
});

Deno.test("HourlyFormat remembers a limited number of values", async () => {
  const { make, session } = sealWith();
  const format = make({ cacheSize: 1 });
  const values = [];
  for (let at = 0; at < 3; at++) values.push(await format.encrypt(session));
  const decryptions = (value: string) =>
    countSubtle(async () => assertEquals(await open(format, value), session));
  assertEquals(await decryptions(values[2]!), {});
  assertEquals(await decryptions(values[0]!), { decrypt: 1 });
});

Deno.test("HourlyFormat opens a remembered value under its own name alone", async () => {
  const { make, session } = sealWith();
  const format = make({ cacheSize: 5 });
  for (const name of ["a", undefined]) {
    const value = await format.encrypt(session, name);
    for (const other of ["b", "", "a", undefined]) {
      const opened = await open(format, value, Infinity, other);
      assertEquals(opened !== undefined, other === name, `${name}, ${other}`);
    }
    assertEquals(await open(format, value, Infinity, name), session);
  }
});

Deno.test("HourlyFormat opens no changed letter of a remembered value", async () => {
  const { make, session } = sealWith();
  const format = make({ cacheSize: 5 });
  const value = await format.encrypt(session);
  for (let at = 0; at < value.length; at++) {
    const letter = value[at] === "A" ? "B" : "A";
    const changed = value.slice(0, at) + letter + value.slice(at + 1);
    assertEquals(await open(format, changed), undefined, `letter ${at}`);
  }
  for (const changed of [value.slice(0, -1), `${value}A`, ` ${value}`, `${value}=`, ""]) {
    assertEquals(await open(format, changed), undefined, changed);
  }
});

Deno.test("HourlyFormat holds a remembered value to every time, as one that it has not seen", async () => {
  const { make, session, clock } = sealWith();
  const format = make({ cacheSize: 5 });
  const other = make();
  clock.advance(HOUR - clock.seconds() % HOUR);
  const value = await format.encrypt({
    ...session,
    lastAccess: clock.seconds(),
    lifetime: 2 * HOUR,
  });
  const sealed = clock.seconds();
  const answers = new Set<boolean>();
  for (const seconds of [-HOUR, -301, -300, 0, HOUR, 2 * HOUR, 2 * HOUR + 1, 9 * HOUR]) {
    for (const maxAge of [0, 60, HOUR, 2 * HOUR, Infinity]) {
      clock.advance(sealed + seconds - clock.seconds());
      const isOpen = await open(format, value, maxAge) !== undefined;
      assertEquals(isOpen, await open(other, value, maxAge) !== undefined, `${seconds}, ${maxAge}`);
      answers.add(isOpen);
    }
  }
  assertEquals(answers.size, 2);
});

Deno.test("HourlyFormat remembers nothing that it could not open", async () => {
  const { make, session } = sealWith();
  const format = make({ cacheSize: 5 });
  const value = await make({ secrets: [OTHER] }).encrypt(session);
  const calls = await countSubtle(async () => {
    for (let at = 0; at < 3; at++) assertEquals(await open(format, value), undefined);
  });
  assertEquals(calls.decrypt, 3);
});
