/** Handlers that write to Node's response, past their framework. */
import { assert, assertEquals } from "@std/assert";
import { APPS, Running } from "./_apps.ts";
import { Visitor } from "./_visitor.ts";

Deno.test("Koa: the session is saved before raw output", async (t) => {
  await using running = await Running.start(APPS.find(({ name }) => name === "Koa")!);
  const { url } = running;
  const visitor = new Visitor(url);
  await t.step("the response has the cookie", async () => {
    const page = await visitor.get("/raw");
    assertEquals([page.status, page.text, page.cookies.length], [200, "sent", 1]);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
  });
  await t.step("nothing is sent if the save fails", async () => {
    const page = await visitor.get("/raw-fails");
    assertEquals([page.status, page.text, page.cookies], [503, "", []]);
    assertEquals((await visitor.get("/read")).text, "Visits 1");
  });
  await t.step("an error that is not the session's is reported", async () => {
    const page = await visitor.get("/raw-refused");
    assertEquals([page.status, page.cookies.length], [500, 0]);
    const stderr = await running.end();
    assert(!/unhandled|uncaught/i.test(stderr), stderr);
  });
});
