/** The changes of one user are never merged into the session of another. */
import { assertEquals } from "@std/assert";
import { refused, setUp } from "../_kit/tabs.ts";

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
