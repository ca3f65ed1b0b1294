import { assertEquals, assertMatch } from "@std/assert";
import type { Session, SessionEvent } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import { reactRouterSession } from "@pagi/session/react-router";
import { cookieOf, requestWith, rig } from "../../_kit/helpers.ts";
import { nodeResponse, slow } from "../../_kit/node_response.ts";

// deno-lint-ignore no-explicit-any -- as the code of an app sees them
type Any = any;

/** Serves a request whose response has the status. Resolves to the events. */
async function serve(
  status: number,
  act: (req: Any) => unknown,
  { cookie = "", compat = false, store = slow() } = {},
) {
  const events: SessionEvent[] = [];
  const { sessions } = rig({ store, onEvent: (event) => void events.push(event) });
  const middleware: Any = expressSession(sessions, compat ? { compat } : {} as Any);
  const { res, headers } = nodeResponse();
  const req: Any = { headers: { cookie }, method: "GET", url: "/" };
  await new Promise((resolve) => middleware(req, res, resolve));
  await act(req);
  const sent = new Promise<void>((resolve) => res.once("close", resolve));
  res.writeHead(status);
  res.end("page");
  await sent;
  return { events, set: headers.get("set-cookie") as string[] | undefined };
}

/** What handlers do, and whether a response with the status 500 loses something by that. */
const WORK: [name: string, act: (session: Session) => unknown, isDropped: boolean][] = [
  ["reads", (session) => session.get("n", 0), false],
  ["sets", (session) => session.set("n", 2), true],
  ["sets the same", (session) => session.set("n", 1), false],
  ["deletes", (session) => session.delete("n"), true],
  ["reads an object", (session) => session.get("list", []), false],
  ["changes an object", (session) => session.get("list", [] as number[]).push(1), true],
  ["sets what cannot be stored", (session) => session.set("n", 1n), true],
  ["signs in", (session) => session.subject = "ada", true],
  ["regenerates", (session) => session.regenerate(), true],
  ["destroys", (session) => session.destroy(), false],
  ["saves", (session) => session.set("n", 2).save(), false],
];

Deno.test("expressSession() reports changes that a status of 500 or more drops", async () => {
  for (const [name, act, isDropped] of WORK) {
    const store = slow();
    const { set } = await serve(
      200,
      ({ session }) => session.set({ n: 1, list: [0] }),
      { store },
    );
    const cookie = cookieOf(set![0]!);
    const { events } = await serve(500, ({ session }) => act(session), { cookie, store });
    assertEquals(events.map(({ type }) => type), isDropped ? ["changes-dropped"] : [], name);
    if (isDropped) assertMatch(events[0]!.message, /status 500 .* session\.save\(\)/);
  }
});

Deno.test("expressSession() reports nothing about a new session that was only looked at", async () => {
  assertEquals((await serve(500, ({ session }) => session.get("n", 0))).events, []);
  assertEquals((await serve(499, ({ session }) => session.set("n", 1))).events, []);
});

Deno.test("expressSession() does not report changes as dropped when abortSession has", async () => {
  const { events } = await serve(500, (req) => {
    req.session.set("n", 1);
    return new Promise((resolve) => abortSession(new Error("boom"), req, {}, resolve));
  });
  assertEquals(events, []);
});

Deno.test("expressSession() with compat reports changes that a status of 500 drops", async () => {
  const set = (req: Any) => req.session.n = 1;
  const types = async (act: (req: Any) => unknown) => {
    const { events } = await serve(500, act, { compat: true });
    return events.map(({ type }) => type);
  };
  assertEquals(await types((req) => req.session.n), []);
  assertEquals(await types(set), ["changes-dropped"]);
  const saved = (req: Any) => {
    set(req);
    return new Promise((resolve) => req.session.save(resolve));
  };
  assertEquals(await types(saved), []);
  assertEquals(
    await types(async (req) => {
      await saved(req);
      req.session.n = 2;
    }),
    ["changes-dropped"],
  );
});

Deno.test("reactRouterSession() reports changes that a status of 500 drops", async () => {
  for (const isWritten of [true, false]) {
    const { sessions, store, events } = rig();
    const { middleware, session } = reactRouterSession(sessions);
    const values = new Map<unknown, unknown>();
    const context: Any = {
      get: (key: unknown) => values.get(key),
      set: (key: unknown, value: unknown) => void values.set(key, value),
    };
    const response = new Response("sorry", { status: 503 });
    await middleware({ request: requestWith(), context }, () => {
      if (isWritten) (context.get(session) as Session).set("n", 1);
      return Promise.resolve(response);
    });
    assertEquals([store.size, events], [0, isWritten ? ["changes-dropped"] : []]);
  }
});
