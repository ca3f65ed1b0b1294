import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { CallbackState, type Scope, SessionError } from "@pagi/session";
import { cookieOf, failing, idOf, rig } from "../../../_kit/helpers.ts";

const nodeRequest = (headers: Record<string, string | string[]> = {}, url = "/") => ({
  method: "GET",
  url,
  headers,
});

/** A logout of a session's old id, when it has a new one already; neither committed nor aborted. */
async function lateLogout({ sessions, signIn }: ReturnType<typeof rig>) {
  const cookie = await signIn();
  const rotating = await sessions.open(nodeRequest({ cookie }));
  rotating.session.regenerate();
  await rotating.commit(new Headers());
  const late = await sessions.open(nodeRequest({ cookie }));
  late.session.destroy();
  return late;
}

Deno.test("SessionMiddleware.open() saves and tells the client when it is committed", async () => {
  const { sessions, store } = rig();
  const headers = new Headers({ vary: "Accept" });
  const open = await sessions.open(nodeRequest());
  open.session.set("n", 1);
  assertEquals(store.size, 0);
  await open.commit(headers);
  await open.commit(headers);
  assertEquals([store.size, headers.getSetCookie().length], [1, 1]);
  assertEquals([headers.get("cache-control"), headers.get("vary")], ["no-store", "Accept, Cookie"]);
  const cookie = headers.getSetCookie()[0]!.split(";")[0]!;
  for (const value of [cookie, ["a=b", cookie]]) {
    assertEquals((await sessions.load(nodeRequest({ cookie: value })))?.get("n"), 1);
  }
});

Deno.test("SessionMiddleware.open() clears the client once, at a logout that came late too", async () => {
  const late = await lateLogout(rig());
  const headers = new Headers();
  await late.commit(headers);
  await late.commit(headers);
  assertEquals(headers.getSetCookie().length, 1);
});

Deno.test("SessionMiddleware.open() takes an empty header for none, as Koa tells it", async () => {
  const open = await rig().sessions.open(nodeRequest());
  open.session.set("n", 1);
  const names: string[] = [];
  await open.commit({ get: () => "", append: (name) => names.push(name) });
  assertEquals(names, ["set-cookie", "cache-control", "vary"]);
});

Deno.test("SessionMiddleware.open() saves nothing when it is aborted", async () => {
  const { sessions, store, signIn } = rig();
  const open = await sessions.open(nodeRequest());
  open.session.set("n", 1);
  await open.abort();
  assertEquals(store.size, 0);
  const other = await sessions.open(nodeRequest({ cookie: await signIn() }));
  other.session.destroy();
  await other.abort();
  assertEquals(store.size, 0);
});

Deno.test("SessionMiddleware.open() tells of what could not be sent when there are no headers", async () => {
  const { sessions, events, signIn } = rig();
  const known = await sessions.open(nodeRequest({ cookie: await signIn() }));
  known.session.set("n", 5);
  await known.commit();
  assertEquals(events, []);
  const first = await sessions.open(nodeRequest());
  first.session.set("n", 1);
  await first.commit();
  assertEquals(events, ["headers-dropped"]);
});

Deno.test("SessionMiddleware.open() hands a State what Node knows of a request", async () => {
  const seen: unknown[] = [];
  const state = new CallbackState({
    extract({ type, method, path, query_string, headers }: Scope) {
      seen.push([type, method, path, query_string, headers]);
      return undefined;
    },
  });
  const { sessions } = rig({ state });
  await sessions.open(nodeRequest({ a: "1", b: ["2", "3"] }, "/caf%C3%A9?x=1?"));
  await sessions.open(nodeRequest({}, "/%E0%A4%A"));
  await sessions.open({ headers: { gone: undefined } });
  assertEquals(seen, [
    ["http", "GET", "/café", "x=1?", [["a", "1"], ["b", "2"], ["b", "3"]]],
    ["http", "GET", "/%E0%A4%A", "", []],
    ["http", undefined, "/", "", []],
  ]);
});

Deno.test("SessionMiddleware.answer() answers a session that failed, and throws the rest", async () => {
  const { sessions } = rig({ store: failing("read") });
  const request = nodeRequest({ cookie: `pagi_session=${idOf("a")}` });
  const error = await assertRejects(() => sessions.open(request), SessionError);
  assertEquals(error.status, 503);
  const response = await sessions.answer(error, new Request("http://localhost/"));
  assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
  const mine = new RangeError("mine");
  await assertRejects(() => sessions.answer(mine, new Request("http://localhost/")), RangeError);
  const key = new SessionError("ERR_SESSION_KEY", "no such key");
  assertEquals(key.status, 500);
  await assertRejects(() => sessions.answer(key, new Request("http://localhost/")), SessionError);
});

Deno.test("SessionMiddleware.open() keeps the session from later writes when it is committed", async () => {
  const { answer, sessions } = rig();
  const cookie = cookieOf(await answer(new Response()));
  const open = await sessions.open(new Request("http://localhost/", { headers: { cookie } }));
  await open.commit(new Headers());
  assertMatch(open.session.id!, /^[0-9a-f]{64}$/);
  try {
    open.session.set("n", 2);
  } catch (error) {
    return assertEquals((error as SessionError).code, "ERR_SESSION_COMMITTED");
  }
  throw new Error("it took the write");
});

Deno.test("SessionMiddleware.open() does nothing after it was aborted, and writes are loud", async () => {
  const made = rig();
  const { sessions, store } = made;
  const late = await lateLogout(made);
  await late.abort();
  // A destroy() takes effect all the same, also under an ID that was replaced.
  assertEquals(store.size, 0);
  const headers = new Headers();
  await late.commit(headers);
  assertEquals(headers.getSetCookie(), []);

  const open = await sessions.open(nodeRequest());
  await open.abort();
  const error = assertThrows(() => open.session.set("n", 1), SessionError);
  assertEquals(error.code, "ERR_SESSION_COMMITTED");
});

Deno.test("SessionMiddleware.open() shows the session's id and data when it is committed", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  const open = await sessions.open(nodeRequest({ cookie }));
  open.session.regenerate();
  const headers = new Headers();
  await open.commit(headers);
  const id = cookieOf(headers.getSetCookie()[0]!).split("=")[1];
  assertEquals(open.session.id, id);
  const { n, _id } = open.session.data;
  assertEquals([n, _id, Object.isFrozen(open.session.data)], [1, id, true]);
});
