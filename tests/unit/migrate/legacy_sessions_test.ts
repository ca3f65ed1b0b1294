import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CookieStore,
  HashedStore,
  MemoryStore,
  SealedStore,
  SessionError,
  type SessionHash,
} from "@pagi/session";
import {
  type ConnectSessions,
  connectSource,
  LegacySessions,
  type LegacySessionsOptions,
  sealedSource,
} from "@pagi/session/migrate";
import { keyOf, verifierOf } from "../../../base/id.ts";
import { failing, fakeClock, idOf } from "../../_kit/helpers.ts";
import { creating } from "../../_kit/migration_race.ts";
import { migrationRig, OLD } from "../../_kit/migration.ts";

const LONG_SECRET = "a secret that is at least 32 bytes long";

Deno.test("LegacySessions.adopt() moves a session once, to an ID of ours", async () => {
  const { moving, records, store } = migrationRig();
  const id = await moving.adopt("abc");
  assert(/^[0-9a-f]{64}$/.test(id!));
  assertEquals(records.size, 0);
  assertEquals((await (store as MemoryStore).get(id!))?.user, "ada");
  assertEquals(await moving.adopt("abc"), id);
  assertEquals(await moving.adopt("other"), undefined);
  // The session and its claim.
  assertEquals((store as MemoryStore).size, 2);
});

Deno.test("LegacySessions.adopt() stores the session for 400 days, and a marker under a key of the secret", async () => {
  const written: [string, string, number, number][] = [];
  const inner = new MemoryStore();
  const store = creating(inner, (id, text, options) => {
    written.push([id, text.replace(/\{.*|(?<=moved:).*/, ""), options.lastAccess, options.ttl]);
    return inner.create(id, text, options);
  });
  const { clock, moving } = migrationRig({ store });
  const id = (await moving.adopt("abc"))!;
  const ttl = 34_560_000;
  // HMAC-SHA-256 of "@pagi/session legacy session abc" under "s"; nobody takes it for used lately.
  const key = "70e62e3284a6a073a1f862f184773613aae3a1a08724c9e539f7c9056135d4d0";
  assertEquals(written, [
    [keyOf(id), `s1:${verifierOf(id)}`, clock.seconds(), ttl],
    [key, "moved:", 0, ttl],
  ]);
});

Deno.test("LegacySessions.adopt() stores both as long as its option says", async () => {
  const ttls: number[] = [];
  const inner = new MemoryStore();
  const store = creating(inner, (id, text, options) => {
    ttls.push(options.ttl);
    return inner.create(id, text, options);
  });
  await migrationRig({ store, old: { keep: 7 } }).moving.adopt("abc");
  assertEquals(ttls, [7, 7]);
});

Deno.test("LegacySessions.adopt() fails and keeps the old record when the new ID is taken", async () => {
  const { moving, records } = migrationRig({ store: creating(new MemoryStore(), () => undefined) });
  const error = await assertRejects(() => moving.adopt("abc"), SessionError);
  assertEquals([error.code, records.size], ["ERR_SESSION_STORE", 1]);
});

Deno.test("LegacySessions.adopt() names the call when the old store fails", async () => {
  const fail = () => Promise.reject(new Error("connection refused"));
  const get = () => ({ user: "ada" });
  for (
    const [legacy, verb] of [[{ get: fail }, "read"], [{ get, destroy: fail }, "delete"]] as const
  ) {
    const { moving } = migrationRig({ legacy });
    const error = await assertRejects(() => moving.adopt("abc"), SessionError, verb);
    assertEquals(error.code, "ERR_SESSION_STORE");
  }
});

Deno.test("LegacySessions.holds() returns whether an ID has a session of ours", async () => {
  const inner = new MemoryStore();
  let reads = 0;
  const counted = creating(inner, (...call) => inner.create(...call));
  const store = {
    ...counted,
    read: (id: string) => {
      reads++;
      return inner.read(id);
    },
  };
  const { moving } = migrationRig({ store });
  const id = (await moving.adopt("abc"))!;
  reads = 0;
  assertEquals([await moving.holds(id), await moving.holds(idOf("0"))], [true, false]);
  assertEquals([await moving.holds("junk"), reads], [false, 2]);
  const sealing = migrationRig({ store: new CookieStore({ secret: LONG_SECRET }) }).moving;
  assertEquals(await sealing.holds("A".repeat(100)), false);
});

Deno.test("LegacySessions.adopt() returns the same ID when many requests call it at the same time", async () => {
  const { moving, store } = migrationRig({
    legacy: { get: () => Promise.resolve({ user: "ada" }) },
  });
  const ids = await Promise.all(Array.from({ length: 20 }, () => moving.adopt("abc")));
  assertEquals(new Set(ids).size, 1);
  assertEquals((store as MemoryStore).size, 2);
});

Deno.test("LegacySessions.adopt() fails until the old record is destroyed, and then continues", async () => {
  let isDown = true;
  const { records, source, visit } = migrationRig();
  const destroy = source.destroy!;
  source.destroy = (value) => {
    if (isDown) throw new Error("connection refused");
    return destroy(value);
  };
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await assertRejects(() => visit(OLD), SessionError);
    assertEquals(error.code, "ERR_SESSION_STORE");
    assertEquals(records.size, 1);
  }
  isDown = false;
  assertEquals((await visit(OLD)).data, { user: "ada" });
  assertEquals(records.size, 0);
});

