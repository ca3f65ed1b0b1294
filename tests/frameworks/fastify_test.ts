/** Fastify: all ways to respond and to fail, beside the plugins that people use. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type App, Running } from "./_apps.ts";
import { type Page, Visitor } from "./_visitor.ts";

const NODE = `${import.meta.dirname}/node_modules/node/bin/node`;

const app = (FASTIFY: string, STORE: string): App => ({
  name: `Fastify ${FASTIFY}, ${STORE} store`,
  command: [
    NODE,
    "--disable-warning=ExperimentalWarning",
    `${import.meta.dirname}/apps/fastify_ways.js`,
  ],
  env: { FASTIFY, STORE },
});

const SENT = [
  "return",
  "return-sync",
  "send-sync",
  "send-in-async",
  "send-and-go-on",
  "send-later",
];
const RETURNED = ["await-reply", "return-reply", "response"];
const STREAMED = ["stream", "web-stream"];
/** With hooks that are asynchronous, Fastify itself sends two responses for these. */
const UNRETURNED = ["send-in-async", "send-and-go-on"];
const HIJACKED = ["hijack-end", "hijack-async", "hijack-pipeline"];
const RAW = ["raw-end", "raw-then-return-reply", "raw-in-async", "raw-flush"];
const TEXTS = [...SENT, ...RETURNED, ...STREAMED, ...HIJACKED, ...RAW, "own-cookies", "public"]
  .concat(["trailer", "own-serializer"]);
const EMPTY: Record<string, number> = { redirect: 303, "204": 204, "304": 304 };

/** The paths at which a handler fails after it wrote, each with the status of the default page. */
const FAILURES: Record<string, number> = {
  "throw-sync": 500,
  "throw-async": 500,
  "throw-later": 500,
  "throw-text": 500,
  "send-error": 500,
  "send-error-in-async": 500,
  unserializable: 500,
  "failing-stream": 500,
  "wrong-header": 500,
  "hook-preHandler": 500,
  "hook-preValidation": 500,
  "hook-preParsing": 500,
  "hook-onRequest": 500,
  "hook-preSerialization": 500,
  "hook-onSend": 500,
};

interface Noted {
  events: string[];
  errors: string[];
  logged: string[];
  records: number;
  waiting: boolean;
}

const FORM = { "content-type": "application/x-www-form-urlencoded" };

