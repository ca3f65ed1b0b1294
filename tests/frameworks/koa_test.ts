/** Koa 2 and 3 with the session before and after other middleware, for every way to respond. */
import { assert, assertEquals } from "@std/assert";
import { KOA_MIDDLEWARE, Running } from "./_apps.ts";
import { type Page, Visitor } from "./_visitor.ts";

const ORDERS = ["session-last", "session-first"];
const OTHERS = ["nothing", "compress", "body", "static", "friendly", "several"];
const WAYS = [
  "text",
  "buffer",
  "json",
  "stream",
  "stream-large",
  "iterable",
  "send",
  "send-large",
  "static",
  "flush",
  "raw",
  "raw-head",
  "events",
  "mounted",
];
const FAILURES = ["throw", "ctx-throw", "throw-after-body", "broken-stream"];

function assertSent({ status, text, headers }: Page, way: string): void {
  const expected = way.includes("large")
    ? "x".repeat(1_000_000)
    : way === "json"
    ? '["sent"]'
    : "sent";
  assert(text === expected, `${status} ${text.slice(0, 100)}`);
  assertEquals([status, headers.get("x-handler"), headers.get("x-before")], [200, "yes", "stays"]);
}

/** Why a way is not tested with this middleware; `undefined` if it is. */
function whyNot(koa: string, order: string, other: string, way: string): string | undefined {
  const isCompressed = /compress|several/.test(other);
  const isCaught = order === "session-first" && /friendly|several/.test(other);
  if (way === "response" && isCompressed) return "koa-compress makes JSON of a Response";
  if (way === "broken-stream" && koa === "koa") return "Koa 3 closes the connection";
  if (way === "broken-stream" && isCompressed) return "koa-compress does not pass the error on";
  if (way === "ctx-throw" && isCaught) return "the session does not see an error that was caught";
  return undefined;
}

/** Asserts that a response has nothing of the handler's. */
function assertNothingSent({ text, headers }: Page): void {
  assert(!/sent|xxx/.test(text), text);
  for (const name of ["etag", "content-disposition", "x-handler"]) {
    assertEquals(headers.get(name), null, name);
  }
}

type Case = (url: string, path: string, way: string) => Promise<void>;

/** The cases of one way to respond. */
const CASES: Record<string, Case> = {
  "a first visit": async (url, path, way) => {
    const visitor = new Visitor(url);
    const page = await visitor.get(path);
    assertSent(page, way);
    assertEquals(page.cookies.length, 1);
    assertEquals((await visitor.get("/count")).text, "Visits 1");
  },
  "a read with a touch": async (url, path, way) => {
    const visitor = new Visitor(url);
    await visitor.get("/session-last/nothing/text");
    assertSent(await visitor.get(`${path}?read=1`), way);
  },
  "HEAD": async (url, path) => {
    const visitor = new Visitor(url);
    const page = await visitor.get(path, { method: "HEAD" });
    assertEquals([page.status, page.text, page.cookies.length], [200, "", 1]);
    assertEquals((await visitor.get("/count")).text, "Visits 1");
  },
  "a failing save": async (url, path) => {
    const visitor = new Visitor(url);
    await visitor.get("/session-last/nothing/text");
    const page = await visitor.get(`${path}?trouble=1`);
    assertNothingSent(page);
    assertEquals([page.status, page.cookies, page.headers.get("x-before")], [503, [], "stays"]);
    // The connection is as it was.
    assertEquals((await visitor.get("/count")).text, "Visits 1");
  },
  "a failing read": async (url, path) => {
    const page = await new Visitor(url, `pagi_session=${"d".repeat(64)}`).get(path);
    assertNothingSent(page);
    assertEquals([page.status, page.cookies], [503, []]);
  },
};

/** Asserts that a response to an error saves nothing. */
const assertAborted: Case = async (url, path, way) => {
  const visitor = new Visitor(url);
  const page = await visitor.get(path);
  assertEquals([page.status, page.cookies], [way === "ctx-throw" ? 401 : 500, []]);
  assert(!page.text.includes("sent"), page.text);
  const returning = new Visitor(url);
  await returning.get("/session-last/nothing/text");
  assertEquals((await returning.get(path)).cookies, []);
  assertEquals((await returning.get("/count")).text, "Visits 1");
};

for (const app of KOA_MIDDLEWARE) {
  Deno.test(`other middleware: ${app.name}`, async (t) => {
    await using running = await Running.start(app);
    const { url } = running;
    const { KOA, STORE } = app.env!;
    const ways = KOA === "koa" ? [...WAYS, "response"] : WAYS;
    const cases = Object.keys(CASES).filter((name) =>
      STORE === "slow" || !name.includes("failing")
    );
    let count = 0;
    for (const order of ORDERS) {
      for (const other of OTHERS) {
        await t.step(`${order}, ${other}`, async () => {
          const failed: string[] = [];
          const run = async (name: string, way: string, assertCase: Case) => {
            if (whyNot(KOA!, order, other, way) !== undefined) return;
            count++;
            await assertCase(url, `/${order}/${other}/${way}`, way).catch((error) => {
              failed.push(`${way}, ${name}: ${error.message}`);
            });
          };
          await Promise.all([
            ...ways.flatMap((way) => cases.map((name) => run(name, way, CASES[name]!))),
            ...FAILURES.map((way) => run("an error", way, assertAborted)),
          ]);
          if (failed.length > 0) throw new Error(`${failed.length} failed:\n${failed.join("\n")}`);
        });
      }
    }
    await t.step("the app gets the failures of sessions", async () => {
      if (STORE !== "slow") return;
      const { events, errors } = JSON.parse((await new Visitor(url).get("/noted")).text);
      const told = errors.filter((error: string) => error === "ERR_SESSION_STORE").length;
      const reported = events.filter((type: string) => type === "request-failed").length;
      assert(told > 0);
      assertEquals(told, reported);
    });
    await t.step("no error is left unhandled", async () => {
      const stderr = await running.end();
      assert(!/unhandled|uncaught|MaxListeners/i.test(stderr), stderr);
    });
    console.log(`${app.name}: ${count} combinations`);
  });
}