Deno.test("LegacySessions.adopt() fails with ERR_SESSION_STORE when our store does", async () => {
  for (const method of ["read", "create"]) {
    const { moving, records } = migrationRig({ store: failing(method) });
    const error = await assertRejects(() => moving.adopt("abc"), SessionError);
    assertEquals(error.code, "ERR_SESSION_STORE");
    assertEquals(records.size, 1);
  }
});

Deno.test("LegacySessions.adopt() fails when the old store takes longer than storeTimeout", async () => {
  const { moving } = migrationRig({
    legacy: { get: () => new Promise(() => {}) },
    old: { storeTimeout: 0 },
  });
  const error = await assertRejects(() => moving.adopt("abc"), SessionError);
  assertEquals((error.cause as Error).name, "TimeoutError");
});

Deno.test("LegacySessions.adopt() waits five seconds when storeTimeout is not set", async () => {
  const delays: unknown[] = [];
  const { setTimeout: original } = globalThis;
  // Rings at once.
  const set = (ring: () => void, ms: number) => delays.push(ms) && original(ring, 0);
  const { moving } = migrationRig({ legacy: { get: () => new Promise(() => {}) } });
  Object.assign(globalThis, { setTimeout: set });
  try {
    await assertRejects(() => moving.adopt("abc"), SessionError, "storeTimeout");
  } finally {
    Object.assign(globalThis, { setTimeout: original });
  }
  assertEquals(delays, [5000]);
});

Deno.test("LegacySessions finds the markers of each of its secrets", async () => {
  const { moving, source, store } = migrationRig({ legacy: { get: () => ({ user: "ada" }) } });
  const id = await moving.adopt("abc");
  const under = (secret: string | string[]) =>
    new LegacySessions({ secret, store: store as MemoryStore, legacy: source }).adopt("abc");
  assertEquals(await under(["new", "s"]), id);
  assertNotEquals(await under("other"), id);
});

Deno.test("LegacySessions keeps a moved session as long as the middleware's expire after the first use", async () => {
  const { clock, visit } = migrationRig({ expire: 100 });
  const { ours } = await visit(OLD);
  clock.advance(100);
  assertEquals((await visit(ours!)).data, { user: "ada" });
  // `touchInterval` is 5 seconds here, and a session may live that much longer.
  clock.advance(106);
  assertEquals((await visit(ours!)).data, {});
  assertEquals((await visit(OLD)).data, {});
});

Deno.test("LegacySessions keeps a moved session when its client only read", async () => {
  const { clock, moving, visit } = migrationRig({ expire: 100 });
  await moving.adopt("abc");
  clock.advance(99);
  assertEquals((await visit(OLD)).data, { user: "ada" });
});

