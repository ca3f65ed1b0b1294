/**
 * The session before and after other middleware of Node's servers, for every way to send a response.
 * The stores are synchronous, slow and failing.
 */
import { assert, assertEquals } from "@std/assert";
import { type App, OTHER_MIDDLEWARE, Running } from "./_apps.ts";
import { type Page, Visitor } from "./_visitor.ts";

const ORDERS = ["session-last", "session-first"];

const OTHERS = [
  "nothing",
  "compression",
  "compression-by-default",
  "morgan",
  "response-time",
  "helmet",
  "cors",
  "cookie-session",
  "multer",
  "serve-static",
  "own-wrapper",
  "several",
];

const WAYS = [
  "end",
  "end-twice",
  "write",
  "later",
  "head",
  "flush",
  "events",
  "callbacks",
  "corked",
  "trailers",
  "hints",
  "pipe",
  "pipe-large",
  "pipeline",
  "pipeline-large",
  "pipeline-iterable",
  "pipeline-iterable-large",
  "drain-large",
  "static",
  "static-large",
  "proxy",
  "upload",
];

const EXPRESS_WAYS = ["send", "json", "send-file", "send-file-large", "download"];

/** What a client waits for a response. Only a response that never ends takes as long. */
const DEADLINE = 15_000;

/** Whether the other middleware itself breaks this way of sending. */
function isBroken(other: string, way: string): boolean {
  // It drops the callbacks of `write`.
  return /compression|several/.test(other) && way === "callbacks";
}

/** Whether Node refuses the response inside of the handler, which has no error page for that. */
function isRefused(way: string, name: string, cases: string[]): boolean {
  const isSynchronous = !cases.includes("a failing save");
  return way === "trailers" && name === "HEAD" && isSynchronous;
}

async function fetchPage(visitor: Visitor, path: string, init?: RequestInit): Promise<Page> {
  return await visitor.get(path, { ...init, signal: AbortSignal.timeout(DEADLINE) });
}

function assertSent({ status, text, headers }: Page, way: string): void {
  const expected = way.includes("large")
    ? "x".repeat(1_000_000)
    : way === "json"
    ? '"sent"'
    : "sent";
  assert(text === expected, `${status} ${text.slice(0, 100)}`);
  assertEquals([status, headers.get("x-handler")], [200, way === "head" ? "head" : "yes"]);
}

/** Asserts that an error response has nothing of the handler's response. */
function assertError({ status, text, headers, cookies }: Page): void {
  assertEquals([status, cookies], [503, []]);
  assert(!/sent|xxx/.test(text), text);
  for (const name of ["etag", "content-disposition", "x-handler", "trailer"]) {
    assertEquals(headers.get(name), null, name);
  }
  assert(!headers.getSetCookie().some((one) => one.startsWith("own=")));
}

/** The cases of one way of sending. Each returns nothing, or throws. */
const CASES: Record<string, (url: string, path: string, way: string) => Promise<void>> = {
  "a first visit": async (url, path, way) => {
    const visitor = new Visitor(url);
    const page = await fetchPage(visitor, path);
    assertSent(page, way);
    assertEquals([page.cookies.length, page.headers.get("cache-control")], [1, "no-store"]);
    assertEquals((await fetchPage(visitor, "/count")).text, "Visits 1");
  },
  "a read with a touch": async (url, path, way) => {
    const visitor = new Visitor(url);
    await fetchPage(visitor, "/session-last/nothing/end");
    assertSent(await fetchPage(visitor, `${path}?read=1`), way);
  },
  "a failing save": async (url, path) => {
    const visitor = new Visitor(url);
    await fetchPage(visitor, "/session-last/nothing/end");
    assertError(await fetchPage(visitor, `${path}?trouble=1&cookie=1`));
    assertEquals((await fetchPage(visitor, "/count")).text, "Visits 1");
  },
  "a failing read": async (url, path) => {
    const visitor = new Visitor(url, `pagi_session=${"d".repeat(64)}`);
    assertError(await fetchPage(visitor, path));
  },
  HEAD: async (url, path, way) => {
    const visitor = new Visitor(url);
    const page = await fetchPage(visitor, path, { method: "HEAD" });
    // Node refuses trailers here, after the save: then the error page carries the session.
    const status = way === "trailers" ? 500 : 200;
    assertEquals([page.status, page.text, page.cookies.length], [status, "", 1]);
    assertEquals((await fetchPage(visitor, "/count")).text, "Visits 1");
  },
};

