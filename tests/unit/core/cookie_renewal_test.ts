/** When a client is sent the ID that it has. */
import { assertEquals } from "@std/assert";
import { CallbackState, CookieStore, type Session, type SessionOptions } from "@pagi/session";
import { keyOf } from "../../../base/id.ts";
import { decodeHeader, findJson } from "../../../base/record_header.ts";
import { headerValue } from "../../../state/_headers.ts";
import { cookieOf, NAVIGATION, requestWith, rig } from "../../_kit/helpers.ts";

type Work = (session: Session) => unknown;
const READ: Work = () => {};
const WRITE: Work = (session) => session.update("n", (n) => Number(n ?? 0) + 1);

/** A client with a session, and what its requests are sent. */
async function client(options: Partial<SessionOptions> = {}) {
  const base = rig(options);
  const cookie = await base.signIn();
  const visit = async (work: Work, headers: Record<string, string> = {}, init?: ResponseInit) => {
    const response = await base.sessions.run(
      requestWith({ cookie, ...headers }),
      async (session) => {
        await work(session);
        return new Response(null, init);
      },
    );
    return response.headers.getSetCookie()[0];
  };
  const isSent = async (...call: Parameters<typeof visit>) => await visit(...call) !== undefined;
  const header = () => {
    const { text } = base.store.read(keyOf(cookie.split("=")[1]!))!;
    return decodeHeader(text, findJson(text))!;
  };
  return { ...base, cookie, visit, isSent, header };
}

Deno.test("a page renews the cookie when a touch is due, and nothing else does", async () => {
  for (const work of [READ, WRITE]) {
    const { clock, isSent } = await client();
    clock.advance(59);
    assertEquals([await isSent(READ, NAVIGATION), await isSent(READ)], [false, false]);
    clock.advance(1);
    assertEquals([await isSent(work), await isSent(work, NAVIGATION)], [false, false]);
    clock.advance(60);
    assertEquals([await isSent(work, NAVIGATION), await isSent(work, NAVIGATION)], [true, false]);
    clock.advance(60);
    const prefetch = { ...NAVIGATION, "sec-purpose": "prefetch" };
    assertEquals([await isSent(work, prefetch), await isSent(work, NAVIGATION)], [false, false]);
  }
});

Deno.test("every request renews the cookie when less than half of its lifetime remains", async () => {
  for (const work of [READ, WRITE]) {
    const { clock, isSent } = await client();
    clock.advance(1800);
    assertEquals(await isSent(work), false);
    clock.advance(1);
    assertEquals([await isSent(work), await isSent(WRITE)], [true, false]);
    clock.advance(1800);
    assertEquals(await isSent(work), false);
    clock.advance(1);
    assertEquals(await isSent(work), true);
  }
});

Deno.test("the record notes when the cookie was sent, and a new one forgets it", async () => {
  const { clock, cookie, header, visit } = await client();
  assertEquals(header().sentAt, undefined);
  clock.advance(60);
  assertEquals(cookieOf((await visit(READ, NAVIGATION))!), cookie);
  assertEquals(header().sentAt, clock.seconds());
  clock.advance(60);
  await visit(WRITE);
  assertEquals(header().sentAt, clock.seconds() - 60);
  await visit((session) => session.regenerate());
  assertEquals([header().sentAt, header().replacedAt], [undefined, clock.seconds()]);
});

Deno.test("a cookie that was sent again has its full lifetime, up to the absolute one", async () => {
  const { clock, visit } = await client({ absoluteExpire: 4000 });
  const maxAge = (setCookie: string | undefined) => Number(/Max-Age=(\d+)/.exec(setCookie!)![1]);
  clock.advance(400);
  assertEquals(maxAge(await visit(READ, NAVIGATION)), 3600);
  clock.advance(60);
  assertEquals(maxAge(await visit(READ, NAVIGATION)), 3540);
  assertEquals(maxAge(await visit((session) => session.subject = "ada")), 3600);
});

