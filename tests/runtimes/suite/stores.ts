/** The stores that need no server. Those that do are held to the same contract elsewhere. */
import type { PlainStore, SessionHash, VersionedStore } from "@pagi/session/store";
import { CookieStore } from "@pagi/session/store/cookie";
import { HashedStore } from "@pagi/session/store/hashed";
import { MemoryStore } from "@pagi/session/store/memory";
import { SealedStore } from "@pagi/session/store/sealed";
import { storeContract } from "@pagi/session/testing";
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

  async "HashedStore and SealedStore hide ids and data from the store"() {
    const { client, spied } = spy((inner) =>
      new SealedStore(new HashedStore(inner), { secret: SECRET })
    );
    await client.visit((session) => session.set("user", "ada lovelace"));
    await client.visit((session) => session.regenerate());
    same((await client.visit()).data, { user: "ada lovelace" });
    same(spied.length > 3, true, "that the store was asked");
    // Of more letters than hex digits or Base64 have by chance.
    for (const word of ["ada lovelace", "user", client.id]) {
      same(spied.filter((text) => text.includes(word)), [], `what shows ${word}`);
    }
  },

  async "a plain store of three functions keeps sessions"() {
    const { client } = setUp({ store: threeFunctions() });
    await client.visit((session) => session.set("n", 1));
    await client.visit((session) => session.regenerate());
    same((await client.visit()).data, { n: 1 });
    await client.visit((session) => session.destroy());
    same((await client.visit()).data, {});
  },

  async "CookieStore keeps the session in the cookie, sealed"() {
    const { client } = setUpCookies();
    await client.visit((session) => session.set("user", "ada lovelace"));
    same(
      client.cookie.includes(btoa("ada lovelace").slice(0, 12)),
      false,
      "that the cookie shows it",
    );
    await client.visit((session) => session.set("n", 1));
    same((await client.visit()).data, { user: "ada lovelace", n: 1 });
    await client.visit((session) => session.destroy());
    same((await client.visit()).data, {});
  },

  async "CookieStore opens no value that was changed, in any place"() {
    const { client, sessions } = setUpCookies();
    await client.visit((session) => session.set("user", "ada"));
    const at = client.cookie.indexOf("=") + 1;
    for (let place = at; place < client.cookie.length; place++) {
      const letter = client.cookie[place] === "A" ? "B" : "A";
      const changed = client.cookie.slice(0, place) + letter + client.cookie.slice(place + 1);
      const { status, data } = await new Client(sessions, changed).visit();
      same([status, data], [200, {}], `what place ${place} came to`);
    }
    same((await client.visit()).data, { user: "ada" });
  },

  async "CookieStore opens what an older secret sealed, and nothing of another secret"() {
    const { client } = setUpCookies();
    await client.visit((session) => session.set("user", "ada"));
    const visit = async (secret: string | string[]) =>
      (await new Client(setUpCookies({ secret }).sessions, client.cookie).visit()).data;
    same(await visit([OTHER_SECRET, SECRET]), { user: "ada" });
    same(await visit(OTHER_SECRET), {});
  },

  async "CookieStore refuses a session that is too large, and what has expired"() {
    const { client, advance } = setUpCookies();
    const large = () => client.visit((session) => session.set("user", "x".repeat(5000)));
    await fails("ERR_SESSION_TOO_LARGE", large);
    await client.visit((session) => session.set("n", 1));
    advance(3601);
    same((await client.visit()).data, {});
  },

  async 'CookieStore with format "pagi" opens what it sealed'() {
    const { client } = setUpCookies({ format: "pagi" });
    await client.visit((session) => session.set("user", "ada"));
    same((await client.visit()).data, { user: "ada" });
  },

  async "CookieStore with revocations knows a copy of a cookie that was signed out"() {
    const { client, sessions } = setUpCookies({ revocations: new MemoryStore() });
    await client.visit((session) => session.set("user", "ada"));
    const copy = new Client(sessions, client.cookie);
    await client.visit((session) => session.destroy());
    same((await copy.visit()).data, {});
  },
};

/** Each clause of the published contract, for a wrapper of a store in memory. */
function contract(name: string, wrap: (inner: MemoryStore) => VersionedStore): Cases {
  let ms = 0;
  const cases = storeContract({
    open: () => wrap(new MemoryStore({ now: () => ms })),
    advance: (seconds) => void (ms += seconds * 1000),
  });
  return Object.fromEntries(cases.map((clause) => [`${name}: ${clause.name}`, clause.run]));
}

/** A client of sessions in a store that notes every word it is told. */
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
