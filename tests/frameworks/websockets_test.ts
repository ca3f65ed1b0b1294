/** WebSocket handshakes that go through the Express middleware. */
import { assert, assertEquals } from "@std/assert";
import { Running, WEBSOCKETS } from "./_apps.ts";
import { Visitor } from "./_visitor.ts";

const UNREADABLE = `pagi_session=${"d".repeat(64)}`;

/** Opens a socket. Returns the first message that starts with `start`, or `undefined`. */
async function ask(
  url: string,
  { start = "", say, cookie }: { start?: string; say?: string; cookie?: string },
): Promise<string | undefined> {
  const headers = cookie === undefined ? {} : { cookie };
  // Deno's WebSocket accepts headers, but the standard type does not declare them.
  const socket = new WebSocket(url.replace("http", "ws"), { headers } as never);
  const closed = new Promise<undefined>((resolve) => socket.onclose = () => resolve(undefined));
  const message = new Promise<string>((resolve) => {
    if (say !== undefined) socket.onopen = () => socket.send(say);
    socket.onmessage = ({ data }) => String(data).startsWith(start) && resolve(data);
  });
  socket.onerror = () => {};
  const result = await Promise.race([message, closed]);
  socket.close();
  await closed;
  return result;
}

const socketIo = (transport: string) => `/socket.io/?EIO=4&transport=${transport}`;

for (const app of WEBSOCKETS) {
  Deno.test(`WebSocket handshakes: ${app.name}`, async (t) => {
    await using running = await Running.start(app);
    const { url } = running;
    const visitor = new Visitor(url);
    await visitor.get("/visit");
    const { cookie } = visitor;
    const expected = (visits: number) => `Visits ${visits}, true, ERR_SESSION_READ_ONLY`;

    for (const path of ["/empty", "/own-response"]) {
      await t.step(`the session can be read: ${path}`, async () => {
        assertEquals(await ask(url + path, { cookie }), expected(1));
        assertEquals(await ask(url + path, {}), expected(0));
        const unknown = `pagi_session=${"a".repeat(64)}`;
        assertEquals(await ask(url + path, { cookie: unknown }), expected(0));
      });
      if (app.env?.STORE === "memory") continue;
      await t.step(`the store fails: ${path}`, async () => {
        assertEquals(await ask(url + path, { cookie: UNREADABLE }), undefined);
      });
    }
    await t.step("socket.io over WebSocket", async () => {
      const options = { start: "42", say: "40" };
      const message = (visits: number) => `42${JSON.stringify(["session", expected(visits)])}`;
      const at = url + socketIo("websocket");
      assertEquals(await ask(at, { ...options, cookie }), message(1));
      assertEquals(await ask(at, options), message(0));
      if (app.env?.STORE === "memory") return;
      assertEquals(await ask(at, { ...options, cookie: UNREADABLE }), undefined);
    });
    await t.step("socket.io by polling", async () => {
      const page = await new Visitor(url, cookie).get(socketIo("polling"));
      assertEquals([page.status, page.text[0], page.cookies], [200, "0", []]);
      if (app.env?.STORE === "memory") return;
      assertEquals((await new Visitor(url, UNREADABLE).get(socketIo("polling"))).status, 400);
    });
    await t.step("the server goes on, and nothing was written", async () => {
      assertEquals((await visitor.get("/count")).text, "Visits 1");
      const stderr = await running.end();
      assert(!/unhandled|uncaught|Error/i.test(stderr), stderr);
    });
  });
}
