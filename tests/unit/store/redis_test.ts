import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { SessionError } from "@pagi/session";
import { type RedisClient, RedisStore } from "../../../store/redis.ts";
import { idOf } from "../../_kit/helpers.ts";

// What Redis makes of these commands is tested on Redis, in tests/integration.

const ID = idOf("a");
const { signal } = new AbortController();
const write = { lastAccess: 1, ttl: 60, signal };
/** What each call is given here; nobody but node-redis may ask for the signal. */
const unsignalled = <T extends object>(options: T) =>
  Object.defineProperty({ ...options }, "signal", {
    get: () => {
      throw new Error("nobody asked for a signal");
    },
  }) as T & { signal: AbortSignal };

/** Calls of a client, word by word, each answered by `answer`. */
function recorder(answer: (words: string[]) => unknown = () => null) {
  const calls: string[][] = [];
  const take = (words: string[]) => {
    calls.push(words);
    return Promise.resolve().then(() => answer(words));
  };
  return { calls, take };
}

Deno.test("RedisStore calls each kind of client by its own signature", async () => {
  const { calls, take } = recorder();
  const command = (...words: string[]) => take(words);
  const clients: [name: string, client: RedisClient][] = [
    ["a function", command],
    // It has a sendCommand as well, for command objects.
    ["ioredis", Object.assign({ call: command }, { sendCommand: () => Promise.reject() })],
    ["ioredis' Cluster", Object.assign({ call: command }, { options: { scaleReads: "master" } })],
    ["Bun", { send: (name, args) => take([name, ...args]) }],
    ["@upstash/redis", { exec: take }],
  ];
  for (const [name, client] of clients) {
    assertEquals(await new RedisStore(client).read(ID, unsignalled({})), undefined, name);
  }
  assertEquals(calls, clients.map(() => ["GET", `pagi:session:${ID}`]));
});

Deno.test("RedisStore calls node-redis with the signal, and only on the master", async () => {
  const calls: unknown[][] = [];
  const take = (...args: unknown[]) => Promise.resolve(void calls.push(args));
  const read = (client: object) => new RedisStore(client as RedisClient).read(ID, { signal });
  await read({ sendCommand: take });
  await read({ sendCommand: take, isOpen: true });
  await read({ sendCommand: take, slots: [] });
  await read({ sendCommand: take, getSentinelNode: () => undefined });
  const key = `pagi:session:${ID}`;
  const rest = [["GET", key], { signal, abortSignal: signal }];
  assertEquals(calls, [rest, rest, [key, false, ...rest], [false, ...rest]]);
});

Deno.test("RedisStore() refuses what is no client, and says what it takes", () => {
  for (const client of [undefined, null, "redis://localhost", 6379, {}, { get() {}, set() {} }]) {
    const error = assertThrows(() => new RedisStore(client as never), TypeError);
    assertMatch(error.message, /ioredis.*node-redis.*Bun.*\(command, \.\.\.args\) => Promise/);
  }
});

Deno.test("RedisStore() refuses a client that would read from replicas", () => {
  for (const scaleReads of ["slave", "all", () => undefined]) {
    const client = { call: () => Promise.resolve(), options: { scaleReads } };
    assertThrows(() => new RedisStore(client), TypeError, "scaleReads");
  }
});

Deno.test("RedisStore() refuses a sendCommand that takes other arguments, and says how to give it", () => {
  const client = { sendCommand: () => Promise.resolve(), isConnected: true };
  assertThrows(() => new RedisStore(client), TypeError, "client.sendCommand(command, args)");
});

Deno.test("RedisStore() refuses unknown options and a prefix that is no string", () => {
  const client = () => Promise.resolve();
  assertThrows(() => new RedisStore(client, { prefx: "a" } as never), TypeError, "prefx");
  assertThrows(() => new RedisStore(client, { prefix: 1 as never }), TypeError, "prefix");
  new RedisStore(client, { prefix: "" });
});

