/** Tests the adapter for Elysia on Elysia itself: what the cases for every framework do not cover. */
import { assert, assertEquals } from "@std/assert";
import { Elysia, redirect, sse, status } from "elysia";
import { elysiaSession } from "../../adapters/elysia.ts";
import type { Session } from "../../mod.ts";
import { cookieNames, get, rig as makeRig, sessionCookies, UNWRITABLE } from "./_rig.ts";

function rig(key?: string) {
  const made = makeRig(key);
  return { ...made, plugin: elysiaSession(made.sessions) };
}

interface Context {
  session: Session;
  set: { headers: Record<string, string | number>; status?: unknown };
}

/** Ways to respond. Each is called after a write to the session. */
const WAYS: Record<string, (context: Context) => unknown> = {
  text: () => "page",
  json: () => ({ page: 1 }),
  nothing: () => undefined,
  "a status": () => status(422, "page"),
  "no body": () => new Response(null, { status: 204 }),
  redirect: () => redirect("http://localhost/"),
  "an own Response": () => new Response("page", { headers: { vary: "origin" } }),
  "an immutable Response": () => Response.redirect("http://localhost/"),
  "a generator": function* () {
    yield "one";
    yield "two";
  },
  events: function* () {
    yield sse("one");
  },
  "a header": ({ set }) => {
    set.headers["x-own"] = "1";
    return "page";
  },
};

const FAILURES: Record<string, () => unknown> = {
  "an error": () => {
    throw new Error("boom");
  },
  "a rejection": () => Promise.reject(new Error("boom")),
  "a thrown status": () => {
    throw status(401);
  },
};

async function call(handle: (context: Context) => unknown, way: "get" | "group" | "guard" | "use") {
  const { plugin, ...rest } = rig();
  const app = new Elysia().use(plugin);
  const run = (context: unknown) => {
    (context as Context).session.set("n", 1);
    return handle(context as Context) as string;
  };
  if (way === "get") app.get("/in", run);
  if (way === "group") app.group("/in", (app) => app.get("/", run));
  if (way === "guard") app.guard({ beforeHandle: () => {} }, (app) => app.get("/in", run));
  if (way === "use") app.use(new Elysia({ prefix: "/in" }).use(plugin).get("/", run));
  return { ...rest, response: await app.handle(get("/in")) };
}

for (const way of ["get", "group", "guard", "use"] as const) {
  Deno.test(`elysiaSession() saves and sends the cookie, with ${way}()`, async (t) => {
    for (const [name, respond] of Object.entries(WAYS)) {
      await t.step(name, async () => {
        const { response, store } = await call(respond, way);
        assertEquals([sessionCookies(response).length, store.size], [1, 1]);
        // Elysia streams texts, which only Bun can read.
        await response.body?.cancel();
      });
    }
    for (const [name, fail] of Object.entries(FAILURES)) {
      await t.step(name, async () => {
        const lost = await call(fail, way);
        assertEquals([sessionCookies(lost.response).length, lost.store.size], [0, 0]);
        const kept = await call(async ({ session }) => {
          await session.save();
          return await fail();
        }, way);
        assertEquals([sessionCookies(kept.response).length, kept.store.size], [1, 1]);
        await Promise.all([lost.response.text(), kept.response.text()]);
      });
    }
    await t.step("a failed save", async () => {
      const { response, events } = await call(({ session, set }) => {
        session.set("n", UNWRITABLE);
        set.headers["x-own"] = "1";
        return "never sent";
      }, way);
      assertEquals([response.status, response.headers.get("x-own")], [503, null]);
      assertEquals(events.map(({ type }) => type), ["request-failed"]);
      await response.text();
    });
  });
}

Deno.test("elysiaSession() keeps two middlewares apart, at any depth", async () => {
  for (const isSwapped of [false, true]) {
    for (const way of ["use", "mount"]) {
      const [shop, admin] = [rig(), rig("admin")];
      const [outer, other] = isSwapped ? [admin, shop] : [shop, admin];
      const [outerKey, innerKey] = isSwapped ? ["admin", "session"] : ["session", "admin"];
      const inner = new Elysia(way === "use" ? { prefix: "/in" } : {}).use(other.plugin);
      inner.get("/", (context) => {
        (context as unknown as Record<string, Session>)[innerKey!]!.set("who", "inner");
        return "page";
      });
      const app = new Elysia().use(outer.plugin);
      app.onBeforeHandle((context) => {
        (context as unknown as Record<string, Session>)[outerKey!]!.set("who", "outer");
      });
      if (way === "use") app.use(inner);
      else app.mount("/in", inner.handle);
      const response = await app.handle(get("/in"));
      assertEquals([response.status, await response.text()], [200, "page"], way);
      const names = cookieNames(response);
      // A mounted handler gets no hooks of the outer app.
      assert(names.includes(isSwapped ? "pagi_session" : "pagi_session_admin"), way);
      if (way === "use") assertEquals(names, ["pagi_session", "pagi_session_admin"]);
    }
  }
});

Deno.test("elysiaSession() never gives a shared Response one client's cookie", async () => {
  const { plugin } = rig();
  const shared = new Response(null, { status: 204 });
  const app = new Elysia().use(plugin).get("/", ({ session }) => {
    session.set("n", 1);
    return shared;
  });
  const [one, other] = [await app.handle(get()), await app.handle(get())];
  assert(sessionCookies(one)[0] !== sessionCookies(other)[0]);
  assertEquals(shared.headers.getSetCookie(), []);
});

Deno.test("elysiaSession() says what to do if aot is off", async () => {
  const { plugin } = rig();
  let message = "";
  const app = new Elysia({ aot: false }).use(plugin);
  app.onError(({ error }) => void (message = String(error)));
  const response = await app.get("/", () => "page").handle(get());
  assertEquals(response.status, 500);
  assert(message.includes("aot"), message);
});
