/** Nest 10 and 11, on Express and Fastify: an exception saves nothing, whatever responds to it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { NEST, Running } from "./_apps.ts";
import { Visitor } from "./_visitor.ts";

const STEPS = [
  "handler",
  "async-handler",
  "pipe",
  "guard",
  "async-guard",
  "guard-false",
  "interceptor-before",
  "interceptor-after",
  "unauthorized",
  "refused",
  "class-middleware",
];
/** The controllers, by the status of their own exception filter. */
const CONTROLLERS: Record<string, number | undefined> = {
  default: undefined,
  own: 500,
  friendly: 200,
  redirecting: 302,
  method: 200,
  some: undefined,
  scoped: 200,
};
/** The statuses of Nest's own filter, and of the adapter's for an interrupted session. */
const STATUSES: Record<string, number> = { "guard-false": 403, unauthorized: 401, refused: 409 };

/** Asserts that a page saves nothing, for a first visit and for a returning visitor. */
async function assertNothingSaved(url: string, path: string, status: number): Promise<void> {
  const returning = new Visitor(url);
  await returning.get("/saveAndThrow");
  for (const visitor of [new Visitor(url), returning]) {
    const page = await visitor.get(path);
    assertEquals([page.status, page.cookies], [status, []], `${path}: ${page.text}`);
    assertEquals((await visitor.get("/who")).text, "nobody", path);
  }
}

for (const app of NEST) {
  Deno.test(app.name, async (t) => {
    await using running = await Running.start(app);
    const { url } = running;
    const global = app.env!.FILTER === undefined ? undefined : Number(app.env!.FILTER);

    await t.step("an exception before any guard has run saves nothing", async () => {
      const visitor = new Visitor(url);
      const page = await visitor.get("/default/class-middleware");
      if (global === undefined || global >= 400) assertEquals(page.cookies, []);
    });
    for (const [controller, own] of Object.entries(CONTROLLERS)) {
      await t.step(`the controller "${controller}"`, async () => {
        for (const step of STEPS) {
          const isOwn = controller === "some" && step === "unauthorized";
          // On Express, no controller is known yet when middleware runs.
          const isEarly = step === "class-middleware" && app.env!.PLATFORM === "express";
          const ofFilter = isEarly ? global : isOwn ? 200 : own ?? global;
          const status = ofFilter ?? STATUSES[step] ?? 500;
          await assertNothingSaved(url, `/${controller}/${step}`, status);
        }
      });
    }
    await t.step("a functional middleware that passes on an error", async () => {
      await assertNothingSaved(url, "/functional", global ?? 500);
    });
    await t.step("ways to send a response save the session", async () => {
      for (const path of ["write", "res", "raw", "file", "events", "recovered", "redirect"]) {
        const visitor = new Visitor(url);
        const page = await visitor.get(`/${path}`);
        assertEquals(page.cookies.length, 1, path);
        if (path === "events") assertMatch(page.text, /data: one[^]*data: two/);
        else if (path !== "redirect") assertMatch(page.text, /^(page|recovered)$/);
        assertEquals((await visitor.get("/who")).text, "ada", path);
      }
    });
    await t.step("@Session() is the session", async () => {
      const visitor = new Visitor(url);
      assertEquals((await visitor.get("/login")).text, "Welcome");
      const old = new Visitor(url, visitor.cookie);
      assertEquals((await visitor.get("/logout")).text, "Bye");
      assertEquals([visitor.cookie, (await old.get("/who")).text], [undefined, "nobody"]);
    });
    await t.step("save() before an exception keeps its cookie", async () => {
      const visitor = new Visitor(url);
      const page = await visitor.get("/saveAndThrow");
      assertEquals([page.status, page.cookies.length], [global ?? 401, 1]);
      assertEquals((await visitor.get("/failures")).text, "1");
    });
    await t.step("destroy() takes effect although the handler throws", async () => {
      const visitor = new Visitor(url);
      await visitor.get("/login");
      const old = new Visitor(url, visitor.cookie);
      assertEquals((await visitor.get("/logoutAndThrow")).status, global ?? 500);
      assertEquals((await old.get("/who")).text, "nobody");
    });
    await t.step(
      "a store that fails is answered with 503, whatever filters there are",
      async () => {
        const visitor = new Visitor(url);
        const failed = await visitor.get("/trouble");
        const unreadable = await new Visitor(url, `pagi_session=${"d".repeat(64)}`).get("/who");
        for (const page of [failed, unreadable]) {
          assertEquals([page.status, page.cookies], [503, []]);
          assertMatch(page.text, /^Sessions are unavailable/);
          assertEquals(page.headers.get("cache-control"), "no-store");
        }
        const events = JSON.parse((await visitor.get("/noted")).text) as string[];
        assert(events.includes("request-failed"));
        assertEquals((await visitor.get("/who")).text, "nobody");
      },
    );
    await t.step("two sessions", async () => {
      const page = await new Visitor(url).get("/admin");
      const counts = [page.cookies.length, page.adminCookies.length];
      assertEquals([page.text, counts], ["true,true,false", [0, 1]]);
    });
    await t.step("no error is left unhandled", async () => {
      const stderr = await running.end();
      assert(!/unhandled|uncaught|MaxListeners|deprecat|FST/i.test(stderr), stderr);
    });
  });
}
