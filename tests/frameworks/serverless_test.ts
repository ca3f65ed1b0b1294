/** Cloudflare's workerd, the handler of an AWS Lambda function, and the stores of Deno Deploy. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Running, SERVERLESS } from "./_apps.ts";
import { Visitor } from "./_visitor.ts";

const COUNTERS = { "a worker": SERVERLESS.count, "Deno Deploy's program": SERVERLESS.deployRedis };
for (const [name, app] of Object.entries(COUNTERS)) {
  Deno.test(`${name} counts the visits of simultaneous requests in Redis`, async () => {
    await using running = await Running.start(app);
    const visitor = new Visitor(running.url);
    const first = await visitor.get("/");
    assertEquals([first.status, first.text, first.cookies.length], [200, "Visit 1", 1]);
    const pages = await Promise.all(Array.from({ length: 20 }, () => visitor.get("/")));
    assertEquals(pages.map(({ status }) => status), pages.map(() => 200));
    assertEquals((await visitor.get("/")).text, "Visit 22");
  });
}

const SEALED = { "a worker": SERVERLESS.cookie, "Deno Deploy's program": SERVERLESS.deployCookie };
for (const [name, app] of Object.entries(SEALED)) {
  Deno.test(`${name} keeps sessions in an encrypted cookie`, async () => {
    await using running = await Running.start(app);
    const visitor = new Visitor(running.url);
    for (const visit of [1, 2, 3]) assertEquals((await visitor.get("/")).text, `Visit ${visit}`);
    assert(!atob(visitor.cookie!.split("=")[1]!.replace(/[-_.]/g, "/")).includes("visits"));
    assertEquals((await new Visitor(running.url).get("/")).text, "Visit 1");
  });
}

for (
  const [name, app] of Object.entries({ worker: SERVERLESS.worker, lambda: SERVERLESS.lambda })
) {
  Deno.test(`the login app of a ${name}`, async () => {
    await using running = await Running.start(app);
    const visitor = new Visitor(running.url);
    const body = new URLSearchParams({ name: "<Ada>" });
    const login = await visitor.get("/login", { method: "POST", body });
    assertEquals([login.status, login.headers.get("location")], [303, "/"]);
    assertMatch((await visitor.get("/")).text, /Hello, &#60;Ada&#62;/);
    const other = new Visitor(running.url, visitor.cookie);
    await visitor.get("/logout", { method: "POST" });
    assertEquals(visitor.cookie, undefined);
    assertMatch((await other.get("/")).text, /Sign in/);
  });
}
