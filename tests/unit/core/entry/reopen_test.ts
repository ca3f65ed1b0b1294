import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BearerState,
  CookieState,
  CookieStore,
  FirstState,
  type NodeRequest,
  SessionError,
  type SessionMiddleware,
} from "@pagi/session";
import type { ControlledSession } from "../../../../core/entry/open.ts";
import { cookieOf, failing, rig, SECRET } from "../../../_kit/helpers.ts";

/** Opens a session as the adapters of this package do. */
const opened = async (sessions: SessionMiddleware, request: NodeRequest) =>
  await sessions.open(request) as ControlledSession<Record<string, unknown>>;

const nodeRequest = (cookie = "") => ({ method: "GET", url: "/", headers: { cookie } });

Deno.test("open.reopen() lets a request write after it has saved, with the cookie of the first save", async () => {
  const { sessions, store } = rig();
  const open = await opened(sessions, nodeRequest());
  open.session.set("a", 1);
  await open.session.save();
  const id = open.session.id;
  assertEquals(await open.reopen(), true);
  assertEquals([open.session.id, open.session.get("a")], [id, 1]);
  open.session.set("b", 2);
  const headers = new Headers();
  await open.commit(headers);
  assertEquals(headers.getSetCookie().length, 1);
  assertEquals(headers.get("cache-control"), "no-store");
  const session = await sessions.load(nodeRequest(cookieOf(headers.getSetCookie()[0]!)));
  assertEquals([session?.slice("a", "b"), store.size], [{ a: 1, b: 2 }, 1]);
});

Deno.test("open.reopen() drops what was not saved, and sees what others have saved", async () => {
  const { sessions, signIn, answer } = rig();
  const cookie = await signIn();
  const open = await opened(sessions, nodeRequest(cookie));
  open.session.set("lost", 1);
  await answer(new Response(), { cookie });
  assertEquals(await open.reopen(), true);
  assertEquals([open.session.exists("lost"), open.session.get("n")], [false, 2]);
});

Deno.test("open.reopen() keeps a session that is not stored", async () => {
  const open = await opened(rig().sessions, nodeRequest());
  open.session.set("a", 1);
  const { session } = open;
  assertEquals([await open.reopen(), open.session === session], [false, true]);
  assertEquals(open.session.get("a"), 1);
});

Deno.test("open.reopen() finds no session that has ended or that another request has given a new id", async () => {
  for (const end of ["destroy", "regenerate"] as const) {
    const { sessions, signIn } = rig();
    const cookie = await signIn();
    const open = await opened(sessions, nodeRequest(cookie));
    const other = await opened(sessions, nodeRequest(cookie));
    other.session[end]();
    await other.commit(new Headers());
    assertEquals(await open.reopen(), false, end);
  }
});

Deno.test("open.reopen() rejects with the error of a save that has failed", async () => {
  const { sessions } = rig({ store: failing("create") });
  const open = await opened(sessions, nodeRequest());
  open.session.set("a", 1);
  await assertRejects(() => open.session.save(), SessionError);
  await assertRejects(() => open.reopen(), SessionError);
});

Deno.test("open.reopen() reads an encrypted session from what the client will send", async () => {
  const { sessions } = rig({ store: new CookieStore({ secret: SECRET }) });
  const open = await opened(sessions, nodeRequest());
  open.session.set("a", 1);
  await open.session.save();
  assertEquals([await open.reopen(), open.session.get("a")], [true, 1]);
  open.session.set("b", 2);
  const headers = new Headers();
  await open.commit(headers);
  assertEquals(headers.getSetCookie().length, 1);
  const session = await sessions.load(nodeRequest(cookieOf(headers.getSetCookie()[0]!)));
  assertEquals(session?.slice("a", "b"), { a: 1, b: 2 });
});

Deno.test("open.commit() sends the newest id only, and clears a session that ended in the end", async () => {
  const { sessions } = rig();
  const open = await opened(sessions, nodeRequest());
  open.session.set("a", 1);
  await open.session.save();
  await open.reopen();
  open.session.regenerate();
  await open.session.save();
  await open.reopen();
  const newest = new Headers();
  await open.commit(newest);
  assertEquals(newest.getSetCookie().map(cookieOf), [`pagi_session=${open.session.id}`]);

  await open.reopen();
  open.session.destroy();
  const cleared = new Headers();
  await open.commit(cleared);
  assertEquals(cleared.getSetCookie().map(cookieOf), ["pagi_session="]);
});

