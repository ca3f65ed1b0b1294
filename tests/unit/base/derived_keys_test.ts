import { assert, assertEquals } from "@std/assert";
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { CookieStore } from "../../../store/cookie.ts";
import { SealedStore } from "../../../store/sealed.ts";
import { idOf, requestWith } from "../../_kit/helpers.ts";
import { SECRET } from "../../_kit/seal.ts";

const MAKERS = ["importKey", "deriveKey"] as const;
const { signal } = new AbortController();

/** The keys that Web Crypto makes while `act` runs. */
async function keysOf(act: () => unknown): Promise<CryptoKey[]> {
  const keys: CryptoKey[] = [];
  const subtle = crypto.subtle as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = MAKERS.map((name) => [name, subtle[name]!] as const);
  for (const [name, original] of originals) {
    subtle[name] = async (...args) => {
      const key = await original.apply(subtle, args) as CryptoKey;
      keys.push(key);
      return key;
    };
  }
  try {
    await act();
  } finally {
    for (const [name, original] of originals) subtle[name] = original;
  }
  return keys;
}

for (
  const [what, act] of Object.entries({
    "an id's": () =>
      new SessionMiddleware({ secret: SECRET }).run(requestWith(), (session) => {
        session.set("user", "ada");
        return new Response();
      }),
    "SealedStore's": () =>
      new SealedStore(new MemoryStore(), { secret: SECRET })
        .create(idOf("a"), "text", { lastAccess: 1, ttl: 60, signal }),
    "CookieStore's": () => new CookieStore({ secret: SECRET }).set("a", {}),
    "CookieStore's in PAGI's format": () =>
      new CookieStore({ secret: SECRET, format: "pagi" }).set("a", {}),
  })
) {
  Deno.test(`no key can be taken out of Web Crypto: ${what}`, async () => {
    const keys = await keysOf(act);
    assert(keys.length > 0);
    assertEquals(keys.filter((key) => key.extractable), []);
  });
}
