/** The stores that need no server. `tests/integration` runs the same contract on the others. */
import type { PlainStore, SessionHash, VersionedStore } from "@pagi/session/store";
import { CookieStore } from "@pagi/session/store/cookie";
import { HashedStore } from "@pagi/session/store/hashed";
import { MemoryStore } from "@pagi/session/store/memory";
import { SealedStore } from "@pagi/session/store/sealed";
import { storeContract } from "@pagi/session/testing/store";
import { type Cases, Client, fails, FORGED, same, SECRET, setUp } from "./_kit.ts";

const OTHER_SECRET = `not ${SECRET}`;

export const stores: Cases = {
  ...contract("MemoryStore", (inner) => inner),
  ...contract("HashedStore", (inner) => new HashedStore(inner)),
  ...contract("SealedStore", (inner) => new SealedStore(inner, { secret: SECRET })),
  ...contract(
    "SealedStore on HashedStore",
    (inner) => new SealedStore(new HashedStore(inner), { secret: SECRET }),
  ),

  async "HashedStore and SealedStore hide IDs and data from the store"() {
    const { client, spied } = spy((inner) =>
      new SealedStore(new HashedStore(inner), { secret: SECRET })
    );
    await client.visit((session) => session.set("user", "ada lovelace"));
    await client.visit((session) => session.regenerate());
    same((await client.visit()).data, { user: "ada lovelace" });
    same(spied.length > 3, true, "the number of recorded arguments is more than 3");
    // These words are too long to occur by chance in hex or Base64.
    for (const word of ["ada lovelace", "user", client.id]) {
      same(
        spied.filter((text) => text.includes(word)),
        [],
        `the recorded arguments that contain ${word}`,
      );
    }
  },

  async "a plain store with three functions keeps sessions"() {
    const { client } = setUp({ store: threeFunctions() });
    await client.visit((session) => session.set("n", 1));
    await client.visit((session) => session.regenerate());
    same((await client.visit()).data, { n: 1 });
    await client.visit((session) => session.destroy());
    same((await client.visit()).data, {});
  },

  async "CookieStore keeps the session encrypted in the cookie"() {
    const { client } = setUpCookies();
    await client.visit((session) => session.set("user", "ada lovelace"));
    same(
      client.cookie.includes(btoa("ada lovelace").slice(0, 12)),
      false,
      "whether the cookie contains the name in Base64",
    );
    await client.visit((session) => session.set("n", 1));
    same((await client.visit()).data, { user: "ada lovelace", n: 1 });
    await client.visit((session) => session.destroy());
    same((await client.visit()).data, {});
  },

  async "CookieStore rejects a value with any changed character"() {
    const { client, sessions } = setUpCookies();
    await client.visit((session) => session.set("user", "ada"));
    const at = client.cookie.indexOf("=") + 1;
    for (let place = at; place < client.cookie.length; place++) {
      const character = client.cookie[place] === "A" ? "B" : "A";
      const changed = client.cookie.slice(0, place) + character + client.cookie.slice(place + 1);
      const { status, data } = await new Client(sessions, changed).visit();
      same([status, data], [200, {}], `the result for position ${place}`);
    }
    same((await client.visit()).data, { user: "ada" });
  },

  async "CookieStore decrypts cookies of an older secret, but not of another secret"() {
    const { client } = setUpCookies();
    await client.visit((session) => session.set("user", "ada"));
    const visit = async (secret: string | string[]) =>
      (await new Client(setUpCookies({ secret }).sessions, client.cookie).visit()).data;
    same(await visit([OTHER_SECRET, SECRET]), { user: "ada" });
    same(await visit(OTHER_SECRET), {});
  },

  async "CookieStore rejects a session that is too large or has expired"() {
    const { client, advance } = setUpCookies();
    const large = () => client.visit((session) => session.set("user", "x".repeat(5000)));
    await fails("ERR_SESSION_TOO_LARGE", large);
    await client.visit((session) => session.set("n", 1));
    // `expire` and the time that a touch may wait.
    advance(3661);
    same((await client.visit()).data, {});
  },

  async 'CookieStore with format "pagi" decrypts its own cookies'() {
    const { client } = setUpCookies({ format: "pagi" });
    await client.visit((session) => session.set("user", "ada"));
    same((await client.visit()).data, { user: "ada" });
  },

  async "CookieStore with revocations rejects a copy of a cookie after the sign-out"() {
    const { client, sessions } = setUpCookies({ revocations: new MemoryStore() });
    await client.visit((session) => session.set("user", "ada"));
    const copy = new Client(sessions, client.cookie);
    await client.visit((session) => session.destroy());
    same((await copy.visit()).data, {});
  },
};

/** Returns the cases of the store contract for a wrapper of a store in memory. */
function contract(name: string, wrap: (inner: MemoryStore) => VersionedStore): Cases {
  let ms = 0;
  const cases = storeContract({
    open: () => wrap(new MemoryStore({ now: () => ms })),
    advance: (seconds) => void (ms += seconds * 1000),
  });
  return Object.fromEntries(cases.map((clause) => [`${name}: ${clause.name}`, clause.run]));
}

/** Creates a client whose store records every argument. */
function spy(wrap: (inner: VersionedStore) => VersionedStore) {
  const spied: string[] = [];
  const { now } = setUp();
  const memory = new MemoryStore({ now });
  const inner: VersionedStore = {
    read: (id) => (spied.push(id), memory.read(id)),
    create: (id, text, options) => (spied.push(id, text), memory.create(id, text, options)),
    replace: (id, text, options) => (spied.push(id, text), memory.replace(id, text, options)),
    touch: (id, options) => (spied.push(id, options.text), memory.touch(id, options)),
    delete: (id, options) => (spied.push(id), memory.delete(id, options)),
  };
  return { client: setUp({ store: wrap(inner), now }).client, spied };
}

function setUpCookies(options: Partial<ConstructorParameters<typeof CookieStore>[0]> = {}) {
  const clock = setUp();
  const store = new CookieStore({ secret: SECRET, now: clock.now, ...options });
  const { sessions, client } = setUp({ store, now: clock.now });
  return { sessions, client, advance: clock.advance };
}

function threeFunctions(): PlainStore {
  const texts = new Map([[FORGED, "{}"]]);
  return {
    get: async (id) => await JSON.parse(texts.get(id) ?? "null") as SessionHash | null,
    set: async (id, data) => void await texts.set(id, JSON.stringify(data)),
    delete: async (id) => await texts.delete(id),
  };
}
