import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { CookieStore, MemoryStore, SessionError, SessionMiddleware } from "@pagi/session";
import { keyOf, verifierOf } from "../../../../base/id.ts";
import { cookieOf, failing, requestWith } from "../../../_kit/helpers.ts";
import { idOf, rig, SECRET } from "../../../_kit/subjects.ts";

Deno.test("sessions.list() returns only the subject's sessions, the last used first", async () => {
  const { sessions, signIn, clock } = rig();
  const phone = await signIn("ada", "phone");
  await signIn("bob", "tablet");
  clock.advance(100);
  const desktop = await signIn("ada", "desktop");
  const listed = await sessions.list("ada", { current: idOf(phone) });
  assertEquals(
    listed.map(({ session, created, lastAccess, current }) => [
      session.get("device"),
      session.subject,
      clock.seconds() - created,
      clock.seconds() - lastAccess,
      current,
    ]),
    [["desktop", "ada", 0, 0, false], ["phone", "ada", 100, 100, true]],
  );
  assertEquals(await sessions.list("eve"), []);
  assertNotEquals(idOf(phone), idOf(desktop));
});

Deno.test("sessions.list() returns nothing that can be used as an ID", async () => {
  const { sessions, signIn } = rig();
  const id = idOf(await signIn("ada", "phone"));
  const [listed] = await sessions.list("ada", { current: id });
  assertEquals(listed!.session.id, undefined);
  assertMatch(listed!.hash, /^[0-9a-f]{32}$/);
  const { session, ...shown } = listed!;
  for (const half of [verifierOf(id), keyOf(id)]) {
    assert(!JSON.stringify([shown, session.data]).includes(half));
  }
  const error = await assertRejects(() => Promise.resolve().then(() => session.set("n", 1)));
  assertEquals((error as SessionError).code, "ERR_SESSION_READ_ONLY");
});

Deno.test("sessions.list() returns a session once and under the same hash when it was regenerated", async () => {
  const { sessions, signIn, rotate, devices } = rig();
  let cookie = await signIn("ada", "phone");
  const [before] = await sessions.list("ada");
  for (let count = 0; count < 3; count++) cookie = await rotate(cookie);
  assertEquals(await devices("ada"), ["phone"]);
  const [after] = await sessions.list("ada", { current: idOf(cookie) });
  assertEquals(after!.current, true);
  // A page that shows the list can end the session, even if it has a new ID by then.
  assertEquals(after!.hash, before!.hash);
  assertEquals(await sessions.destroyListed("ada", before!.hash), true);
  assertEquals(await devices("ada"), []);
});

Deno.test("sessions.list() omits sessions that ended, expired or belong to another subject", async () => {
  const { sessions, signIn, devices, clock, answer } = rig();
  await signIn("ada", "expired");
  clock.advance(3000);
  const destroyed = await signIn("ada", "destroyed");
  await sessions.destroy(idOf(destroyed));
  const other = await signIn("ada", "given to bob");
  await signIn("bob", "bob's now", other);
  const anonymous = await signIn("ada", "nobody's");
  await sessions.run(requestWith({ cookie: anonymous }), (session) => {
    session.subject = undefined;
    return new Response();
  });
  const kept = await signIn("ada", "kept");
  clock.advance(1000);
  await answer(new Response(), { cookie: kept });
  assertEquals(await devices("ada"), ["kept"]);
  assertEquals(await devices("bob"), ["bob's now"]);
});

Deno.test("sessions.destroyAll() keeps the session of `except` when it has a new ID", async () => {
  const { sessions, signIn, rotate, subjectOf } = rig();
  const others = [await signIn("ada"), await signIn("ada")];
  const first = await signIn("ada");
  const moved = await rotate(first);
  assertEquals(await sessions.destroyAll("ada", { except: idOf(first) }), 2);
  for (const cookie of others) assertEquals(await subjectOf(cookie), undefined);
  assertEquals(await subjectOf(moved), "ada");
  // It is still in the list: the next time it goes too.
  assertEquals((await sessions.list("ada")).length, 1);
  assertEquals(await sessions.destroyAll("ada"), 1);
  assertEquals(await subjectOf(moved), undefined);
});

