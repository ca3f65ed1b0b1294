/** A sign-in that fails leaves no session in the user's index whose ID no client knows. */
import { assertEquals, assertRejects } from "@std/assert";
import { HashedStore, MemoryStore, SessionError, SessionMiddleware } from "@pagi/session";
import { Browser } from "../_kit/browser.ts";
import { fakeClock } from "../_kit/helpers.ts";
import { around } from "../_kit/stores.ts";

/** More calls of the store than a sign-in makes. */
const CALLS = 8;

/** Sets up sessions on a remote store. `failAt(call)` lets one of the next calls fail. */
function setUp() {
  const clock = fakeClock();
  let left = Infinity;
  let isApplied = false;
  const store = around(new MemoryStore({ now: clock.now }), async (_name, call) => {
    if (left-- !== 0) return await call();
    if (isApplied) await call();
    throw new Error("The connection was closed");
  });
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store: new HashedStore(store),
    now: clock.now,
  });
  return {
    sessions,
    browser: () => new Browser(sessions, clock.now),
    failAt(call: number, applied: boolean) {
      left = call;
      isApplied = applied;
    },
    hasFailed: () => left < 0,
  };
}

for (const isApplied of [false, true]) {
  for (const isNew of [true, false]) {
    const how = isApplied ? "took effect and failed" : "failed";
    const whose = isNew ? "a new session" : "a stored session";
    Deno.test(`a sign-in to ${whose} leaves no phantom when any of its store calls ${how}`, async () => {
      for (let call = 0; call < CALLS; call++) {
        const { sessions, browser, failAt, hasFailed } = setUp();
        const visitor = browser();
        if (!isNew) await visitor.visit((session) => session.set("cart", 1));
        failAt(call, isApplied);
        const signIn = visitor.visit((session) => void (session.subject = "ada"));
        const failure = await signIn.then(() => undefined, (error) => error);
        const isDone = !hasFailed();
        failAt(Infinity, false);
        const listed = (await sessions.list("ada")).length;
        assertEquals([call, listed], [call, failure === undefined ? 1 : 0]);
        if (isDone) return;
      }
    });
  }
}

Deno.test("a session whose creation failed stays unwritten when the store carries it out later", async () => {
  const clock = fakeClock();
  const inner = new MemoryStore({ now: clock.now });
  let late: (() => unknown) | undefined;
  const store = around(inner, async (name, call, [key]) => {
    // The records of lists have longer keys.
    const isSession = name === "create" && String(key).length === 32;
    if (!isSession || late !== undefined) return await call();
    late = call;
    throw new Error("The connection was closed");
  });
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
    now: clock.now,
  });
  const visitor = new Browser(sessions, clock.now);
  await assertRejects(
    () => visitor.visit((session) => void (session.subject = "ada")),
    SessionError,
  );
  await late!();
  assertEquals(await sessions.list("ada"), []);
});
