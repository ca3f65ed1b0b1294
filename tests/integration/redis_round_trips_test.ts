import { assertEquals } from "@std/assert";
import { type Session, SessionMiddleware } from "@pagi/session";
import { RedisStore } from "@pagi/session/store/redis";
import { CLIENTS } from "./_redis_clients.ts";
import { anyRedis, redisMissing, serverTest } from "./_servers.ts";
import { TcpProxy } from "./_tcp_proxy.ts";

type Data = { user?: string; visits?: number };
type Act = (session: Session<Data>) => unknown;

/** An ID that no session has. */
const UNKNOWN = "0123456789abcdef".repeat(4);
const HOUR_MS = 3_600_000;

const read: Act = (session) => session.get("user", undefined);
const write: Act = (session) => session.set("visits", session.get("visits", 0) + 1);
const start: Act = (session) => session.set("user", "ada");

for (const name of ["ioredis 6", "node-redis 6"]) {
  serverTest(redisMissing, `RedisStore on ${name} takes the promised round trips`, async (t) => {
    await using redis = await anyRedis();
    using proxy = new CountingProxy(redis.port);
    const { client, close } = await CLIENTS[name]!(proxy.port);
    try {
      let now = Date.now();
      const sessions = new SessionMiddleware<Data>({
        secret: "x".repeat(32),
        store: new RedisStore(client, { prefix: `pagi:trips:${crypto.randomUUID()}:` }),
        expire: 86_400,
        now: () => now,
      });
      let cookie = "";
      /** Makes a request; resolves to the round trips that it took. */
      const visit = async (act: Act): Promise<number> => {
        const before = proxy.roundTrips;
        const handler = sessions.handler((_request, session) => {
          act(session);
          return new Response("ok");
        });
        const headers = cookie === "" ? undefined : { cookie };
        const response = await handler(new Request("http://localhost/", { headers }));
        cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
        return proxy.roundTrips - before;
      };
      // The first requests open the connection and load the scripts into Redis.
      for (const act of [start, write, (session: Session<Data>) => session.regenerate()]) {
        await visit(act);
      }

      await t.step("none without a session", async () => {
        cookie = "";
        assertEquals(await visit(read), 0);
        cookie = "pagi_session=nonsense";
        assertEquals(await visit(read), 0);
      });
      await t.step("one for an ID that no session has", async () => {
        cookie = `pagi_session=${UNKNOWN}`;
        assertEquals(await visit(read), 1);
      });
      await t.step("one to start a session", async () => {
        cookie = "";
        assertEquals(await visit(start), 1);
      });
      await t.step("one to read, one more to write", async () => {
        assertEquals(await visit(read), 1);
        assertEquals(await visit(write), 2);
        assertEquals(await visit(read), 1);
      });
      await t.step("one more for a touch, once an interval", async () => {
        for (let hour = 0; hour < 2; hour++) {
          now += HOUR_MS;
          // The first of these loads the script.
          if (hour === 0) await visit(read);
          else assertEquals(await visit(read), 2);
          for (let again = 0; again < 9; again++) assertEquals(await visit(read), 1);
        }
      });
    } finally {
      await close();
    }
  });
}

/** A TCP proxy in front of Redis that counts round trips: requests that follow a reply. */
class CountingProxy extends TcpProxy {
  /** The round trips so far; requests that a client sends together count once. */
  roundTrips = 0;
  readonly #target: number;

  constructor(target: number) {
    super();
    this.#target = target;
  }

  protected override async serve(client: Deno.TcpConn): Promise<void> {
    using server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    let isWaiting = false;
    const onRequest = () => {
      if (!isWaiting) this.roundTrips++;
      isWaiting = true;
    };
    const onAnswer = () => isWaiting = false;
    await Promise.race([
      client.readable.pipeThrough(watched(onRequest)).pipeTo(server.writable),
      server.readable.pipeThrough(watched(onAnswer)).pipeTo(client.writable),
    ]);
  }
}

/** Passes chunks on unchanged, and calls back for each. */
function watched(notice: () => void): TransformStream<Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      notice();
      controller.enqueue(chunk);
    },
  });
}
