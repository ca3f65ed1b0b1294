import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { DerivedKeys } from "../../../../base/derived_keys.ts";
import { countSubtle, failSubtle, withoutCrypto } from "../../../_kit/web_crypto.ts";
import { idOf } from "../../../_kit/helpers.ts";
import { HOUR, open, OTHER, sealWith, SECRET } from "../../../_kit/seal.ts";

Deno.test("HourlyFormat looks at the hour before it does any crypto", async () => {
  const { make, session, clock } = sealWith();
  const format = make();
  const value = await format.encrypt({ ...session, lifetime: 2 ** 31 });
  const start = clock.seconds();
  const hourStart = start - start % HOUR;
  for (
    const [at, maxAge, isTried] of [
      [hourStart - 300, Infinity, true],
      [hourStart - 301, Infinity, false],
      [hourStart + 400 * 86_400 + HOUR + 299, Infinity, true],
      [hourStart + 400 * 86_400 + HOUR + 300, Infinity, false],
      [hourStart + HOUR + 7200 + 299, 7200, true],
      [hourStart + HOUR + 7200 + 300, 7200, false],
    ] as const
  ) {
    clock.advance(at - clock.seconds());
    const calls = await countSubtle(async () => {
      assertEquals(await open(format, value, maxAge) !== undefined, isTried);
    });
    assertEquals(Object.keys(calls).length > 0, isTried, `at ${at}`);
  }
});

Deno.test("HourlyFormat does no crypto when it is made, nor to tell a value's form", async () => {
  const { make, format, session } = sealWith();
  const value = await format.encrypt(session);
  await withoutCrypto(() => {
    const other = make({ secrets: [SECRET, OTHER] });
    const values = [value, "junk", "", idOf("0"), '{"user":"ada"}', `B${value.slice(1)}`];
    const found = [...values, `é${value}`, `A${"é".repeat(90)}`, `AQ${"A".repeat(40_000)}`].map((
      text,
    ) => other.accepts(text));
    assertEquals(found, [true, ...Array(8).fill(false)]);
  });
});

Deno.test("HourlyFormat.accepts() takes the shortest value that can hold a session, and no shorter", () => {
  const { format } = sealWith();
  const found = [42, 41].map((rest) => format.accepts(`AQ${"A".repeat(rest)}`));
  assertEquals(found, [true, false]);
});

Deno.test("HourlyFormat takes values as long as nine cookies, and no longer, of its letters alone", async () => {
  const { make, session } = sealWith({ maxSize: 4096 });
  const format = make();
  const length = 2995 + 8 * 3072;
  const longest = await format.encrypt(
    { ...session, text: "x".repeat(length) },
    undefined,
    9 * 4096,
  );
  assertEquals([longest.length, format.accepts(longest)], [9 * 4096, true]);
  assertEquals((await open(format, longest))?.text.length, length);
  for (const other of [`${longest}A`, `${longest.slice(1)}=`, `${longest.slice(1)}\n`]) {
    assertEquals(format.accepts(other), false);
  }
  for (const end of ["=", ".", "é"]) {
    assertEquals(format.accepts(longest.slice(0, -1) + end), false);
  }
});

Deno.test("DerivedKeys.for() returns a cached key without a promise", async () => {
  const keys = new DerivedKeys(SECRET, "session", 5000);
  const key = await keys.for("1");
  assert(keys.for("1") === key);
});

Deno.test("HourlyFormat derives one key an hour, whatever comes", async () => {
  const { make, session, clock } = sealWith();
  const format = make();
  const value = await format.encrypt(session);
  const calls = await countSubtle(async () => {
    for (let at = 0; at < 200; at++) {
      await open(format, value);
      await open(format, value.slice(0, -3) + "AAA");
      await format.encrypt(session);
    }
  });
  assertEquals(calls, { decrypt: 400, encrypt: 200 });
  clock.advance(HOUR);
  const next = await countSubtle(() =>
    Promise.all(Array.from({ length: 50 }, () => format.encrypt(session)))
  );
  assertEquals(next, { deriveKey: 1, encrypt: 50 });
});

Deno.test("HourlyFormat derives nothing for an hour that has a key, however much junk names others", async () => {
  const { make, session } = sealWith();
  const format = make();
  const value = await format.encrypt(session);
  const bytes = Buffer.from(value, "base64url");
  const hour = bytes.readUIntBE(1, 3);
  const junk = async (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      bytes.writeUIntBE(at, 1, 3);
      await open(format, bytes.toString("base64url"), 86_400);
    }
  };
  // A day's hours, one for the skew, and no more, as often as it is tried.
  const first = await countSubtle(() => junk(hour - 5000, hour + 5000));
  assert(first.deriveKey! <= 26, `${first.deriveKey} derived`);
  const second = await countSubtle(async () => {
    await junk(hour - 2000, hour + 2000);
    await open(format, value);
  });
  assertEquals(Object.keys(second), ["decrypt"]);
});

Deno.test("DerivedKeys keeps the latest keys, and at most twice its capacity", async () => {
  const keys = new DerivedKeys(SECRET, "session", 100);
  for (let context = 1; context <= 250; context++) await keys.for(`${context}`);
  const latest = await countSubtle(async () => {
    for (let context = 250; context > 150; context--) await keys.for(`${context}`);
  });
  assertEquals(latest, {});
  const oldest = await countSubtle(async () => void await keys.for("1"));
  assertEquals(oldest, { deriveKey: 1 });
});

Deno.test("HourlyFormat recovers when a key could not be derived", async () => {
  const { format, session } = sealWith();
  for (const name of ["importKey", "deriveKey", "importKey"]) {
    await failSubtle(name, async () => {
      await assertRejects(() => format.encrypt(session), Error, "out of order");
    });
  }
  const value = await format.encrypt(session);
  assertEquals((await open(format, value))?.id, session.id);
});