Deno.test("every request renews a cookie that a server with a clock far ahead has sent", async () => {
  for (const [ahead, expected] of [[120, false], [121, true]] as const) {
    const { clock, header, isSent, visit } = await client();
    clock.advance(ahead + 60);
    await visit(READ, NAVIGATION);
    clock.advance(-ahead);
    // Nobody knows when the client got it.
    assertEquals(await isSent(READ), expected);
    if (expected) assertEquals([header().sentAt, await isSent(READ)], [clock.seconds(), false]);
  }
});

Deno.test("the State's own lifetime decides when the cookie is old", async () => {
  const isSent = async (maxAge: number | false | undefined, age: number) => {
    const { clock, sessions } = rig({
      expire: 10_000,
      state: Object.assign(
        new CallbackState({
          extract: (scope) => headerValue(scope, "x-id"),
          inject: (headers, id) => void headers.push(["x-id", id]),
        }),
        { maxAge },
      ),
    });
    const visit = async (id: string) =>
      (await sessions.run(requestWith({ "x-id": id }), (session) => {
        session.update("n", (n) => Number(n ?? 0) + 1);
        return new Response();
      })).headers.get("x-id");
    const id = (await visit(""))!;
    clock.advance(age);
    return await visit(id) !== null;
  };
  assertEquals([await isSent(undefined, 5000), await isSent(undefined, 5001)], [false, true]);
  assertEquals([await isSent(200, 100), await isSent(200, 101)], [false, true]);
  // The client keeps it until the browser is closed.
  assertEquals(await isSent(false, 9999), false);
});

Deno.test("a response that shared caches may store does not renew the cookie", async () => {
  for (const work of [READ, WRITE]) {
    for (
      const [control, expected] of [["public, max-age=60", false], ["no-cache", true]] as const
    ) {
      const { clock, events, isSent } = await client();
      clock.advance(60);
      const init = { headers: { "cache-control": control } };
      assertEquals([await isSent(work, NAVIGATION, init), events], [expected, []]);
    }
  }
});

Deno.test("a response that shared caches may store does not rotate by itself", async () => {
  for (const [control, expected] of [["public", false], ["private", true]] as const) {
    const { clock, events, isSent } = await client({ rotateInterval: 100 });
    clock.advance(100);
    const init = { headers: { "cache-control": control } };
    assertEquals([await isSent(READ, NAVIGATION, init), events], [expected, []]);
    // The next one does, or sends the new ID again.
    assertEquals(await isSent(READ, NAVIGATION), true);
  }
  // The app has asked for it.
  const { events, isSent } = await client();
  const init = { headers: { "cache-control": "public" } };
  assertEquals(await isSent((session) => session.rotate(), {}, init), true);
  assertEquals(events, ["public-response"]);
});

Deno.test("a response that shared caches may store does not extend an encrypted session", async () => {
  const secret = "at least 32 bytes that nobody else knows";
  const store = new CookieStore({ secret, now: () => 1_700_000_060_000 });
  const { answer, clock, events } = rig({ store });
  const cookie = cookieOf(await answer(new Response()));
  clock.advance(60);
  const visit = (control: string, write: boolean) => {
    const response = new Response(null, { headers: { "cache-control": control } });
    return answer(response, { cookie, write });
  };
  events.length = 0;
  const touched = await visit("public", false);
  assertEquals([touched.headers.getSetCookie(), touched.headers.get("cache-control")], [
    [],
    "public",
  ]);
  assertEquals((await visit("private", false)).headers.getSetCookie().length, 1);
  assertEquals(events, []);
  // A change has to reach the client.
  assertEquals((await visit("public", true)).headers.get("cache-control"), "private, no-store");
  assertEquals(events, ["public-response"]);
});

Deno.test("rolling renews the cookie never when it is off", async () => {
  for (const touchInterval of [undefined, 0]) {
    const { clock, isSent } = await client({ rolling: false, touchInterval });
    clock.advance(3000);
    assertEquals([await isSent(READ), await isSent(READ, NAVIGATION)], [false, false]);
    // As in PAGI, every changed response carries it if `touchInterval` is 0.
    assertEquals(await isSent(WRITE), touchInterval === 0);
  }
});

Deno.test("every response renews the cookie when touchInterval is 0", async () => {
  const { isSent } = await client({ touchInterval: 0 });
  assertEquals([await isSent(READ), await isSent(WRITE), await isSent(WRITE)], [true, true, true]);
});
