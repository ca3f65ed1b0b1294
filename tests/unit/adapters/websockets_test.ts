import { assertEquals, assertThrows } from "@std/assert";
import { rig } from "../../_kit/helpers.ts";
import { fastifySession } from "../../../adapters/fastify.ts";
import { socketioSession } from "../../../adapters/socketio.ts";
import { wsSession } from "../../../adapters/ws.ts";
import { isSameOrigin } from "../../../adapters/_node/same_origin.ts";

const server = { shouldHandle() {}, handleUpgrade() {}, emit() {} };

Deno.test("fastifySession(), socketioSession() and wsSession() require a SessionMiddleware", () => {
  for (const make of [fastifySession, socketioSession, wsSession]) {
    for (const wrong of [undefined, {}, { secret: "x" }]) {
      assertThrows(() => make(wrong as never), TypeError, "takes a SessionMiddleware");
    }
  }
});

Deno.test("wsSession().upgrade() refuses wrong arguments", () => {
  const session = wsSession(rig().sessions);
  assertThrows(() => session.upgrade({} as never), TypeError, "WebSocketServer");
  assertThrows(() => session.upgrade(server, { acept: true } as never), TypeError, "acept");
  assertThrows(() => session.upgrade(server, { accept: true } as never), TypeError, "accept");
  for (const origin of ["app.example", "https://app.example/", "https://app.example/chat", 1]) {
    assertThrows(
      () => session.upgrade(server, { origins: [origin as string] }),
      TypeError,
      "origins",
    );
  }
  session.upgrade(server, { accept: () => true, origins: ["https://app.example"] });
});

Deno.test("of() throws when no session was opened", () => {
  const { sessions } = rig();
  const request = { headers: {} };
  assertThrows(() => wsSession(sessions).of(request), TypeError, "Cannot find the session");
  assertThrows(() => socketioSession(sessions).of({ request }), TypeError, "io.use(session)");
  assertThrows(() => fastifySession(sessions).of({ raw: request }), TypeError, "request.session");
});

Deno.test("isSameOrigin() compares the page's host with the server's", () => {
  const cases: [origin: string | undefined, headers: Record<string, string>, expected: boolean][] =
    [
      [undefined, { host: "a.example" }, true],
      ["https://a.example", { host: "a.example" }, true],
      ["https://a.example", { host: "A.example:443" }, true],
      ["http://a.example:80", { host: "a.example" }, true],
      ["http://a.example:8080", { host: "a.example:8080" }, true],
      ["http://a.example:8080", { host: "a.example" }, false],
      ["https://a.example", { host: "b.example" }, false],
      ["https://a.example.evil.example", { host: "a.example" }, false],
      ["https://a.example", { host: "10.0.0.1", "x-forwarded-host": "a.example" }, true],
      ["https://a.example", { host: "10.0.0.1", "x-forwarded-host": "a.example, b.example" }, true],
      ["null", { host: "a.example" }, false],
      ["null", { host: "null" }, false],
      ["", { host: "a.example" }, false],
      ["file://", { host: "" }, false],
      ["https://a.example", {}, false],
      ["https://a.example", { host: "[" }, false],
    ];
  for (const [origin, headers, expected] of cases) {
    const all = origin === undefined ? headers : { ...headers, origin };
    assertEquals(isSameOrigin({ headers: all }), expected, JSON.stringify(all));
  }
});
