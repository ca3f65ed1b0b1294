import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Session,
  type SessionApp,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
} from "@pagi/session";
import { Client, respond } from "../../_kit/client.ts";
import { requestWith, rig } from "../../_kit/helpers.ts";
import { refused, setUp } from "../../_kit/tabs.ts";

Deno.test("sessions.update() changes a session outside a request", async () => {
  const { sessions, stored, id } = await setUp();
  const saved = await sessions.update(id, (data) => data.n = Number(data.n) + 1);
  assertEquals([saved.get("n"), (await stored()).n], [1, 1]);
  assertEquals(assertThrows(() => saved.set("n", 2), SessionError).code, "ERR_SESSION_READ_ONLY");
});

Deno.test("sessions.update() runs its function again when another request wrote first", async () => {
  const { sessions, stored, id } = await setUp();
  let runs = 0;
  await sessions.update(id, async (data) => {
    if (runs++ === 0) await sessions.update(id, (other) => other.n = 10);
    data.n = Number(data.n) + 1;
  });
  assertEquals([runs, (await stored()).n], [2, 11]);
});

Deno.test("sessions.update() works while a response streams", async () => {
  const { sessions, cookie, stored } = await setUp();
  const app: SessionApp = async (scope, _receive, send) => {
    const session = new Session(scope).set("a", 2);
    await respond(send);
    await sessions.update(session, (data) => data.n = 1);
  };
  await new Client(sessions.wrap(app), cookie).request();
  assertEquals(await stored(), { n: 1, a: 2, b: 1 });
});

Deno.test("sessions.update() does not freeze or keep the caller's objects", async () => {
  const { sessions, id } = await setUp();
  const cart = { apples: 1 };
  await sessions.update(id, (data) => data.cart = cart);
  cart.apples = 2;
  assertEquals((await sessions.update(id, () => {})).get("cart"), { apples: 1 });
});

Deno.test("sessions.update() is interrupted when there is no such session", async () => {
  const { sessions, tab, id } = await setUp();
  const code = (id: string) => refused(sessions.update(id, () => {}));
  await tab((session) => session.regenerate());
  assertEquals(
    [await code(id), await code("0".repeat(64)), await code("nonsense")],
    Array(3).fill("ERR_SESSION_INTERRUPTED"),
  );
});

Deno.test("sessions.update() throws when its function regenerates or destroys", async () => {
  const { sessions, id } = await setUp();
  for (const key of ["_regenerated", "_destroyed", "_subject"] as const) {
    await assertRejects(() => sessions.update(id, (data) => data[key] = "x"), TypeError, "request");
  }
  await assertRejects(() => sessions.update("", () => {}), TypeError, "id");
});

Deno.test("sessions.destroy() ends a session when it has a new ID, and can be repeated", async () => {
  const { sessions, tab, stored, id } = await setUp();
  const moved = await tab((session) => session.regenerate());
  await sessions.destroy(id);
  assertEquals(await stored(moved.id), {});
  await sessions.destroy(id);
  await sessions.destroy("nonsense");
});

Deno.test("onEvent() announces a plain store once when the middleware is created", () => {
  const events: SessionEvent[] = [];
  const onEvent = (event: SessionEvent) => void events.push(event);
  const store = { get: () => undefined, set: () => undefined, delete: () => undefined };
  new SessionMiddleware({ secret: "test", store, onEvent });
  new SessionMiddleware({ secret: "test", onEvent });
  assertStrictEquals(events.map(({ type }) => type).join(), "store-without-guarantees");
});

Deno.test("sessions.update() does not extend the session", async () => {
  const { clock, sessions, store, signIn } = rig({ expire: 100 });
  const cookie = await signIn();
  const id = cookie.split("=")[1]!;
  const { lastAccess } = store.read(id)!;
  clock.advance(90);
  await sessions.update(id, (data) => data.n = 2);
  assertEquals(store.read(id)?.lastAccess, lastAccess);
  clock.advance(11);
  assertEquals(await sessions.load(requestWith({ cookie })), undefined);
});

Deno.test("regenerate() fails when generateId() returns the ID of another session", async () => {
  const { answer, store } = rig({ generateId: () => "1".repeat(64) });
  await answer(new Response());
  const { code, message } = await assertRejects(() => answer(new Response()), SessionError);
  assertEquals([code, message], [
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: its new id is taken; is generateId random?",
  ]);
  assertEquals((await store.get("1".repeat(64)))?.n, 1);
});
