/** A session's write that a Redis client sends twice counts once, on a real Redis. */
import { assert, assertEquals } from "@std/assert";
import { type Session, SessionMiddleware } from "@pagi/session";
import { RedisStore } from "@pagi/session/store/redis";
import { RedisProxy } from "./_proxy.ts";
import { CLIENTS } from "./_redis_clients.ts";
import { RespClient } from "./_resp.ts";
import { anyRedis, redisMissing, serverTest } from "./_servers.ts";

type Work = (session: Session) => unknown;

/** Sets up a server on Redis, and what its clients can do. */
function server(store: RedisStore) {
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
  });
  const visit = async (cookie: string, work: Work) => {
    const request = new Request("http://localhost/", { headers: { cookie } });
    const response = await sessions.run(request, (session) => {
      work(session);
      return new Response();
    });
    return response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
  };
  const load = (cookie: string) =>
    sessions.load(new Request("http://localhost/", { headers: { cookie } }));
  return { sessions, visit, load };
}

const count: Work = (session) => session.update("n", (n) => Number(n ?? 0) + 1);
const SCRIPTS = ["EVAL", "EVALSHA"];

serverTest(
  redisMissing,
  "a write counts once when ioredis loses the connection and sends it again",
  async () => {
    await using redis = await anyRedis();
    using proxy = new RedisProxy(redis.port);
    for (const name of ["ioredis 5", "ioredis 6"]) {
      const { client, close } = await CLIENTS[name]!(proxy.port);
      const { sessions, visit, load } = server(new RedisStore(client));
      // So that Redis has the script, and no command is an EVAL.
      await visit("", count);

      proxy.cutAfter("EVALSHA");
      const cookie = await visit("", count);
      proxy.cutAfter("EVALSHA");
      await visit(cookie, count);
      assertEquals((await load(cookie))?.get("n"), 2);
      proxy.cutAfter("EVALSHA");
      const next = await visit(cookie, (session) => session.regenerate());
      assert(next !== cookie, "the response has a new cookie");
      proxy.cutAfter("EVALSHA");
      assertEquals(await sessions.destroy(next.split("=")[1]!), true);
      assertEquals(await load(next), undefined);
      await close();
    }
  },
);

serverTest(
  redisMissing,
  "a write counts once when others come between its two commands",
  async () => {
    await using redis = await anyRedis();
    const connection = await RespClient.connect(redis.port);
    let between: (() => Promise<unknown>) | undefined;
    const client = async (command: string, ...args: string[]) => {
      const reply = await connection.send(command, ...args);
      if (between === undefined || !SCRIPTS.includes(command)) return reply;
      const others = between;
      between = undefined;
      await others();
      return await connection.send(command, ...args);
    };
    const { sessions, visit, load } = server(new RedisStore(client));
    const idOf = (cookie: string) => cookie.split("=")[1]!;

    const cookie = await visit("", count);
    between = async () => {
      for (let other = 0; other < 32; other++) await visit(cookie, count);
    };
    await visit(cookie, count);
    assertEquals((await load(cookie))?.get("n"), 34);

    between = () => visit(cookie, (session) => session.set("address", "new"));
    await visit(cookie, (session) => session.set("address", "old"));
    assertEquals((await load(cookie))?.get("address"), "new");

    let other: unknown;
    between = async () => other = await sessions.destroy(idOf(cookie));
    assertEquals([await sessions.destroy(idOf(cookie)), other], [true, false]);
    assertEquals(await load(cookie), undefined);
    connection.close();
  },
);