Deno.test("LegacySessions uses _created and _last_access when the old data has them", async () => {
  const ages: [Partial<SessionHash>, boolean][] = [
    [{ _created: -50, _last_access: -9 }, true],
    [{ _created: -50, _last_access: -11 }, false],
    [{ _created: -101, _last_access: -1 }, false],
    [{ _created: -1, _last_access: 1000 }, true],
    [{ _created: NaN, _last_access: -Infinity }, true],
  ];
  for (const [ages_, isAlive] of ages) {
    const { clock, records, visit } = migrationRig({ expire: 10, absoluteExpire: 100 });
    const times = Object.entries(ages_).map(([key, age]) => [key, clock.seconds() + Number(age)]);
    records.set("abc", { user: "ada", ...Object.fromEntries(times) });
    assertEquals((await visit(OLD)).data, isAlive ? { user: "ada" } : {});
    // A time that is still to come does not prolong it.
    clock.advance(11);
    assertEquals((await visit(OLD)).data, {});
  }
});

Deno.test("LegacySessions moves the result of map without reserved keys", async () => {
  const map = ({ passport, ...rest }: SessionHash) =>
    passport === undefined ? undefined : { ...rest, user: passport };
  const { records, visit } = migrationRig({ old: { map } });
  records.set("abc", { passport: 7, cart: [1], _id: "x", _destroyed: true, _subject: "eve" });
  assertEquals((await visit(OLD)).data, { cart: [1], user: 7 });
  records.set("def", { cart: [2] });
  assertEquals((await visit("old=def")).data, {});
  // It was refused, not moved.
  assertEquals(records.has("def"), true);
  // What is not there is not mapped.
  assertEquals((await visit("old=ghi")).data, {});
});

Deno.test("LegacySessions moves no session when it is empty", async () => {
  const { records, store, visit } = migrationRig();
  records.set("abc", { _created: 1, _id: "x" });
  assertEquals((await visit(OLD)).cookies, []);
  assertEquals([records.size, (store as MemoryStore).size], [1, 0]);
});

Deno.test("LegacySessions moves sessions when the store hashes IDs or encrypts", async () => {
  const inner = new MemoryStore();
  const store = new SealedStore(new HashedStore(inner), { secret: LONG_SECRET });
  const { visit } = migrationRig({ store, now: Date.now, old: { now: Date.now } });
  const { ours } = await visit(OLD, (session) => session.set("n", 1));
  assertEquals((await visit(OLD)).data, { user: "ada", n: 1 });
  assertEquals((await visit(ours!)).data, { user: "ada", n: 1 });
});

Deno.test("LegacySessions moves sessions when the store is a CookieStore", async () => {
  const legacy = { get: () => ({ user: "ada" }) };
  const store = new CookieStore({ secret: LONG_SECRET });
  const { visit } = migrationRig({ store, legacy, now: Date.now, old: { now: Date.now } });
  const { data, ours } = await visit(OLD, (session) => session.keys());
  assertEquals(data, { user: "ada" });
  assertEquals((await visit(`${OLD}; ${ours}`, (session) => session.set("n", 1))).data.n, 1);
});

Deno.test("destroy() is final for the old cookie when a CookieStore has revocations", async () => {
  const legacy = { get: () => ({ user: "ada" }) };
  const revocations = new MemoryStore();
  const store = new CookieStore({ secret: LONG_SECRET, revocations });
  const { visit } = migrationRig({ store, legacy, now: Date.now, old: { now: Date.now } });
  const { ours } = await visit(OLD);
  await visit(ours!, (session) => session.destroy());
  for (const cookie of [ours!, OLD]) assertEquals((await visit(cookie)).data, {});
});

