/** A late request under an old ID cannot undo a login. A late logout still ends the session. */
import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { MemoryStore, Session, SessionError } from "@pagi/session";
import { Client, respond } from "../_kit/client.ts";
import { FaultyStore } from "../_kit/faulty_store.ts";
import { cookieOf, requestWith, rig } from "../_kit/helpers.ts";
import { refused, setUp, setUpClock } from "../_kit/tabs.ts";

Deno.test("a late request sees no data, cannot write and sends no cookie when it has the old ID", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab((session) => session.set("user", "ada").regenerate());
  const { cookies } = await tab((session, scope) => {
    assertEquals([session.keys(), session.id, scope["pagi.session_id"]], [
      [],
      undefined,
      undefined,
    ]);
    for (
      const write of [
        () => scope["pagi.session"].a = 1,
        () => delete scope["pagi.session"].a,
        () => session.set("a", 1),
      ]
    ) {
      assertEquals(assertThrows(write, SessionError).code, "ERR_SESSION_INTERRUPTED");
    }
  });
  assertEquals([cookies, (await stored(id)).user], [[], "ada"]);
});

Deno.test("destroy() ends the session under its new ID when a late request has the old one", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab((session) => session.set("user", "ada").regenerate());
  await tab((session) => session.destroy());
  assertEquals(await stored(id), {});
});

Deno.test("`_destroyed` ends the session under its new ID when a late request has the old one", async () => {
  const { tab, stored } = await setUp();
  const { id } = await tab((session) => session.regenerate());
  const { cookies } = await tab((_session, scope) => scope["pagi.session"]._destroyed = 1);
  assertEquals([await stored(id), cookies.length], [{}, 1]);
});

Deno.test("a late response does not restore the old ID when a login has replaced it", async () => {
  const { tab, cookie, sessions } = await setUp();
  let sendLate = () => {};
  const slow = sessions.wrap(async (scope, _receive, send) => {
    new Session(scope).set("b", 2);
    await respond(send);
  });
  const client = new Client(
    (scope, receive, send) =>
      slow(scope, receive, async (event) => {
        if (event.type === "http.response.start") {
          await new Promise<void>((resolve) => sendLate = resolve);
        }
        await send(event);
      }),
    cookie,
  );
  const answer = client.request();
  await tab((session) => session.set("user", "ada").regenerate());
  sendLate();
  assertEquals((await answer).cookies, []);
});

Deno.test("destroy() throws when a late request calls it after the response", async () => {
  const { tab, sessions, cookie } = await setUp();
  await tab((session) => session.regenerate());
  let checked = 0;
  const app = sessions.wrap(async (scope, _receive, send) => {
    await respond(send);
    const error = assertThrows(() => new Session(scope).destroy(), SessionError);
    assertEquals([error.code, ++checked], ["ERR_SESSION_COMMITTED", 1]);
  });
  await new Client(app, cookie).request();
  assertEquals(checked, 1);
});

Deno.test("a request with the old ID is late when the regeneration took long", async () => {
  const { clock, app, cookie } = await setUpClock();
  const login = app((session) => void (clock.seconds += 600, session.regenerate()));
  await new Client(login, cookie).request();
  const late = new Client(app((session) => assertEquals(session.id, undefined)), cookie);
  assertEquals((await late.request()).cookies, []);
});

Deno.test("a request with the old ID is late for an hour and two minutes, and unknown afterward", async () => {
  const { clock, app, cookie } = await setUpClock();
  const current = new Client(app((session) => session.regenerate()), cookie);
  await current.request();
  const late = new Client(app((session) => session.set("b", 1)), cookie);
  for (const seconds of [0, 60, 1800, 1740, 120]) {
    clock.seconds += seconds;
    // Somebody uses the session, so that it does not expire.
    await new Client(app((session) => session.get("a")), current.cookie).request();
    assertEquals(await refused(late.request()), "ERR_SESSION_INTERRUPTED");
  }
  clock.seconds += 1;
  assertEquals((await late.request()).cookies.length, 1);
  assertFalse(late.cookie === cookie);
});

Deno.test("an old ID is recognized when the other IDs are unknown, and ignored when one is valid", async () => {
  const { answer, sessions, signIn } = rig();
  const old = await signIn();
  const live = cookieOf(
    await sessions.run(requestWith({ cookie: old }), (session) => {
      session.regenerate();
      return new Response();
    }),
  );
  const dead = `pagi_session=${"0".repeat(64)}`;
  for (const cookie of [`${old}; ${dead}`, `${dead}; ${old}`]) {
    const late = answer(new Response(), { cookie });
    assertEquals(await refused(late), "ERR_SESSION_INTERRUPTED");
  }
  for (const cookie of [`${old}; ${live}`, `${live}; ${old}`]) {
    assertEquals((await sessions.load(requestWith({ cookie })))?.get("n"), 1);
  }
});

Deno.test("a late logout reports one error when it fails, and its response varies by cookie", async () => {
  const store = new FaultyStore(new MemoryStore());
  const { sessions, signIn, events } = rig({ store });
  const cookie = await signIn();
  const act = (cookie: string, act: "regenerate" | "destroy") =>
    sessions.run(requestWith({ cookie }), (session) => {
      session[act]();
      return new Response();
    });
  await act(cookie, "regenerate");
  store.fault = { operation: "delete", kind: "throws" };
  assertEquals(await refused(act(cookie, "destroy")), "ERR_SESSION_STORE");
  assertEquals(events, ["request-failed"]);
  store.fault = undefined;
  assertEquals((await act(cookie, "destroy")).headers.get("vary"), "Cookie");
});