for (const one of [app("5", "slow"), app("5", "memory"), app("4", "slow")]) {
  const isLatest = one.env!.FASTIFY === "5";
  const canFail = one.env!.STORE === "slow";
  const AREAS = ["/plain", "/plain/inner", "/hooks", ...isLatest ? ["/plugins", "/express"] : []];

  Deno.test(one.name, async (t) => {
    await using running = await Running.start(one);
    const { url } = running;
    const noted = async (): Promise<Noted> =>
      JSON.parse((await new Visitor(url).get("/noted")).text);
    const returning = async (area = "/plain") => {
      const visitor = new Visitor(url);
      assertEquals((await visitor.get(`${area}/return`)).text, "Visit 1");
      return visitor;
    };
    /** Asserts that the session has had this many visits. */
    const assertVisits = async (visitor: Visitor, visits: number, what: string) =>
      assertEquals((await visitor.get("/plain/read")).text, `Visits ${visits}`, what);

    for (const area of AREAS) {
      const texts = TEXTS.filter((way) =>
        // One of the plugins sets a length, which Fastify sends beside the trailer's chunks.
        (area !== "/hooks" || !UNRETURNED.includes(way)) &&
        (area !== "/plugins" || way !== "trailer")
      );
      await t.step(`${area}: every response saves first and has one cookie`, async () => {
        for (const way of texts) {
          const visitor = new Visitor(url);
          const page = await visitor.get(`${area}/${way}`);
          const what = `${area}/${way}`;
          assertEquals([page.status, page.text, page.cookies.length], [200, "Visit 1", 1], what);
          const cache = way === "public" ? "private, no-store" : "no-store";
          assertEquals(page.headers.get("cache-control"), cache, what);
          assertEquals((await visitor.get(`${area}/${way}`)).cookies, [], what);
          await assertVisits(visitor, 2, what);
        }
        for (const [way, status] of Object.entries(EMPTY)) {
          const visitor = new Visitor(url);
          const page = await visitor.get(`${area}/${way}`);
          assertEquals([page.status, page.text, page.cookies.length], [status, "", 1], way);
          await assertVisits(visitor, 1, way);
        }
        const visitor = new Visitor(url);
        const page = await visitor.get(`${area}/raw-events`);
        assertEquals([page.text, page.cookies.length], ["data: Visit 1\n\ndata: end\n\n", 1]);
        const own = await new Visitor(url).get(`${area}/own-cookies`);
        const names = own.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
        assertEquals(names, ["own", "other", "pagi_session"]);
      });
      if (canFail) {
        await t.step(`${area}: nothing is sent when the save fails`, async () => {
          const before = (await noted()).records;
          for (const way of [...texts, ...Object.keys(EMPTY), "raw-events"]) {
            const page = await new Visitor(url).get(`${area}/${way}?trouble=fails`);
            const what = `${area}/${way}`;
            assertEquals([page.status, page.cookies], [503, []], what);
            assert(!page.text.includes("Visit"), what);
            for (const name of ["x-own", "location", "set-cookie", "trailer"]) {
              assertEquals(page.headers.get(name), null, `${what} ${name}`);
            }
          }
          assertEquals((await noted()).records, before);
        });
      }
    }
    for (const area of [...AREAS, "/page", "/page-before", "/async-page", "/failing-page"]) {
      await t.step(`${area}: a failure saves nothing`, async () => {
        const isPage = area.includes("page") && area !== "/failing-page";
        for (const [path, status] of Object.entries(FAILURES)) {
          const what = `${area}/${path}`;
          // Fastify leaves the headers of the plugin that were meant for the first body.
          const isLeft = ["wrong-header", "failing-stream"].includes(path);
          if (area === "/plugins" && isLeft) continue;
          // Fastify 4 ends the process, also without a session.
          const isFatal = ["wrong-header", "send-error-in-async"].includes(path);
          if (area === "/hooks" && !isLatest && isFatal) continue;
          const visitor = await returning();
          const page = await visitor.get(what);
          const expected = area === "/page" || area === "/page-before" ? 200 : status;
          assertEquals(page.cookies, [], what);
          // Fastify sends an empty response while an asynchronous error handler runs, if the
          // handler has returned nothing; and it fails to send the wrong header again.
          const isFastifys = path === "send-error-in-async" && /async|failing/.test(area) ||
            path === "wrong-header";
          if (!isFastifys) {
            assertEquals(page.status, expected, what);
            if (isPage) assertEquals(page.text, "An error", what);
          }
          await assertVisits(visitor, 1, what);
          assertEquals((await new Visitor(url).get(what)).cookies, [], what);
        }
        const visitor = await returning();
        const schema = await visitor.get(`${area}/schema`, {
          method: "POST",
          body: "{}",
          headers: { "content-type": "application/json" },
        });
        assertEquals(
          schema.status,
          area.startsWith("/page") ? 200 : area === "/failing-page" ? 500 : 400,
        );
        const body = await visitor.get(`${area}/body`, {
          method: "POST",
          body: "{",
          headers: { "content-type": "application/json" },
        });
        assertEquals(body.cookies, []);
        await assertVisits(visitor, 1, area);
        const old = new Visitor(url, visitor.cookie);
        await visitor.get(`${area}/sign-in-and-throw`);
        assertEquals((await visitor.get("/plain/subject")).text, "undefined");
        const saved = await new Visitor(url).get(`${area}/save-and-throw`);
        assertEquals([saved.cookies.length, saved.text.includes("Visit")], [1, false]);
        await visitor.get(`${area}/save-and-throw`);
        await assertVisits(old, 2, area);
        await visitor.get(`${area}/logout-and-throw`);
        await assertVisits(old, 0, area);
      });
    }
    await t.step("an error handler cannot write to the session", async () => {
      const page = await (await returning()).get("/async-page/throw-async");
      assertEquals(page.headers.get("x-refusal"), "ERR_SESSION_COMMITTED");
    });
    await t.step("a hook that responds saves", async () => {
      const visitor = new Visitor(url);
      const page = await visitor.get("/plain/hook-responds");
      assertEquals([page.text, page.cookies.length], ["Visit 1", 1]);
      await assertVisits(visitor, 1, "hook-responds");
    });
    await t.step("a handler for unknown pages has the session", async () => {
      const page = await new Visitor(url).get("/lost/nowhere");
      assertEquals([page.status, page.text, page.cookies.length], [404, "Visit 1", 1]);
      assertEquals((await new Visitor(url).get("/nowhere")).cookies, []);
    });
    await t.step("two middlewares have two sessions", async () => {
      const visitor = new Visitor(url);
      const page = await visitor.get("/two/both");
      const cookies = page.headers.getSetCookie().map((cookie) => cookie.split(";")[0]!);
      assertEquals([page.text, cookies.length], ["Visit 1, 0", 2]);
      const [shop, admin] = cookies.sort();
      const both = new Visitor(url, `${shop}; ${admin}`);
      assertEquals((await both.get("/two/read")).text, "1, root");
      const first = new Visitor(url);
      assertEquals((await first.get("/two/both-throw")).headers.getSetCookie(), []);
      assertEquals((await new Visitor(url, shop).get("/two/read")).text, "1, ");
    });
    await t.step("a place that is taken is an error when the app starts", async () => {
      const messages: string[] = JSON.parse((await new Visitor(url).get("/taken")).text);
      assertEquals(messages.length, 2);
      for (const message of messages) assertMatch(message, /request\.session.*option key/);
    });
    await t.step("a session that is read too early is an error", async () => {
      assertMatch((await new Visitor(url).get("/early")).text, /Register fastifySession before/);
    });
    await t.step("of() returns the session, and inject() works", async () => {
      assertEquals((await new Visitor(url).get("/plain/compat")).text, "true");
      const page = await new Visitor(url).get("/inject");
      assertEquals(JSON.parse(page.text), ["Visit 1", "Visit 2", true]);
    });
    await t.step("a ready response is sent in place of the handler's", async () => {
      const page = await new Visitor(url).get("/ready-response");
      assertEquals(JSON.parse(page.text), [401, "ready", ["a", "b", "pagi_session"]]);
    });
    await t.step(
      "a handler ends its own session by destroyAll() after the body was parsed",
      async () => {
        const visitor = await returning();
        await visitor.get("/plain/everywhere");
        const page = await visitor.get("/plain/leave", {
          method: "POST",
          body: "{}",
          headers: { "content-type": "application/json" },
        });
        assertEquals([page.status, page.text, visitor.cookie], [200, "Bye", undefined]);
      },
    );
    await t.step("a response past Node's methods stores no session, and is an event", async () => {
      const before = await noted();
      assertEquals((await new Visitor(url).get("/plain/on-close")).text, "raw");
      const after = await noted();
      assertEquals(after.records, before.records);
      const dropped = ({ events }: Noted) =>
        events.filter((type) => type === "headers-dropped").length;
      assertEquals(dropped(after), dropped(before) + 1);
    });
    if (canFail) {
      await t.step("a session that cannot be read is an error of the framework", async () => {
        const visitor = new Visitor(url, `pagi_session=${"d".repeat(64)}`);
        for (
          const [area, status] of [["/plain", 503], ["/async-page", 503], ["/page", 200]] as const
        ) {
          const page = await visitor.get(`${area}/return`);
          assertEquals([page.status, page.cookies], [status, []], area);
        }
      });
      await t.step("a save that fails after the client has left is reported", async () => {
        for (const way of ["return", "stream", "hijack-end", "hijack-async"]) {
          const before = await noted();
          const gone = new AbortController();
          const page = new Visitor(url).get(`/plain/${way}?trouble=waits`, { signal: gone.signal });
          page.catch(() => {});
          await until(async () => (await noted()).waiting);
          gone.abort();
          await page.catch((error) => assertEquals(error.name, "AbortError"));
          await aMoment();
          await new Visitor(url).get("/release");
          await until(async () => (await noted()).logged.length > before.logged.length);
          const { events, logged } = await noted();
          assertEquals(events.length, before.events.length + 1, way);
          assertEquals(events.at(-1), "request-failed");
          assertMatch(logged.at(-1)!, /session/);
        }
      });
    }
    if (isLatest) {
      await t.step("plugins", async (t) => await plugins(t, url));
    }
    await t.step("no exception escaped", async () => {
      const stderr = await running.end();
      assertEquals(stderr, "");
    });
  });
}

