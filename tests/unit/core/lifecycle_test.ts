import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { type Scope, Session, SessionError } from "@pagi/session";
import { Client } from "../../_kit/client.ts";
import { set, setUp } from "../../_kit/pagi_app.ts";

Deno.test("wrap() passes a scope through untouched when it has a session", async () => {
  const { sessions } = setUp();
  const seen: Scope[] = [];
  const scope = { type: "http", headers: [], "pagi.session": {} };
  const app = sessions.wrap((scope) => void seen.push(scope));
  await app(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(seen[0] === scope, true);
});

Deno.test("wrap() passes a scope through untouched when it has no headers", async () => {
  const { sessions } = setUp();
  const seen: Scope[] = [];
  const scope = { type: "lifespan" };
  const app = sessions.wrap((scope) => void seen.push(scope));
  await app(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(seen[0] === scope, true);
});

Deno.test("wrap() does not change the outer scope", async () => {
  const { app } = setUp();
  const scope: Scope = { type: "http", headers: [] };
  await app(set("a", 1))(scope, () => Promise.reject(), () => Promise.resolve());
  assertEquals(Object.keys(scope), ["type", "headers"]);
});

for (const type of ["websocket", "sse"]) {
  Deno.test(`wrap() gives a ${type} scope the stored session, deeply frozen`, async () => {
    const { app, clock } = setUp();
    const client = new Client(app(set("cart", { apples: 1 })));
    await client.request();
    clock.seconds += 5;
    let checked = 0;
    const socket = app((scope) => {
      const data = scope["pagi.session"];
      assertEquals(scope["pagi.session_id"], client.id);
      assertEquals(data._last_access, clock.seconds - 5);
      assertThrows(() => (data.cart as Record<string, number>).apples = 2, TypeError);
      assertThrows(() => data.other = 1, TypeError);
      const error = assertThrows(() => new Session(scope).set("other", 1), SessionError);
      assertEquals(error.code, "ERR_SESSION_READ_ONLY");
      checked++;
    });
    await new Client(socket, client.cookie).request({ type });
    assertEquals(checked, 1);
  });

  Deno.test(`wrap() gives a ${type} scope an empty session and no ID when there is none`, async () => {
    const { app, store } = setUp();
    const socket = app((scope) => {
      assertEquals({ ...scope["pagi.session"] }, {});
      assertFalse("pagi.session_id" in scope);
      assertThrows(() => scope["pagi.session"].a = 1, TypeError);
    });
    await new Client(socket, `pagi_session=${"0".repeat(64)}`).request({ type });
    assertEquals(store.size, 0);
  });
}

Deno.test("wrap() neither saves nor sends a new session when nothing was written", async () => {
  const { app, store } = setUp();
  const answer = await new Client(app(() => {})).request();
  assertEquals([answer.cookies, store.size], [[], 0]);
  assertEquals(answer.headers, []);
});

Deno.test("wrap() saves and sends an unchanged session when saveUninitialized is on", async () => {
  const { app, store } = setUp({ saveUninitialized: true });
  const answer = await new Client(app(() => {})).request();
  assertEquals([answer.cookies.length, store.size], [1, 1]);
});
