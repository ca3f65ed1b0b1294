/** A host of the same site can set a second cookie of our name. It cannot choose the session. */
import { assertEquals, assertFalse } from "@std/assert";
import type { Session } from "@pagi/session";
import { cookieOf, idOf, requestWith, rig } from "../_kit/helpers.ts";

/** Sets up sessions on a store that counts its reads. `visit` sends a request with some cookies. */
function open() {
  const { events, sessions, store } = rig();
  let reads = 0;
  const read = store.read.bind(store);
  store.read = (id) => {
    reads++;
    return read(id);
  };
  const visit = async (cookie: string, work: (session: Session) => unknown = () => {}) => {
    const before = reads;
    const handler = sessions.handler((_request, session) => {
      const name = String(session.get("name", "nobody"));
      work(session);
      return new Response(name);
    });
    const response = await handler(requestWith({ cookie }));
    return {
      name: await response.text(),
      status: response.status,
      cookies: response.headers.getSetCookie(),
      reads: reads - before,
    };
  };
  const signIn = async (name: string) => {
    const { cookies } = await visit("", (session) => session.set("name", name));
    return cookieOf(cookies[0]!);
  };
  return { events, signIn, store, visit };
}

const dead = (digit: string) => `pagi_session=${idOf(digit)}`;
const write = (session: Session) => session.set("n", 1);

Deno.test("handler() shows no session and sets no cookie when a client has two active sessions", async () => {
  const { events, signIn, visit } = open();
  const both = [await signIn("ann"), await signIn("mallory")];
  for (const cookie of [both.join("; "), both.toReversed().join("; ")]) {
    events.length = 0;
    const { name, cookies, status } = await visit(cookie);
    assertEquals([name, cookies, status, events], ["nobody", [], 200, ["ambiguous"]]);
  }
});

Deno.test("handler() answers 400 without a cookie when a client with two active sessions writes", async () => {
  const { signIn, store, visit } = open();
  const both = `${await signIn("ann")}; ${await signIn("mallory")}`;
  for (const work of [write, (session: Session) => session.regenerate()]) {
    const { status, cookies } = await visit(both, work);
    assertEquals([status, cookies, store.size], [400, [], 2]);
  }
});

Deno.test("handler() finds the only active session when other cookies have none", async () => {
  const { events, signIn, visit } = open();
  const ann = await signIn("ann");
  const others = [dead("1"), "pagi_session=junk", dead("2"), "pagi_session=", dead("3")];
  for (let at = 0; at <= others.length; at++) {
    const { name, cookies } = await visit(others.toSpliced(at, 0, ann).join("; "), write);
    assertEquals([name, cookies, events], ["ann", [], []]);
  }
});

Deno.test("handler() looks up at most four IDs and refuses the request when a client sends more", async () => {
  const { events, visit } = open();
  const four = await visit(["1", "2", "3", "4"].map(dead).join("; "));
  assertEquals([four.reads, events], [4, []]);
  const cookie = [..."0123456789abcdef"].map(dead).join("; ");
  const { reads, cookies, status } = await visit(cookie, write);
  assertEquals([reads, cookies, status, events], [0, [], 400, ["ambiguous", "request-failed"]]);
});

Deno.test("handler() uses no session when a client sends more IDs than it looks up", async () => {
  const { events, signIn, visit } = open();
  const [mallory, ann] = [await signIn("mallory"), await signIn("ann")];
  const cookie = [mallory, ...["1", "2", "3"].map(dead), ann].join("; ");
  const { name, cookies } = await visit(cookie);
  assertEquals([name, cookies, events], ["nobody", [], ["ambiguous"]]);
});

Deno.test("handler() looks up an ID once when a client repeats it", async () => {
  const { events, signIn, visit } = open();
  const ann = await signIn("ann");
  const { name, reads } = await visit(Array(9).fill(ann).join("; "));
  assertEquals([name, reads, events], ["ann", 1, []]);
});

Deno.test("handler() looks up nothing when no cookie has the form of an ID", async () => {
  const { visit } = open();
  const upper = `pagi_session=${idOf("A")}`;
  const cookie = `${upper}; pagi_session="${idOf("a")}"; pagi_session=${idOf("a")}0; =${dead("a")}`;
  const { reads, cookies } = await visit(cookie, write);
  assertEquals([reads, cookies.length], [0, 1]);
  assertFalse(cookies[0]!.includes(idOf("a")));
});

Deno.test("handler() ends neither of two active sessions when the app calls destroy()", async () => {
  const { signIn, store, visit } = open();
  const both = `${await signIn("ann")}; ${await signIn("mallory")}`;
  const { cookies } = await visit(both, (session) => session.destroy());
  assertEquals([cookies, store.size], [[], 2]);
});