Deno.test("open.commit() adds the cookie of an earlier save to an error's response", async () => {
  for (const isAborted of [true, false]) {
    const { sessions, store } = rig();
    const open = await opened(sessions, nodeRequest());
    open.session.set("a", 1);
    await open.session.save();
    await open.reopen();
    open.session.set("b", 2);
    const headers = new Headers();
    if (isAborted) {
      await open.abort();
      await open.commit(headers);
    } else {
      store.replace = () => {
        throw new Error("connection refused");
      };
      await assertRejects(async () => await open.commit(headers), SessionError);
    }
    assertEquals(headers.getSetCookie().length, 1);
    const session = await sessions.load(nodeRequest(cookieOf(headers.getSetCookie()[0]!)));
    assertEquals(session?.keys(), ["a"]);
  }
});

Deno.test("open.renew() begins a new session under another id", async () => {
  const { sessions, signIn, store } = rig();
  for (const cookie of ["", `pagi_session=${"0".repeat(64)}`, await signIn()]) {
    const open = await opened(sessions, nodeRequest(cookie));
    const { id } = open.session;
    open.session.set("lost", 1);
    await open.renew();
    assert(open.session.id !== id);
    assertEquals(open.session.keys(), []);
    open.session.set("a", 1);
    const headers = new Headers();
    await open.commit(headers);
    assertEquals(headers.getSetCookie().map(cookieOf), [`pagi_session=${open.session.id}`]);
  }
  assertEquals(store.size, 4);
});

Deno.test("open.renew() lets a request with a replaced id sign in, and leaves the session alone", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  const other = await opened(sessions, nodeRequest(cookie));
  other.session.regenerate();
  const current = new Headers();
  await other.commit(current);
  const open = await opened(sessions, nodeRequest(cookie));
  assertEquals(open.session.absence, "replaced");
  await open.renew();
  open.session.set("user", "ada");
  const headers = new Headers();
  await open.commit(headers);
  assertEquals(headers.getSetCookie().length, 1);
  const first = await sessions.load(nodeRequest(cookieOf(current.getSetCookie()[0]!)));
  assertEquals(first?.get("n"), 1);
});

Deno.test("open.renew() refuses a request with several ids", async () => {
  const { sessions, signIn } = rig();
  const open = await opened(sessions, nodeRequest(`${await signIn()}; ${await signIn()}`));
  const error = await assertRejects(() => open.renew(), SessionError);
  assertEquals(error.code, "ERR_SESSION_AMBIGUOUS");
});

Deno.test("open.resend() sends an id that the client has", async () => {
  const { sessions, signIn } = rig();
  const cookie = await signIn();
  const sent = async (act: (open: Awaited<ReturnType<typeof opened>>) => void) => {
    const open = await opened(sessions, nodeRequest(cookie));
    act(open);
    const headers = new Headers();
    await open.commit(headers);
    return headers.getSetCookie().map(cookieOf);
  };
  assertEquals(await sent(({ session }) => session.set("n", 2)), []);
  assertEquals(await sent((open) => open.resend()), [cookie]);
  assertEquals(
    await sent((open) => {
      open.session.set("n", 3);
      open.resend();
    }),
    [cookie],
  );
});

Deno.test("open.headersFor() shows how the State that answers sends an id", async () => {
  const { sessions } = rig();
  const open = await opened(sessions, nodeRequest());
  assertEquals(open.headersFor("abc"), [[
    "set-cookie",
    "pagi_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600",
  ]]);
  const state = new FirstState(new BearerState(), new CookieState({ cookieName: "sid" }));
  const several = await opened(rig({ state }).sessions, nodeRequest());
  assertEquals(several.headersFor("abc")[0]![1].split(";")[0], "sid=abc");
});

Deno.test("open() of a handshake reads again, and cannot begin a session", async () => {
  const { sessions, signIn, answer } = rig();
  const cookie = await signIn();
  const open = await opened(sessions, { ...nodeRequest(cookie), upgrade: true });
  await answer(new Response(), { cookie });
  assertEquals([open.session.get("n"), await open.reopen(), open.session.get("n")], [1, true, 2]);
  const error = await assertRejects(() => open.renew(), SessionError);
  assertEquals([error.code, open.headersFor("abc")], ["ERR_SESSION_READ_ONLY", []]);
  await sessions.destroy(open.session);
  assertEquals(await open.reopen(), false);
});

Deno.test("a nested open() goes on with the session of the outer one", async () => {
  const { sessions } = rig();
  const request = nodeRequest();
  const outer = await opened(sessions, request);
  const inner = await opened(sessions, request);
  outer.session.set("a", 1);
  await outer.session.save();
  assertEquals(await inner.reopen(), true);
  inner.session.set("b", 2);
  assertEquals(outer.session.slice("a", "b"), { a: 1, b: 2 });
  assertEquals(inner.headersFor("abc"), outer.headersFor("abc"));
});