Deno.test("a marker's key is treated as an unknown ID when a client sends it", async () => {
  const inner = new MemoryStore();
  const keys: string[] = [];
  const store = creating(inner, (id, text, options) => {
    if (text.startsWith("moved:")) keys.push(id);
    return inner.create(id, text, options);
  });
  const { visit } = migrationRig({ store, now: Date.now, old: { now: Date.now } });
  const { ours } = await visit(OLD);
  assertEquals(keys.length, 1);
  const { data } = await visit(
    `pagi_session=${keys[0]}`,
    (session) => session.set("n", 1).destroy(),
  );
  assertEquals(data, { n: 1 });
  assertEquals((await visit(ours!)).data, { user: "ada" });
});

Deno.test("LegacySessions() throws and names the option when it is wrong", () => {
  const right: LegacySessionsOptions = {
    secret: "hush: nobody may read these 32 bytes",
    store: new MemoryStore(),
    legacy: { get: () => undefined },
  };
  const plain = { get: () => undefined, set: () => undefined, delete: () => undefined };
  const wrong: [Record<string, unknown>, string][] = [
    [{ secret: "" }, "secret"],
    [{ store: plain }, "VersionedStore"],
    [{ legacy: {} }, "legacy"],
    [{ map: {} }, "map"],
    [{ now: 1 }, "now"],
    [{ keep: -1 }, "Cannot make LegacySessions: keep must be a number of seconds"],
    [{ storeTimeout: NaN }, "storeTimeout must be a number of seconds"],
    [{ prefix: "x" }, 'Cannot make LegacySessions: there is no option "prefix"'],
  ];
  for (const [option, named] of wrong) {
    const error = assertThrows(() => new LegacySessions({ ...right, ...option }), Error, named);
    assertEquals(error.message.includes("hush"), false);
  }
});

/** A store as they are made for express-session. */
function connectStore(session: object | null | undefined, error?: unknown): ConnectSessions {
  return {
    get: (_sid, callback) => callback(error, session),
    destroy: (_sid, callback) => callback(error),
  };
}

Deno.test("connectSource() omits the cookie's data, and sessions whose cookie has expired", async () => {
  const { now, seconds } = fakeClock();
  const at = (offset: number) => new Date((seconds() + offset) * 1000);
  const read = (cookie?: object) =>
    connectSource(connectStore({ user: "ada", cookie }), now).get("abc");
  const data = { user: "ada" };
  assertEquals(await read(), data);
  assertEquals(await read({ originalMaxAge: null, expires: null }), data);
  assertEquals(await read({ originalMaxAge: 1000, expires: at(1).toISOString() }), data);
  assertEquals(await read({ originalMaxAge: 1000, expires: at(1) }), data);
  assertEquals(await read({ originalMaxAge: 1000, expires: at(0).toISOString() }), undefined);
  assertEquals(await read({ originalMaxAge: 1000, expires: at(-1) }), undefined);
});

Deno.test("connectSource() finds nothing when the store has no session or no file", async () => {
  const noFile = Object.assign(new Error("no such file"), { code: "ENOENT" });
  for (const store of [connectStore(null), connectStore(undefined), connectStore(null, noFile)]) {
    assertEquals(await connectSource(store).get("abc"), undefined);
  }
});

Deno.test("connectSource() rejects when the store fails in any way", async () => {
  const error = new Error("connection refused");
  const stores: ConnectSessions[] = [
    connectStore(null, error),
    { get: () => Promise.reject(error), destroy: () => Promise.reject(error) },
    {
      get() {
        throw error;
      },
      destroy() {
        throw error;
      },
    },
  ];
  for (const store of stores) {
    const source = connectSource(store);
    assertEquals(await assertRejects(async () => await source.get("abc")), error);
    assertEquals(await assertRejects(async () => await source.destroy!("abc")), error);
  }
});

Deno.test("sealedSource() finds nothing when a value cannot be opened or is empty", async () => {
  const open = (value: string) => value === "bad" ? Promise.reject(new Error()) : JSON.parse(value);
  const source = sealedSource(open);
  assertEquals(await source.get('{"a":1}'), { a: 1 });
  for (const value of ["bad", "{", "{}", "1", "null"]) {
    assertEquals(await source.get(value), undefined);
  }
  assertEquals(source.destroy, undefined);
});
