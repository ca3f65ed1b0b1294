/** When `sessions.destroyAll()` resolves, no earlier session of the subject is left or comes back. */
import { assertEquals, assertRejects } from "@std/assert";
import { MemoryStore, type Session, SessionError } from "@pagi/session";
import { requestWith } from "../_kit/helpers.ts";
import { rig } from "../_kit/subjects.ts";

Deno.test("destroyAll() ends every session of the subject and no other session", async () => {
  const { sessions, signIn, rotate, subjectOf } = rig();
  const cookies = [await signIn("ada"), await rotate(await signIn("ada")), await signIn("ada")];
  const bob = await signIn("bob");
  assertEquals(await sessions.destroyAll("ada"), 3);
  for (const cookie of cookies) assertEquals(await subjectOf(cookie), undefined);
  assertEquals(await subjectOf(bob), "bob");
  assertEquals(await sessions.list("ada"), []);
  assertEquals(await sessions.destroyAll("ada"), 0);
  assertEquals(await subjectOf(await signIn("ada")), "ada");
});

Deno.test("a request in progress writes nothing when destroyAll() ends its session", async () => {
  const { sessions, signIn, subjectOf, store } = rig();
  /** Runs a request whose session is ended by `destroyAll()` before its handler returns. */
  const during = (cookie: string, act: (session: Session) => void) =>
    sessions.run(requestWith({ cookie }), async (session) => {
      act(session);
      await sessions.destroyAll("ada");
      return new Response(session.subject);
    });
  for (
    const act of [
      (session: Session) => session.set("n", 1),
      (session: Session) => session.regenerate(),
    ]
  ) {
    const cookie = await signIn("ada");
    const error = await assertRejects(() => during(cookie, act), SessionError);
    assertEquals((error as SessionError).code, "ERR_SESSION_INTERRUPTED");
    assertEquals(await subjectOf(cookie), undefined);
  }
  const reader = await during(await signIn("ada"), (session) => session.keys());
  assertEquals(reader.headers.get("set-cookie"), null);
  assertEquals(await sessions.list("ada"), []);
  assertEquals(store.size, 1);
});

Deno.test("a new session is not created when destroyAll() runs before its record is stored", async () => {
  for (const kind of ["first", "rotated"]) {
    const inner = new MemoryStore();
    const { sessions, signIn, subjectOf } = rig({ store: inner });
    const cookie = kind === "first" ? "" : await signIn("bob");
    const store = new Proxy(inner, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: string[]) => {
          // The session is listed already, but its record does not exist yet.
          if (name === "create" && args[1]!.startsWith("{")) await sessions.destroyAll("ada");
          return member.apply(target, args);
        };
      },
    });
    const late = rig({ store });
    const error = await assertRejects(() => late.signIn("ada", "", cookie), SessionError);
    assertEquals((error as SessionError).code, "ERR_SESSION_INTERRUPTED");
    if (kind === "rotated") assertEquals(await subjectOf(cookie), "bob");
    assertEquals(await sessions.list("ada"), []);
    // Only listed records are left: Bob's session and the lists.
    assertEquals(inner.size, kind === "first" ? 1 : 3);
  }
});

Deno.test("destroyAll() can be repeated when it failed halfway", async () => {
  let isDown = false;
  const inner = new MemoryStore();
  const store = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (isDown && name === "delete") throw new Error("connection refused");
        return member.apply(target, args);
      };
    },
  });
  const { sessions, signIn, subjectOf } = rig({ store });
  const cookies = [await signIn("ada"), await signIn("ada")];
  isDown = true;
  const error = await assertRejects(() => sessions.destroyAll("ada"), SessionError);
  assertEquals((error as SessionError).code, "ERR_SESSION_STORE");
  isDown = false;
  assertEquals(await subjectOf(cookies[0]!), "ada");
  assertEquals(await sessions.destroyAll("ada"), 2);
  assertEquals(await subjectOf(cookies[0]!), undefined);
});
