/** The changes of one user are never merged into the session of another. */
import { assertEquals } from "@std/assert";
import type { SessionScope } from "@pagi/session";
import { cookieOf } from "../_kit/helpers.ts";
import { refused, setUp, type Work } from "../_kit/tabs.ts";

Deno.test("a write is interrupted when the subject has changed since it was read", async () => {
  const { tab, stored } = await setUp();
  let id = "";
  const write = tab(async (session) => {
    ({ id } = await tab((other) => other.subject = "user-7"));
    session.set("a", 2);
  });
  assertEquals(await refused(write), "ERR_SESSION_INTERRUPTED");
  assertEquals((await stored(id)).a, 1);
});

Deno.test("a write is interrupted when another user has signed in, and the first one again", async () => {
  const { sessions, tab, cookie } = await setUp();
  const ada = await tab((session) => session.subject = "ada");
  assertEquals(ada.id === cookie.split("=")[1], false);
  const visit = async (id: string, work: Work) => {
    const headers = { cookie: `pagi_session=${id}` };
    const response = await sessions.run(
      new Request("http://localhost/", { headers }),
      (session) => {
        return Promise.resolve(work(session, {} as SessionScope)).then(() => new Response());
      },
    );
    return cookieOf(response).split("=")[1]!;
  };
  let last = "";
  const write = visit(ada.id, async (session) => {
    last = ada.id;
    for (const subject of [undefined, "ada"]) {
      last = await visit(last, (other) => other.subject = subject);
    }
    session.set("a", 2);
  });
  assertEquals(await refused(write), "ERR_SESSION_INTERRUPTED");
  assertEquals((await sessions.update(last, () => {})).slice("a"), { a: 1 });
});
