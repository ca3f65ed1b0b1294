/** A write that cannot be saved throws, and its message says what to do instead. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Session, SessionError } from "@pagi/session";
import { cookieOf, requestWith, rig } from "../_kit/helpers.ts";

/** Returns the message of the error that `write` throws. */
const said = (write: () => unknown) => assertThrows(write, SessionError).message;

Deno.test("a write after the response throws and names sessions.update()", async () => {
  const { sessions } = rig();
  let late: Session | undefined;
  await sessions.run(requestWith(), (session) => {
    late = session;
    return new Response();
  });
  const why =
    "the response has been started and the session saved; use sessions.update() from here on";
  assertEquals(said(() => late!.set("n", 1)), `Cannot set: ${why}`);
  assertEquals(said(() => late!.subject = "ada"), `Cannot set the subject: ${why}`);
  assertEquals(said(() => late!.regenerate()), `Cannot regenerate: ${why}`);
  assertEquals(said(() => late!.destroy()), `Cannot destroy: ${why}`);
});

Deno.test("a write to a loaded session throws and names sessions.update()", async () => {
  const { sessions, signIn } = rig();
  const session = (await sessions.load(requestWith({ cookie: await signIn() })))!;
  assertEquals(
    said(() => session.delete("n")),
    "Cannot delete: this session was loaded for reading; use sessions.update() to change it",
  );
});

Deno.test("a write under an old ID throws, even through the raw data", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  await sessions.run(requestWith({ cookie }), (session) => {
    session.regenerate();
    return new Response();
  });
  const { session } = await sessions.open(requestWith({ cookie }));
  const { data } = session;
  const why = "another request has given this session a new id; retry under that";
  assertEquals(said(() => session.update("n", () => 1)), `Cannot update: ${why}`);
  assertEquals(said(() => data.n = 1), `Cannot set: ${why}`);
  assertEquals(said(() => Object.defineProperty(data, "n", { value: 1 })), `Cannot set: ${why}`);
  assertEquals(said(() => delete data.n), `Cannot delete: ${why}`);
});

Deno.test("a write throws when the client has two active sessions", async () => {
  const { sessions, signIn } = rig();
  const cookie = `${await signIn()}; ${cookieOf(await signIn())}`;
  const { session } = await sessions.open(requestWith({ cookie }));
  assertEquals(
    said(() => session.clear()),
    "Cannot clear: the client presents more than one live session",
  );
});

Deno.test("methods that take an ID throw and name the operation when the ID has no session", async () => {
  const { sessions } = rig();
  const none = Session.fromData({});
  for (
    const [verb, ask] of [
      ["update", () => sessions.update(none, () => {})],
      ["destroy", () => sessions.destroy(none)],
      ["list", () => sessions.list("ada", { current: none })],
      ["keep", () => sessions.destroyAll("ada", { except: none })],
    ] as const
  ) {
    const { message } = await assertRejects(ask, TypeError);
    assertEquals(
      message,
      `Cannot ${verb} the session: expected its id, or a Session that has one`,
    );
  }
});

Deno.test("a write throws and names the operation when the key is reserved", async () => {
  const session = Session.fromData<Record<string, unknown>>({});
  const refused = (write: () => unknown) => assertThrows(write, TypeError).message;
  for (
    const [verb, write] of [
      ["set", () => session.set("_id", 1)],
      ["set", () => session.set({ a: 1, _id: 1 })],
      ["update", () => session.update("_id", () => 1)],
      ["delete", () => session.delete("_id")],
    ] as const
  ) {
    assertEquals(refused(write), `Cannot ${verb} "_id": this key is reserved`);
  }
  assertEquals(
    refused(() => session.delete(1 as unknown as string)),
    "Cannot delete: a key must be a string",
  );
  // Nobody waits for it: a rejection that nobody saw would end the process.
  assertEquals(
    refused(() => session.update("n", () => Promise.reject(new Error("late")))),
    'Cannot update "n": the function must not be async',
  );
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("a response varies by cookie when a refused write decided it", async () => {
  const { sessions, signIn } = rig();
  const cookie = `${await signIn()}; ${await signIn()}`;
  const response = await sessions.run(requestWith({ cookie }), (session) => {
    assertThrows(() => session.set("n", 1), SessionError);
    return new Response();
  });
  assertEquals(response.headers.get("vary"), "Cookie");
});
