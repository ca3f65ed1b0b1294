import { assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { SessionError } from "../../../../errors.ts";
import { PagiFormat } from "../../../../store/_cookie/pagi_format.ts";
import { countSubtle, failSubtle } from "../../../_kit/web_crypto.ts";
import { idOf } from "../../../_kit/helpers.ts";
import { OTHER, SECRET } from "../../../_kit/seal.ts";

Deno.test("PagiFormat opens nothing that was changed, cut or sealed by another", async () => {
  const common = { maxSize: 4095, now: Date.now };
  const format = new PagiFormat({ ...common, secrets: [SECRET] });
  const hash = { _id: idOf("5"), _created: 1, _last_access: 2, user: "ada" };
  const value = await format.encryptPlain(hash._id, hash);
  assertEquals(await format.decryptPlain(value), hash);
  const bytes = Buffer.from(value, "base64");
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(await format.decryptPlain(bytes.toString("base64")), undefined, `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (let at = 0; at < value.length; at++) {
    assertEquals(await format.decryptPlain(value.slice(0, at)), undefined);
    for (let bit = 0; bit < 8; bit++) {
      const letter = String.fromCharCode(value.charCodeAt(at) ^ (1 << bit));
      const changed = value.slice(0, at) + letter + value.slice(at + 1);
      assertEquals(await format.decryptPlain(changed), undefined, `letter ${at}, bit ${bit}`);
    }
  }
  const other = new PagiFormat({ ...common, secrets: [OTHER] });
  const both = new PagiFormat({ ...common, secrets: [OTHER, SECRET] });
  assertEquals([await other.decryptPlain(value), await both.decryptPlain(value)], [
    undefined,
    hash,
  ]);
});

for (const text of ["[]", "null", "1", '"a"', "{", "", "\xff"]) {
  Deno.test(`PagiFormat takes ${JSON.stringify(text)} for no session, though the secret sealed it`, async () => {
    const format = new PagiFormat({ secrets: [SECRET], maxSize: 4095, now: Date.now });
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SECRET));
    const key = await crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt"]);
    const iv = new Uint8Array(12);
    const plain = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const sealed = Buffer.from(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain));
    const parts = [iv, sealed.subarray(-16), sealed.subarray(0, -16)];
    const value = Buffer.concat(parts).toString("base64");
    assertEquals([await format.decryptPlain(value), await format.decrypt(value)], [
      undefined,
      undefined,
    ]);
  });
}

Deno.test("PagiFormat derives one key for each secret, and another try when that failed", async () => {
  const format = new PagiFormat({ secrets: [SECRET, OTHER], maxSize: 4095, now: Date.now });
  await failSubtle("digest", async () => {
    await assertRejects(() => format.encryptPlain("a", {}), Error, "out of order");
  });
  const calls = await countSubtle(async () => {
    const value = await format.encryptPlain("a", { user: "ada" });
    for (let at = 0; at < 50; at++) await format.decryptPlain(value);
    for (let at = 0; at < 50; at++) await format.decryptPlain(`AAAA${value.slice(4)}`);
  });
  assertEquals(calls, { digest: 2, importKey: 2, encrypt: 1, decrypt: 150 });
});

Deno.test("PagiFormat.accepts() takes padded Base64 that a session and a cookie can be, and no more", () => {
  const format = new PagiFormat({ secrets: [SECRET], maxSize: 4095, now: Date.now });
  const As = (count: number) => "A".repeat(count);
  const taken = [As(40), `${As(39)}=`, `${As(38)}==`, As(9 * 4096)];
  const refused = [
    As(36),
    As(41),
    As(9 * 4096 + 4),
    `${As(37)}===`,
    `${As(39)}é`,
    `é${As(39)}`,
    `${As(40)}é${As(3)}`,
  ];
  assertEquals(taken.filter((value) => !format.accepts(value)), []);
  assertEquals(refused.filter((value) => format.accepts(value)), []);
});

Deno.test("PagiFormat seals up to the size that it was made with, and no more", async () => {
  const common = { secrets: [SECRET], now: Date.now };
  const hash = { user: "ada", text: "x".repeat(200) };
  const { length } = await new PagiFormat({ ...common, maxSize: 4095 }).encryptPlain("a", hash);
  await new PagiFormat({ ...common, maxSize: length }).encryptPlain("a", hash);
  const tight = new PagiFormat({ ...common, maxSize: length - 1 });
  const error = await assertRejects(() => tight.encryptPlain("a", hash), SessionError);
  assertEquals(error.code, "ERR_SESSION_TOO_LARGE");
});

Deno.test("PagiFormat opens the longest value that a browser keeps, and seals no text that is no session's", async () => {
  const format = new PagiFormat({ secrets: [SECRET], maxSize: 4096, now: Date.now });
  const value = await format.encryptPlain("a", { fill: "x".repeat(3022) });
  assertEquals(value.length, 4096);
  assertEquals((await format.decryptPlain(value))?._id, "a");
  const broken = { id: "a", text: "ended:", lastAccess: 1, lifetime: 60, generation: "" };
  await assertRejects(() => format.encrypt(broken), TypeError, "no session's");
});

Deno.test("PagiFormat keeps the time of the sign-in, and shows no header to the Perl side", async () => {
  const format = new PagiFormat({ secrets: [SECRET], maxSize: 4095, now: Date.now });
  const text = 's1: r5 a6 c7{"_created":1,"_subject":"ada","n":2}';
  const value = await format.encrypt({
    id: "a",
    text,
    lastAccess: 8,
    lifetime: 60,
    generation: "",
  });
  const hash = { _id: "a", _created: 1, _subject: "ada", n: 2, _last_access: 8, _signed_in: 6 };
  assertEquals(await format.decryptPlain(value), hash);
  assertEquals(await format.decrypt(value), {
    id: "a",
    text: 's1: a6{"_created":1,"_subject":"ada","n":2}',
    lastAccess: 8,
    lifetime: Infinity,
    generation: "",
  });
});

Deno.test("PagiFormat opens no value whose subject cannot be one, and does not throw", async () => {
  const format = new PagiFormat({ secrets: [SECRET], maxSize: 4095, now: Date.now });
  for (const _subject of [5, null, "", "\ud800", {}]) {
    const value = await format.encryptPlain("a", { _created: 1, _subject });
    assertEquals(await format.decrypt(value), undefined);
  }
});