Deno.test("sessions.destroyAll() keeps the request's own session when it is called in a request", async () => {
  for (const isRotated of [false, true]) {
    const { sessions, signIn, subjectOf } = rig();
    const other = await signIn("ada");
    let cookie = await signIn("ada");
    const response = await sessions.run(requestWith({ cookie }), async (session) => {
      if (isRotated) session.regenerate();
      session.set("n", 1);
      assertEquals(await sessions.destroyAll("ada", { except: session }), 1);
      return new Response();
    });
    if (isRotated) cookie = cookieOf(response);
    assertEquals(await subjectOf(cookie), "ada");
    assertEquals(await subjectOf(other), undefined);
    assertEquals((await sessions.list("ada")).length, 1);
  }
});

Deno.test("sessions.destroyAll() skips a session when it belongs to another subject now", async () => {
  const { sessions, signIn, subjectOf } = rig();
  const bob = await signIn("bob", "", await signIn("ada"));
  assertEquals(await sessions.destroyAll("ada"), 0);
  assertEquals(await subjectOf(bob), "bob");
});

Deno.test("sessions.destroyListed() ends the session with that hash", async () => {
  const { sessions, signIn, devices } = rig();
  await signIn("ada", "phone");
  await signIn("ada", "desktop");
  const bob = await signIn("bob", "tablet");
  const phone = (await sessions.list("ada")).find(({ session }) =>
    session.get("device") === "phone"
  );
  assertEquals(await sessions.destroyListed("bob", phone!.hash), false);
  assertEquals(await sessions.destroyListed("ada", phone!.hash), true);
  assertEquals(await sessions.destroyListed("ada", phone!.hash), false);
  assertEquals(await sessions.destroyListed("ada", idOf(bob)), false);
  assertEquals(await devices("ada"), ["desktop"]);
  assertEquals(await devices("bob"), ["tablet"]);
});

Deno.test("methods for subjects throw when the store compares no versions or the subject is empty", async () => {
  const plain = { get: () => undefined, set: () => undefined, delete: () => undefined };
  const cookies = new CookieStore({ secret: SECRET });
  const revoking = new CookieStore({ secret: SECRET, revocations: new MemoryStore() });
  const clients = "their clients hold them";
  for (
    const [store, listing, ending] of [
      [plain, "takes a VersionedStore", "takes a VersionedStore"],
      [cookies, clients, "Set the option revocations"],
      [revoking, clients, undefined],
    ] as const
  ) {
    const sessions = new SessionMiddleware({ secret: "s", store });
    await assertRejects(() => sessions.list("ada"), TypeError, listing);
    await assertRejects(() => sessions.destroyListed("ada", ""), TypeError, listing);
    const end = () => sessions.destroyAll("ada");
    if (ending === undefined) assertEquals(await end(), undefined);
    else await assertRejects(end, TypeError, ending);
    await assertRejects(() => sessions.destroyAll(""), TypeError, "subject must be");
  }
  const { sessions } = rig();
  for (const subject of ["", undefined, 7]) {
    await assertRejects(() => sessions.list(subject as string), TypeError, "subject must be");
    await assertRejects(() => sessions.destroyAll(subject as string), TypeError, "subject must be");
  }
  // Least of all may it end the session that was to stay.
  for (const session of [7, "", null]) {
    await assertRejects(
      () => sessions.destroyAll("ada", { except: session as never }),
      TypeError,
      "Cannot keep the session: expected its id",
    );
    await assertRejects(
      () => sessions.list("ada", { current: session as never }),
      TypeError,
      "Cannot list the session: expected its id",
    );
  }
});

Deno.test("a sign-in fails and keeps the old session when it cannot be listed", async () => {
  const { store, answer, signIn } = rig();
  const cookie = await signIn("ada");
  const broken = rig({ store: Object.assign(store, { create: failing("create").create }) });
  const error = await assertRejects(() => broken.signIn("bob", "", cookie), SessionError);
  assertEquals((error as SessionError).code, "ERR_SESSION_STORE");
  assertEquals((await answer(new Response("ok"), { cookie, write: false })).status, 200);
  assertEquals(await broken.subjectOf(cookie), "ada");
});
