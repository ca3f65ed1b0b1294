/** Many simultaneous requests on a store that takes 50 ms for each call, with the default options. */
import { assertEquals } from "@std/assert";
import { MemoryStore, type Session, SessionMiddleware } from "@pagi/session";
import { cookieOf, requestWith } from "../../_kit/helpers.ts";
import { around } from "../../_kit/stores.ts";

const COUNT = 200;
const increment = (session: Session) => session.update("n", (n) => Number(n) + 1);
const pause = () => new Promise((resolve) => setTimeout(resolve, 25));

for (const servers of [1, 4]) {
  Deno.test(`${COUNT} simultaneous updates of one session all succeed with ${servers} servers`, async () => {
    const store = around(new MemoryStore(), async (_name, call) => {
      await pause();
      const answer = call();
      await pause();
      return answer;
    });
    const all = Array.from({ length: servers }, () => {
      return new SessionMiddleware({ secret: "s".repeat(32), store, onEvent: () => {} });
    });
    const [first] = all as [SessionMiddleware];
    const response = await first.run(requestWith(), (session) => {
      session.set("n", 0);
      return new Response();
    });
    const cookie = cookieOf(response);
    const id = cookie.split("=")[1]!;
    const ways: ((sessions: SessionMiddleware) => Promise<unknown>)[] = [
      (sessions) =>
        sessions.run(requestWith({ cookie }), (session) => (increment(session), new Response())),
      (sessions) => sessions.update(id, (data) => data.n = Number(data.n) + 1),
    ];
    const updates = Array.from({ length: COUNT }, (_, at) => {
      return ways[at % ways.length]!(all[at % servers]!);
    });
    await Promise.all(updates);
    assertEquals((await first.load(requestWith({ cookie })))?.get("n"), COUNT);
  });
}
