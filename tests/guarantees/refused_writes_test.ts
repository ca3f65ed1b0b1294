/** A write that cannot be saved throws, and its message says what to do instead. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Session, SessionError } from "@pagi/session";
import { cookieOf, requestWith, rig } from "../_kit/helpers.ts";

/** Returns the message of the error that `write` throws. */
const said = (write: () => unknown) => assertThrows(write, SessionError).message;

/** What each method does, and what its error advises after the response and when loaded. */
const WRITES: [verb: string, (session: Session) => unknown, late: string, loaded: string][] = [
  ...([
    ["set", (session) => session.set("n", 1)],
    ["update", (session) => session.update("n", () => 1)],
    ["delete", (session) => session.delete("n")],
    ["clear", (session) => session.clear()],
  ] as [string, (session: Session) => unknown][]).map(
    ([verb, write]): typeof WRITES[number] => {
      const advice = "Use sessions.update() to change it";
      return [verb, write, advice, advice];
    },
  ),
  [
    "destroy",
    (session) => session.destroy(),
    "Use sessions.destroy() to end it",
    "Use sessions.destroy() to end it",
  ],
  ...([
    ["set the subject", (session) => session.subject = "ada"],
    ["regenerate", (session) => session.regenerate()],
    ["rotate", (session) => session.rotate()],
    ["restart", (session) => session.restart()],
  ] as [string, (session: Session) => unknown][]).map(
    ([verb, write]): typeof WRITES[number] => [
      verb,
      write,
      "Do it before that",
      "Only the handler of a request can do that",
    ],
  ),
];

for (const [verb, write, late, loaded] of WRITES) {
  Deno.test(`${verb} throws when it is too late, and its advice works`, async () => {
    const { sessions, signIn } = rig();
    const cookie = await signIn();
    let session: Session | undefined;
    await sessions.run(requestWith({ cookie }), (one) => {
      session = one;
      return new Response();
    });
    assertEquals(
      said(() => write(session!)),
      `Cannot ${verb}: the session was saved already, by session.save() or because the response has ` +
        `started. ${late}`,
    );
    if (late.includes("update()")) await sessions.update(session!, (data) => void (data.n = 2));
    if (late.includes("destroy()")) assertEquals(await sessions.destroy(session!), true);
  });

  Deno.test(`${verb} throws when the session was loaded for reading`, async () => {
    const { sessions, signIn } = rig();
    const session = (await sessions.load(requestWith({ cookie: await signIn() })))!;
    assertEquals(
      said(() => write(session)),
      `Cannot ${verb}: this session was loaded for reading. ${loaded}`,
    );
  });
}

Deno.test("a write under an old ID throws, even through the raw data", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  await sessions.run(requestWith({ cookie }), (session) => {
    session.regenerate();
    return new Response();
  });
  const { session } = await sessions.open(requestWith({ cookie }));
  const { data } = session;
  const why = "another request has given this session a new ID. Repeat the request with that";
  assertEquals(said(() => session.update("n", () => 1)), `Cannot update: ${why}`);
  assertEquals(said(() => data.n = 1), `Cannot set: ${why}`);
  assertEquals(said(() => Object.defineProperty(data, "n", { value: 1 })), `Cannot set: ${why}`);
  assertEquals(said(() => delete data.n), `Cannot delete: ${why}`);
});

Deno.test("a write throws when none of several IDs can be trusted", async () => {
  const { sessions, signIn } = rig();
  const two = `${await signIn()}; ${cookieOf(await signIn())}`;
  // None of these is active.
  const five = ["1", "2", "3", "4", "5"].map((digit) => `pagi_session=${digit.repeat(64)}`);
  for (const cookie of [two, five.join("; ")]) {
    const { session } = await sessions.open(requestWith({ cookie }));
    assertEquals(
      said(() => session.clear()),
      "Cannot clear: the request carries several session IDs, and none can be trusted. Delete the " +
        "site's cookies",
    );
  }
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
