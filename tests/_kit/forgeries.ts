/** Forged values, made from a valid one, and everything that a visit with them shows. */
import { type SessionEvent, SessionMiddleware } from "@pagi/session";
import { CookieStore, type CookieStoreOptions } from "../../store/cookie.ts";
import { fakeClock, idOf } from "./helpers.ts";

export const SECRET = "a secret of more than 32 bytes, for forgers";
const NAME = "sid";
const { signal } = new AbortController();

/** Sets up a server with encrypted cookies, and records what clients and operators see. */
export function setUp(options: Partial<CookieStoreOptions> = {}, name = NAME) {
  const clock = fakeClock();
  const make = () => new CookieStore({ secret: SECRET, now: clock.now, ...options });
  // Another server encrypts, so that this one has to decrypt.
  const [store, other] = [make(), make()];
  const events: SessionEvent[] = [];
  const sessions = new SessionMiddleware({
    secret: "the secret for IDs: 32 bytes or more",
    store,
    cookieName: name,
    // Longer than any value here is valid, so that the value itself has to expire.
    expire: 86_400,
    now: clock.now,
    onEvent: (event) => void events.push(event),
  });
  events.length = 0;
  const handler = sessions.handler((_request, session) => {
    const body = JSON.stringify([session.keys(), session.get("user", "nobody")]);
    return new Response(body, { headers: { "x-page": "home" } });
  });
  /** Encrypts a session that contains `extra`. */
  const seal = (extra: Record<string, unknown> = {}, id = idOf("5")) => {
    const text = "s1:" + JSON.stringify({ _created: clock.seconds(), user: "ada", ...extra });
    const written = { lastAccess: clock.seconds(), ttl: 3600, name, signal };
    return other.seal(id, text, written) as Promise<string>;
  };
  /** Returns the status, headers, body and events of a visit with this value. */
  const outward = async (value: string | undefined) => {
    events.length = 0;
    const headers = new Headers(value === undefined ? {} : { cookie: `${name}=${value}` });
    const response = await handler(new Request("http://localhost/", { headers }));
    return JSON.stringify([
      response.status,
      [...response.headers],
      await response.text(),
      events.map(({ type, message }) => [type, message]),
    ]);
  };
  return { clock, store, sessions, events, seal, outward };
}

const LETTERS: Record<"base64" | "base64url", string> = {
  base64url: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
  base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
};

/** Returns every value that differs from `value` in one bit of its bytes or characters. */
export function* bitFlips(value: string, alphabet: "base64" | "base64url"): Generator<string> {
  const bytes = Uint8Array.fromBase64(value, { alphabet });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    yield bytes.toBase64({ alphabet, omitPadding: alphabet === "base64url" });
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  // The unused bits of the last character.
  const last = value.search(/.=*$/);
  for (const letter of LETTERS[alphabet]) {
    if (letter !== value[last]) yield value.slice(0, last) + letter + value.slice(last + 1);
  }
}

/** Returns values that lack an end or a byte of this one, and some that are longer. */
export function* cuts(value: string, alphabet: "base64" | "base64url"): Generator<string> {
  for (let at = 1; at < value.length; at++) {
    yield value.slice(0, at);
    yield value.slice(at);
  }
  const bytes = Uint8Array.fromBase64(value, { alphabet });
  const rest = new Uint8Array(bytes.length - 1);
  for (let at = 0; at < bytes.length; at++) {
    rest.set(bytes.subarray(0, at));
    rest.set(bytes.subarray(at + 1), at);
    yield rest.toBase64({ alphabet, omitPadding: alphabet === "base64url" });
  }
  for (const more of ["A", "AA", "AAAA", "=", "=="]) yield value + more;
  yield value + value;
}