/** Runs all cases of one order and middleware at the same time. Returns how many there were. */
async function runAll(url: string, prefix: string, ways: string[], cases: string[]) {
  const failures: string[] = [];
  const runs = ways.flatMap((way) =>
    cases.filter((name) => !isRefused(way, name, cases)).map(async (name) => {
      try {
        await CASES[name]!(url, `${prefix}/${way}`, way);
      } catch (error) {
        failures.push(`${way}, ${name}: ${error instanceof Error ? error.message : error}`);
      }
    })
  );
  await Promise.all(runs);
  if (failures.length > 0) throw new Error(`${failures.length} failed:\n${failures.join("\n")}`);
  return runs.length;
}

for (const app of OTHER_MIDDLEWARE) {
  Deno.test(`other middleware: ${app.name}`, async (t) => {
    await using running = await Running.start(app);
    const fails = app.env!.STORE === "slow";
    const cases = Object.keys(CASES).filter((name) => fails || !name.startsWith("a failing"));
    let count = 0;
    for (const order of ORDERS) {
      for (const other of OTHERS) {
        const ways = waysOf(app).filter((way) => !isBroken(other, way));
        await t.step(`${order}, ${other}`, async () => {
          count += await runAll(running.url, `/${order}/${other}`, ways, cases);
        });
      }
    }
    await t.step("no error is left unhandled", async () => {
      const stderr = await running.end();
      assert(!/unhandled|uncaught|MaxListeners/i.test(stderr), stderr);
    });
    console.log(`${app.name}: ${count} combinations`);
  });
}

/** What the app has noted so far. */
interface Noted {
  events: string[];
  errors: [code: string, wasSent: boolean][];
  seen: Record<string, unknown[]>;
}

/** Waits until the app has noted something, and returns it. */
async function noted<T>(url: string, find: (noted: Noted) => T | undefined): Promise<T> {
  const visitor = new Visitor(url);
  for (const signal = AbortSignal.timeout(DEADLINE); !signal.aborted;) {
    const found = find(JSON.parse((await fetchPage(visitor, "/noted")).text));
    if (found !== undefined) return found;
  }
  throw new Error("The app has not noted it");
}

for (const app of OTHER_MIDDLEWARE) {
  // Bun's own response accepts chunks that Node refuses.
  if (app.name.includes("bun")) continue;
  Deno.test(`${app.name}: the response tells its state as Node's own does`, async () => {
    await using running = await Running.start(app);
    const { url } = running;
    for (const path of ["/bare", "/states"]) {
      await fetchPage(new Visitor(url), `${path}?seen=${path.slice(1)}`);
    }
    const isClosed = (steps: unknown[] = []) =>
      steps.some((step) => /^on close/.test(String(step)));
    const { bare, states } = await noted(url, ({ seen }) => {
      return isClosed(seen.bare) && isClosed(seen.states) ? seen : undefined;
    });
    assertEquals(states, bare);
  });
}

for (const app of OTHER_MIDDLEWARE) {
  if (app.env!.STORE === "memory") continue;
  Deno.test(`${app.name}: a save that fails after the client has gone is reported`, async () => {
    await using running = await Running.start(app);
    const { url } = running;
    const gone = new AbortController();
    const page = new Visitor(url).get("/gone", { signal: gone.signal }).catch(() => {});
    await noted(url, ({ seen }) => seen.gone);
    gone.abort();
    await page;
    const { errors, events } = await noted(url, (all) => all.errors.length > 0 ? all : undefined);
    assertEquals([errors.map(([code]) => code), events], [["ERR_SESSION_STORE"], [
      "request-failed",
    ]]);
    assertEquals((await fetchPage(new Visitor(url), "/count")).text, "Visits 0");
  });
}

/** Sends requests in one go and returns all that the server answers. */
async function pipelined(url: string, paths: string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const requests = paths.map((path, i) => {
    const last = i === paths.length - 1 ? "Connection: close\r\n" : "";
    return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${last}\r\n`;
  });
  await connection.write(new TextEncoder().encode(requests.join("")));
  return await new Response(connection.readable).text();
}

for (const app of OTHER_MIDDLEWARE) {
  if (app.env!.STORE === "memory") continue;
  Deno.test(`${app.name}: pipelined requests are answered in their order`, async () => {
    await using running = await Running.start(app);
    const ways = ["later", "end?trouble=1", "pipe-large", "head", "end", "write"];
    const paths = ways.map((way) => `/session-last/nothing/${way}`);
    const text = await pipelined(running.url, paths);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
    assertEquals(statuses, [200, 503, 200, 200, 200, 200]);
    assertEquals(text.match(/set-cookie/gi)?.length, 5);
    assert(text.replaceAll(/[^x]/g, "").length > 1_000_000);
  });
}

function waysOf({ env }: App): string[] {
  return env!.FRAMEWORK!.startsWith("express") ? [...WAYS, ...EXPRESS_WAYS] : WAYS;
}
