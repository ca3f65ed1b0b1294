// Mistakes of the lifecycle that no race can show; `mutants.ts` makes them.
import { assertEquals, assertRejects } from "@std/assert";
import { SessionError, SessionMiddleware } from "@pagi/session";
import { MemoryStore } from "@pagi/session/store/memory";
import { Client, respond } from "../../_kit/client.ts";

Deno.test("commit() throws when the record has got another subject under the same ID", async () => {
  const store = new MemoryStore();
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store,
  });
  let id = "";
  const client = new Client(sessions.wrap(async (scope, _receive, send) => {
    const isFirst = scope["pagi.session"].n === undefined;
    id = scope["pagi.session_id"]!;
    scope["pagi.session"].n = isFirst ? 0 : 1;
    if (!isFirst) {
      // Another program on the same store could do this: it changes the subject and keeps the ID.
      const { n: _n, ...rest } = (await store.get(id))!;
      await store.set(id, { ...rest, _subject: "eve", n: 0 });
    }
    await respond(send);
  }));
  await client.request();
  const error = await assertRejects(() => client.request(), SessionError);
  assertEquals(error.code, "ERR_SESSION_INTERRUPTED");
  assertEquals([(await store.get(id))?._subject, (await store.get(id))?.n], ["eve", 0]);
});
