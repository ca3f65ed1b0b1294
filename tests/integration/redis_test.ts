// deno-lint-ignore-file no-import-prefix -- the package's own check has to find these too
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Redis } from "npm:ioredis@5.11.1";
import { createClient, createCluster } from "npm:redis@5.12.1";
import { SessionMiddleware } from "@pagi/session";
import { RedisStore } from "@pagi/session/store/redis";
import { RedisProxy } from "./_proxy.ts";
import { CLIENTS } from "./_redis_clients.ts";
import { RespClient } from "./_resp.ts";
import { anyRedis, redisMissing, serverTest } from "./_servers.ts";
import { holdToContract, race } from "./_suites.ts";

/** Races for each client, some five store calls a request. */
const RACES = 500;
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };

/** A session's key that nothing else has. */
const newId = () => crypto.randomUUID().replaceAll("-", "");

for (const [name, open] of Object.entries(CLIENTS)) {
  serverTest(redisMissing, `RedisStore on ${name} keeps the contract`, async (t) => {
    await using redis = await anyRedis();
    const { client, close } = await open(redis.port);
    const store = new RedisStore(client, { prefix: "pagi:test:" });
    await holdToContract(t, store);
    await t.step("no race breaks a session", () => race(store, RACES));
    await t.step("it works on after SCRIPT FLUSH", async () => {
      const admin = await RespClient.connect(redis.port);
      const id = newId();
      const flush = () => admin.send("SCRIPT", "FLUSH");
      await flush();
      const first = await store.create(id, "{}", write);
      await flush();
      const version = await store.replace(id, "{}", { ...write, version: first! });
      await flush();
      assert(await store.touch(id, { ...write, version: version!, text: "{}" }));
      const touched = await store.read(id, { signal });
      await flush();
      assert(await store.delete(id, { version: touched!.version, signal }));
      admin.close();
    });
    await close();
  });
}

serverTest(redisMissing, "RedisStore works where node-redis ignores legacyMode", async () => {
  await using redis = await anyRedis();
  const options = { url: `redis://127.0.0.1:${redis.port}`, legacyMode: true };
  const client = await createClient(options).connect();
  const store = new RedisStore(client);
  const id = newId();
  const version = await store.create(id, "{}", write);
  assertEquals((await store.read(id, { signal }))?.version, version);
  await store.delete(id);
  await client.close();
});

for (const name of ["ioredis 5", "node-redis 5", "a plain function"]) {
  serverTest(redisMissing, `RedisStore on ${name} makes one round trip a call`, async () => {
    await using redis = await anyRedis();
    using proxy = new RedisProxy(redis.port);
    const { client, close } = await CLIENTS[name]!(proxy.port);
    const store = new RedisStore(client);
    const sessions = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store,
      touchInterval: 0,
    });
    const quiet = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store,
    });
    let cookie = "";
    /** The commands that a request takes. */
    const visit = async (
      respond: Parameters<typeof sessions.handler>[0],
      { with: middleware = quiet } = {},
    ) => {
      const before = proxy.commands.length;
      const request = new Request("http://localhost/", { headers: { cookie } });
      const response = await middleware.handler(respond)(request);
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
      return proxy.commands.slice(before);
    };
    const look = () => new Response();
    const count = (_request: Request, session: { update: SessionUpdate }) => {
      session.update("n", (n) => Number(n ?? 0) + 1);
      return new Response();
    };
    type SessionUpdate = (key: string, change: (value: unknown) => unknown) => unknown;
    // So that Redis has the scripts.
    const id = newId();
    const version = await store.create(id, "{}", write);
    await store.touch(id, { ...write, version: version!, text: "{}" });
    await store.delete(id);

    assertEquals(await visit(look), []);
    cookie = "pagi_session=nonsense";
    assertEquals(await visit(look), []);
    assertEquals(await visit(count), ["EVALSHA"]);
    assertEquals(await visit(look), ["GET"]);
    assertEquals(await visit(count), ["GET", "EVALSHA"]);
    assertEquals(await visit(look, { with: sessions }), ["GET", "EVALSHA"]);
    const rotate = await visit((_request, session) => {
      session.regenerate();
      return new Response();
    });
    assertEquals(rotate, ["GET", "EVALSHA"]);
    const logout = await visit((_request, session) => {
      session.destroy();
      return new Response();
    });
    assertEquals(logout, ["GET", "EVALSHA"]);
    await close();
  });
}