async function plugins(t: Deno.TestContext, url: string): Promise<void> {
  const both = async (path: string, init?: RequestInit): Promise<Page> => {
    const visitor = new Visitor(url);
    const page = await visitor.get(path, init);
    assertEquals(page.cookies.length, 1, path);
    assertEquals((await visitor.get("/plain/read")).text, "Visits 1", path);
    return page;
  };
  await t.step("@fastify/compress", async () => {
    const page = await both("/plugins/json", { headers: { "accept-encoding": "gzip" } });
    assertEquals(page.text, '{"text":"Visit 1"}');
  });
  await t.step("@fastify/cookie", async () => {
    const { headers } = await both("/plugins/cookie");
    assertEquals(headers.getSetCookie().map((one) => one.split("=")[0]).sort(), [
      "own",
      "pagi_session",
    ]);
  });
  await t.step("@fastify/helmet and @fastify/cors, also on error pages", async () => {
    const headers = { origin: "https://app.example" };
    for (
      const path of ["/plugins/return", "/plugins/throw-async", "/plugins/return?trouble=fails"]
    ) {
      const page = await new Visitor(url).get(path, { headers });
      assertEquals(page.headers.get("access-control-allow-origin"), "https://app.example", path);
      assert(page.headers.has("content-security-policy"), path);
    }
  });
  await t.step("@fastify/formbody and @fastify/multipart", async () => {
    const form = await both("/plugins/body", { method: "POST", body: "a=1", headers: FORM });
    assertEquals(form.text, 'Visit 1, {"a":"1"}');
    const data = new FormData();
    data.set("a", "2");
    const page = await both("/plugins/body", { method: "POST", body: data });
    assertEquals(page.text, 'Visit 1, {"a":"2"}');
  });
  await t.step("@fastify/static", async () => {
    assertMatch((await both("/plugins/file")).text, /^\/\*\*/);
    assertEquals((await new Visitor(url).get("/plugins/files/koa.ts")).cookies, []);
  });
  await t.step("@fastify/reply-from", async () => {
    const visitor = new Visitor(url);
    const page = await visitor.get("/plugins/proxy");
    assertEquals([page.status, page.text], [200, "Visit 1"]);
    // The upstream's cookie, then this app's.
    assertEquals(page.cookies.length, 2);
  });
  await t.step("@fastify/sse", async () => {
    const page = await both("/plugins/sse", { headers: { accept: "text/event-stream" } });
    assertMatch(page.text, /^data: "?Visit 1/m);
  });
  await t.step("@fastify/websocket", async () => {
    const visitor = new Visitor(url);
    await visitor.get("/plain/return");
    assertEquals(await visitor.ask("/plugins/socket"), "Visits 1, ERR_SESSION_READ_ONLY");
    assertEquals(await new Visitor(url).ask("/plugins/socket"), "Visits 0, ERR_SESSION_READ_ONLY");
  });
  await t.step("@fastify/middie", async () => {
    assertEquals((await both("/express/middleware")).text, "Visit 1");
  });
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (await isTrue()) return;
    await aMoment();
  }
  throw new Error("It did not happen");
}

function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