Deno.test("RedisStore calls a script by its SHA-1, and sends it where Redis does not have it", async () => {
  let knows = false;
  const { calls, take } = recorder(([command]) => {
    if (command === "EVALSHA" && !knows) throw new Error("NOSCRIPT No matching script");
    knows = true;
    return 1;
  });
  const store = new RedisStore((...words) => take(words));
  const first = await store.create(ID, "{}", write);
  const [attempt, whole] = calls as [string[], string[]];
  assertEquals([attempt[0], whole[0]], ["EVALSHA", "EVAL"]);
  const hash = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(whole[1]));
  assertEquals(attempt[1], new Uint8Array(hash).toHex());
  assertEquals(attempt.slice(2), whole.slice(2));

  // What is once there is called by its hash alone.
  const second = await store.create(ID, "{}", write);
  assertEquals(calls.length, 3);
  assertEquals([calls[2]![0], calls[2]![1]], ["EVALSHA", attempt[1]]);
  assertNotEquals(first, second);
});

Deno.test("RedisStore.touch() sends the version that the record has, and a new one", async () => {
  const { calls, take } = recorder(() => 1);
  const store = new RedisStore((...words) => take(words));
  const version = "v".repeat(12);
  const touch = { ...write, version, text: "{}" };
  for (let turn = 0; turn < 2; turn++) assertEquals(await store.touch(ID, touch), true);
  const sent = calls.map((words) => words.slice(4));
  for (const [old, next, ...times] of sent) {
    assertEquals([old, ...times], [version, "1".padEnd(24), "60000"]);
    assertMatch(next!, /^[\w+/]{12}$/);
  }
  assertNotEquals(sent[0]![1], sent[1]![1]);
});

Deno.test("RedisStore understands the replies that clients make of 0, 1 and a string", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const [yes, no] of [[1, 0], ["1", "0"], [1n, 0n], [bytes("1"), bytes("0")]]) {
    for (const [reply, done] of [[yes, true], [no, false]] as const) {
      const store = new RedisStore(() => Promise.resolve(reply));
      assertEquals(await store.delete(ID), done);
      assertEquals(typeof await store.create(ID, "{}", write), done ? "string" : "undefined");
    }
  }
  const record = `${"v".repeat(12)}${"5".padEnd(24)}\ufeff{"é":"𝒳"}`;
  const found = { text: '\ufeff{"é":"𝒳"}', version: "v".repeat(12), lastAccess: 5 };
  for (const reply of [record, bytes(record)]) {
    const store = new RedisStore(() => Promise.resolve(reply));
    assertEquals(await store.read(ID, { signal }), found);
  }
  for (const reply of [null, undefined]) {
    const store = new RedisStore(() => Promise.resolve(reply));
    assertEquals(await store.read(ID, { signal }), undefined);
  }
});

Deno.test("RedisStore fails at a reply that is none, and does not take it for a no", async () => {
  for (const reply of [null, undefined, "OK", 2, {}, [], true]) {
    const store = new RedisStore(() => Promise.resolve(reply));
    const error = await assertRejects(() => store.create(ID, "secret", write), SessionError);
    assertEquals(error.code, "ERR_SESSION_STORE");
    assert(!error.message.includes(ID) && !error.message.includes("secret"));
  }
  const store = new RedisStore(() => Promise.resolve({ text: "secret" }));
  await assertRejects(() => store.read(ID, { signal }), SessionError);
});

Deno.test("RedisStore passes on the client's own errors, thrown or rejected", async () => {
  const failure = new Error("READONLY You can't write against a read only replica");
  const reject = () => Promise.reject(failure);
  const fail = () => {
    throw failure;
  };
  for (const client of [reject, fail]) {
    const store = new RedisStore(client);
    const calls = [
      () => store.read(ID, { signal }),
      () => store.create(ID, "{}", write),
      () => store.delete(ID),
      () => store.get(ID),
    ];
    for (const call of calls) assertStrictEquals(await assertRejects(call), failure);
  }
});

Deno.test("RedisStore asks nobody about a version that cannot be one", async () => {
  const { calls, take } = recorder(() => 1);
  const store = new RedisStore((...words) => take(words));
  for (const version of ["", "no such version"]) {
    assertEquals(await store.replace(ID, "{}", { ...write, version }), undefined);
    assertEquals(await store.touch(ID, { ...write, version, text: "{}" }), false);
    assertEquals(await store.delete(ID, { version }), false);
  }
  assertEquals(calls, []);
});