serverTest(redisMissing, "RedisStore does once what a client sends twice", async () => {
  await using redis = await anyRedis();
  using proxy = new RedisProxy(redis.port);
  // ioredis sends again what it has no reply to when the connection is back.
  const { client, close } = await CLIENTS["ioredis 5"]!(proxy.port);
  const store = new RedisStore(client);
  const [id, scratch] = [newId(), newId()];
  // So that Redis has the scripts.
  const scratched = await store.create(scratch, "{}", write);
  await store.touch(scratch, { ...write, version: scratched!, text: "{}" });
  await store.delete(scratch);

  proxy.cutAfter("EVALSHA");
  const first = await store.create(id, "one", write);
  assertEquals(await store.read(id, { signal }), { text: "one", version: first!, lastAccess: 1 });
  proxy.cutAfter("EVALSHA");
  const version = await store.replace(id, "two", { ...write, version: first! });
  assertEquals((await store.read(id, { signal }))?.version, version);
  proxy.cutAfter("EVALSHA");
  const touch = { ...write, lastAccess: 2, version: version!, text: "two" };
  assertEquals(await store.touch(id, touch), true);
  const touched = (await store.read(id, { signal }))!;
  assertEquals([touched.text, touched.lastAccess], ["two", 2]);
  assertNotEquals(touched.version, version);
  proxy.cutAfter("EVALSHA");
  // The second command finds no record. A caller that takes this for a conflict reads that.
  assertEquals(await store.delete(id, { version: touched.version, signal }), false);
  assertEquals(await store.read(id, { signal }), undefined);
  assertEquals(proxy.commands.filter((name) => name === "EVALSHA").length, 3 + 4 * 2);
  await close();
});

serverTest(redisMissing, "RedisStore leaves no key without a ttl", async () => {
  await using redis = await anyRedis();
  const admin = await RespClient.connect(redis.port);
  const prefix = `pagi:ttl:${newId()}:`;
  const store = new RedisStore(admin.send, { prefix });
  const ttl = async () => Number(await admin.send("PTTL", `${prefix}a`));
  for (const seconds of [60, 0.5, 1e300]) {
    const options = { ...write, ttl: seconds };
    const version = await store.create("a", "{}", options);
    assert(await ttl() > 0, "create() left no ttl");
    const next = await store.replace("a", "{}", { ...options, version: version! });
    assert(await ttl() > 0, "replace() left no ttl");
    assert(await store.touch("a", { ...options, version: next!, text: "{}" }));
    assert(await ttl() > 0, "touch() left no ttl");
    await store.delete("a");
  }
  await store.set("a", { user: "ada" });
  assert(await ttl() > 0, "set() left no ttl");
  assertEquals((await store.get("a"))?.user, "ada");
  await store.delete("a");
  admin.close();
});

serverTest(redisMissing, "RedisStore gives back any lastAccess as it was written", async () => {
  await using redis = await anyRedis();
  const admin = await RespClient.connect(redis.port);
  const store = new RedisStore(admin.send);
  for (const lastAccess of [0, -1, 1_700_000_000.123, Number.MIN_VALUE, -Number.MAX_VALUE]) {
    const id = newId();
    const version = await store.create(id, "{}", { ...write, lastAccess: -Number.MAX_VALUE });
    await store.touch(id, { ...write, lastAccess, version: version!, text: "{}" });
    assertEquals((await store.read(id, { signal }))?.lastAccess, lastAccess);
    await store.delete(id);
  }
  admin.close();
});

serverTest(
  redisMissing,
  "RedisStore() refuses clients that it cannot use, and says what they are",
  async () => {
    await using redis = await anyRedis();
    const refuse = (client: unknown, why: string) => {
      assertThrows(() => new RedisStore(client as never), TypeError, why);
    };
    refuse(Redis, "it is the class Redis: create an instance with new");
    refuse("redis://127.0.0.1", "it is a string");
    refuse(undefined, "it is undefined");
    refuse({ get() {} }, "it is an object with get");
    refuse(createClient, "it is the function createClient: call it to create a client");
    const client = createClient({ url: `redis://127.0.0.1:${redis.port}` });
    const ioredis = new Redis({ lazyConnect: true });
    const cluster = createCluster({ rootNodes: [{}] });
    for (const queue of [client.multi(), cluster.multi(), ioredis.multi(), ioredis.pipeline()]) {
      refuse(queue, "it collects commands: give the client itself");
    }
    const replica = { lazyConnect: true, name: "main", sentinels: [{}], role: "slave" as const };
    refuse(new Redis(replica), 'client reads from replicas, which lag; role must be "master"');
    refuse(client.legacy(), "it is the result of legacy(): give the client itself");
    const connecting = client.connect();
    refuse(connecting, "it is a Promise: await it first");
    await connecting;
    await client.close();
    const { Redis: Upstash } = await import("npm:@upstash/redis@1.39.0");
    const upstash = new Upstash({ url: "http://127.0.0.1:1", token: "a" });
    for (const queue of [upstash.pipeline(), upstash.multi()]) {
      refuse(queue, "it collects commands: give the client itself");
    }
  },
);
