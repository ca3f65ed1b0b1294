/** Handshakes of Socket.IO and `ws`, with real clients. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { io, type Socket } from "socket.io-client";
import { WebSocket as WsClient } from "ws";
import { Running } from "./_apps.ts";
import { Visitor } from "./_visitor.ts";

const NODES = ["node20", "node26"];
const UNREADABLE = `pagi_session=${"d".repeat(64)}`;
const READ_ONLY = "ERR_SESSION_READ_ONLY, true";

interface Noted {
  events: string[];
  printed: number;
  alone: number;
}

/** Connects with `ws`. Resolves to the first message, or to the status of the refusal. */
function ask(url: string, headers: Record<string, string>): Promise<string | number> {
  return new Promise((resolve, reject) => {
    const client = new WsClient(url.replace("http", "ws"), { headers });
    client.on("message", (data) => {
      resolve(String(data));
      client.close();
    });
    client.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    client.on("close", (code) => resolve(code));
    client.on("error", (error) => reject(error));
  });
}

function connect(url: string, path: string, headers: Record<string, string>, transport: string) {
  const options = { transports: [transport], extraHeaders: headers, forceNew: true };
  return io(url + path, { ...options, reconnection: false });
}

/** Resolves to the arguments of the first `event`, or to the error's data. */
function first(socket: Socket, event: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    socket.on(event, (...args) => resolve(args));
    socket.on("connect_error", (error) => {
      const { message, data } = error as Error & { data?: unknown };
      resolve([message, data]);
    });
  });
}

for (const node of NODES) {
  Deno.test({
    name: `Socket.IO and ws on ${node}`,
    // The clients end when the server does.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      await using running = await Running.start({
        name: node,
        command: [
          `${import.meta.dirname}/node_modules/${node}/bin/node`,
          `${import.meta.dirname}/apps/sockets.js`,
        ],
      });
      const { url } = running;
      const host = new URL(url).host;
      const noted = async (): Promise<Noted> =>
        JSON.parse((await new Visitor(url).get("/noted")).text);
      const visitor = new Visitor(url);
      await visitor.get("/visit");
      await visitor.get("/sign-in");
      const cookie = visitor.cookie!;

      await t.step("ws: the session can be read", async () => {
        assertEquals(await ask(`${url}/open`, { cookie }), `Visits 1, ada, ${READ_ONLY}`);
        assertEquals(await ask(`${url}/open`, {}), `Visits 0, undefined, ${READ_ONLY}`);
        assertEquals(await ask(`${url}/users`, { cookie }), "Hello, ada");
      });
      await t.step("ws: accept() refuses", async () => {
        assertEquals(await ask(`${url}/users`, {}), 401);
        assertEquals(await ask(`${url}/users?teapot`, { cookie }), 418);
      });
      await t.step("ws: pages of other origins are refused", async () => {
        const own = [`http://${host}`, `https://${host}`, "https://app.example"];
        for (const origin of own) {
          assertMatch(String(await ask(`${url}/open`, { origin, cookie })), /^Visits 1/, origin);
        }
        for (const origin of ["https://app.example", "https://evil.example", "null", "?", ""]) {
          assertEquals(await ask(`${url}/users`, { origin, cookie }), 403, origin);
        }
        const forwarded = { "x-forwarded-host": "shop.example", origin: "https://shop.example" };
        assertEquals(await ask(`${url}/users`, { ...forwarded, cookie }), "Hello, ada");
      });
      await t.step("ws: a store that fails, and exceptions", async () => {
        const before = await noted();
        assertEquals(await ask(`${url}/open`, { cookie: UNREADABLE }), 503);
        assertEquals(await ask(`${url}/users?accept-throws`, { cookie }), 500);
        assertEquals(await ask(`${url}/users?throw`, { cookie }), 1011);
        const after = await noted();
        assertEquals(after.events.length, before.events.length + 1);
        assertEquals([after.events.at(-1), after.printed], ["request-failed", before.printed + 2]);
      });
      await t.step("ws: paths of nobody", async () => {
        const { alone } = await noted();
        assertEquals(await ask(`http://127.0.0.1:${alone}/nowhere`, {}), 404);
      });
      await t.step("ws: clients that leave during the handshake", async () => {
        for (let times = 0; times < 20; times++) {
          const socket = await Deno.connect({
            hostname: "127.0.0.1",
            port: Number(host.split(":")[1]),
          });
          const head = `GET /users HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n` +
            `Upgrade: websocket\r\nCookie: ${times % 2 ? UNREADABLE : cookie}\r\n\r\n`;
          await socket.write(new TextEncoder().encode(head));
          socket.close();
        }
        assertEquals(await ask(`${url}/users`, { cookie }), "Hello, ada");
      });

      for (const transport of ["websocket", "polling"]) {
        await t.step(`Socket.IO by ${transport}`, async () => {
          const socket = connect(url, "", { cookie }, transport);
          assertEquals(await first(socket, "session"), [`Visits 1, ada, ${READ_ONLY}`]);
          socket.close();
          const stranger = connect(url, "", {}, transport);
          assertEquals(await first(stranger, "session"), [`Visits 0, undefined, ${READ_ONLY}`]);
          stranger.close();
          const admin = connect(url, "/admin", { cookie }, transport);
          assertEquals(await first(admin, "admin"), ["none", true]);
          admin.close();
        });
        await t.step(`Socket.IO by ${transport}: a store that fails`, async () => {
          const before = await noted();
          const socket = connect(url, "", { cookie: UNREADABLE }, transport);
          const [message, data] = await first(socket, "session");
          assertEquals(data, { code: "ERR_SESSION_STORE", status: 503 });
          assert(!String(message).includes("secret-host"));
          socket.close();
          const { events } = await noted();
          assertEquals(events.slice(before.events.length), ["request-failed"]);
        });
        await t.step(`Socket.IO by ${transport}: origins`, async () => {
          const own = [`http://${host}`, "https://app.example", "https://a.partner.example"];
          for (const origin of [...own, "https://evil.example"]) {
            const socket = connect(url, "", { cookie, origin }, transport);
            const [message, data] = await first(socket, "session");
            if (own.includes(origin)) assertMatch(String(message), /^Visits 1/, origin);
            else assertEquals(data, { code: "ERR_SESSION_ORIGIN", status: 403 });
            socket.close();
          }
        });
        await t.step(`Socket.IO by ${transport}: a session that ends`, async () => {
          const user = new Visitor(url);
          await user.get("/visit");
          const socket = connect(url, "", { cookie: user.cookie! }, transport);
          await first(socket, "session");
          assertEquals(await socket.emitWithAck("add"), 2);
          await user.get("/logout");
          const closed = first(socket, "disconnect");
          socket.emit("add", () => {});
          assertEquals((await closed)[0], "io server disconnect");
        });
      }
      await t.step("nothing escaped", async () => {
        assertEquals(await running.end(), "");
      });
    },
  });
}
