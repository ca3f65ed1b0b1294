/** A Redis at `maxmemory` refuses all writes. Sessions can still be ended. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Session, SessionError, SessionMiddleware } from "@pagi/session";
import { RedisStore } from "@pagi/session/store/redis";
import { CLIENTS } from "./_redis_clients.ts";
import { RespClient } from "./_resp.ts";
import { OwnRedis, ownRedisMissing, serverTest } from "./_servers.ts";

/** So many that most of them are in shards of the index. */
const SESSIONS = 40;

/** A Redis with sessions of Ada, which then gets no room for more. */
async function setUp() {
  const redis = await OwnRedis.start("--maxmemory-policy", "noeviction");
  const { client, close } = await CLIENTS["ioredis 6"]!(redis.port);
  const resp = await RespClient.connect(redis.port);
  const events: string[] = [];
  const sessions = new SessionMiddleware({
    secret: "s".repeat(32),
    store: new RedisStore(client),
    onEvent: ({ type }) => void events.push(type),
  });
  const visit = async (cookie: string, work: (session: Session) => unknown) => {
    const headers = { cookie };
    const response = await sessions.run(
      new Request("http://localhost/", { headers }),
      (session) => {
        work(session);
        return new Response();
      },
    );
    return response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
  };
  const signIn = () =>
    visit("", (session) => {
      session.subject = "ada";
      session.set("note", "x".repeat(2000));
    });
  const cookies: string[] = [];
  for (let at = 0; at < SESSIONS; at++) cookies.push(await signIn());
  const setRoom = (bytes: number) => resp.send("CONFIG", "SET", "maxmemory", String(bytes));
  const used = async () => {
    const info = String(await resp.send("INFO", "memory"));
    return Number(/used_memory:(\d+)/.exec(info)![1]);
  };
  /** Counts the sessions that are still there. */
  const left = async () => {
    let count = 0;
    for (const cookie of cookies) {
      const headers = { cookie };
      if (await sessions.load(new Request("http://localhost/", { headers }))) count++;
    }
    return count;
  };
  return {
    sessions,
    events,
    cookies,
    visit,
    signIn,
    setRoom,
    used,
    left,
    async [Symbol.asyncDispose]() {
      resp.close();
      await close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

serverTest(ownRedisMissing, "destroyAll() ends all sessions in a full Redis", async () => {
  await using full = await setUp();
  const { sessions, events, signIn, setRoom, used, left } = full;
  // What the sessions take is enough for the rest.
  await setRoom(await used() - 1000);
  await assertRejects(signIn, SessionError);
  events.length = 0;
  assertEquals(await sessions.destroyAll("ada"), SESSIONS);
  assertEquals([await left(), await sessions.list("ada"), events], [0, [], []]);
  await signIn();
  assertEquals(await sessions.destroyAll("ada"), 1);
});

serverTest(
  ownRedisMissing,
  "destroyAll() ends all sessions and rejects in a Redis that stays full",
  async () => {
    await using full = await setUp();
    const { sessions, signIn, setRoom, left } = full;
    await setRoom(1);
    const error = await assertRejects(() => sessions.destroyAll("ada"), SessionError);
    assertEquals(error.code, "ERR_SESSION_STORE");
    assertMatch(error.message, /: 0 of those listed remain,/);
    assertEquals([await left(), await sessions.list("ada")], [0, []]);
    await setRoom(0);
    await signIn();
    assertEquals(await sessions.destroyAll("ada"), 1);
  },
);

serverTest(ownRedisMissing, "a logout succeeds in a full Redis", async () => {
  await using full = await setUp();
  const { sessions, events, cookies, visit, setRoom, left } = full;
  await setRoom(1);
  await visit(cookies[0]!, (session) => session.destroy());
  assertEquals(await sessions.destroy(cookies[1]!.split("=")[1]!), true);
  assertEquals(await left(), SESSIONS - 2);
  assert(events.every((type) => type === "cleanup-failed"), events.join());
  assertEquals((await sessions.list("ada")).length, SESSIONS - 2);
});
