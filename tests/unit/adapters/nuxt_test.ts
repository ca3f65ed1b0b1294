/** Tests the adapter for Nuxt with stand-ins for it. `tests/frameworks` runs Nuxt itself. */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Session, SessionError, type SessionMiddleware } from "@pagi/session";
import { type NuxtEvent, nuxtSession } from "@pagi/session/nuxt";
import { failing, idOf, rig } from "../../_kit/helpers.ts";
import { nodeResponse, slow } from "../../_kit/node_response.ts";

interface Context {
  session: Session;
  admin: Session;
}

/** Stands in for a Nitro app with this handler. Returns a function that makes a request. */
function nitro(
  all: SessionMiddleware[],
  handle: (event: NuxtEvent & { context: Context }) => unknown,
) {
  const errors: unknown[] = [];
  const app = {
    h3App: { handler: handle as (event: never) => unknown },
    captureError: (error: Error) => errors.push(error),
  };
  const plugins = all.map((sessions) => nuxtSession(sessions));
  for (const plugin of plugins) plugin(app);
  const request = async (
    { url = "/", cookie = "", outer = undefined as object | undefined } = {},
  ) => {
    const { res, sent, headers } = nodeResponse();
    const req = { method: "GET", url, headers: { cookie, host: "x" }, __unenv__: outer };
    const event = { node: { req, res }, context: {} };
    const result = await (app.h3App.handler as (event: NuxtEvent) => unknown)(event as never);
    return { event: event as unknown as NuxtEvent & { context: Context }, headers, result, sent };
  };
  return { errors, plugins, request };
}

function end(event: NuxtEvent, text = "page"): void {
  event.node.res.write(text);
  event.node.res.end();
}

Deno.test("nuxtSession() saves the session before the response, and waits for that", async () => {
  const { sessions } = rig({ store: slow() });
  const { request, plugins: [session] } = nitro([sessions], (event) => {
    event.context.session.set("n", 1);
    end(event);
    return "result";
  });
  const { event, headers, result, sent } = await request();
  assertEquals([result, sent], ["result", [200, "page", "end"]]);
  assertEquals((headers.get("set-cookie") as string[]).length, 1);
  assertStrictEquals(session!.of(event), event.context.session);
});

Deno.test("nuxtSession() saves nothing if the handler throws, unless save() did", async () => {
  for (const isSaved of [false, true]) {
    const { sessions, store } = rig();
    let failed: NuxtEvent | undefined;
    const { request, errors } = nitro([sessions], async (event) => {
      failed = event;
      event.context.session.set("n", 1);
      if (isSaved) await event.context.session.save();
      throw new Error("boom");
    });
    await assertRejects(() => request(), Error, "boom");
    // Nitro then shows its page of the error.
    end(failed!, "sorry");
    const cookies = failed!.node.res.getHeader("set-cookie") as string[] | undefined;
    assertEquals(
      [store.size, cookies?.length ?? 0, errors.length],
      isSaved ? [1, 1, 0] : [0, 0, 0],
    );
  }
});

Deno.test("nuxtSession() answers a session error without the headers of the handler", async () => {
  const { sessions } = rig();
  const wrapped = (error: Error) => Object.assign(new Error("page"), { cause: error });
  for (const wrap of [(error: Error) => error, wrapped]) {
    const { request, errors } = nitro([sessions], async (event) => {
      event.node.res.setHeader("etag", "own");
      const ended = await sessions.update(idOf("0"), () => {}).catch((error) => error);
      throw wrap(ended);
    });
    const { headers, sent } = await request();
    assertEquals([sent[0], headers.get("etag")], [409, undefined]);
    assert(errors[0] instanceof SessionError);
  }
});

Deno.test("nuxtSession() answers if the store cannot be read or written", async () => {
  const unreadable = nitro([rig({ store: failing("read") }).sessions], () => assert(false));
  const read = await unreadable.request({ cookie: `pagi_session=${idOf("a")}` });
  assertEquals([read.sent[0], unreadable.errors.length], [503, 1]);
  const unwritable = nitro([rig({ store: slow("create") }).sessions], (event) => {
    event.context.session.set("n", 1);
    end(event, "never sent");
  });
  const write = await unwritable.request();
  assertEquals([write.sent[0], write.sent.includes("never sent")], [503, false]);
  assertEquals([unwritable.errors.length, write.headers.get("set-cookie")], [1, undefined]);
});

Deno.test("nuxtSession() answers with status 500 if the data cannot be saved", async () => {
  const { request, errors } = nitro([rig({ store: slow() }).sessions], (event) => {
    event.context.session.data.n = { a: () => {} };
    end(event, "never sent");
  });
  const { sent } = await request();
  assertEquals([sent[0], sent.includes("never sent"), errors.length], [500, false, 1]);
});

Deno.test("nuxtSession() shares the session with a handler that a page calls", async () => {
  const { sessions, store } = rig({ store: slow() });
  const { request } = nitro([sessions], async (event) => {
    if (event.node.req.url === "/api") {
      event.context.session.set("inner", 1);
      return end(event);
    }
    const { headers } = await request({ url: "/api", outer: event.context });
    assertEquals(headers.get("set-cookie"), undefined);
    assertEquals(event.context.session.get("inner"), 1);
    end(event);
  });
  const { headers } = await request();
  assertEquals([(headers.get("set-cookie") as string[]).length, store.size], [1, 0]);
});

Deno.test("nuxtSession() opens no session for the files of a build", async () => {
  const { sessions } = rig({ store: failing("read") });
  const { request, plugins } = nitro([sessions], (event) => end(event));
  const { event, sent } = await request({
    url: "/_nuxt/a.js",
    cookie: `pagi_session=${idOf("a")}`,
  });
  assertEquals([sent[0], event.context.session], [200, undefined]);
  assertThrows(() => plugins[0]!.of(event), TypeError, "server/plugins");
});

Deno.test("nuxtSession() keeps two middlewares apart, and refuses a place that is taken", async () => {
  const [shop, other] = [rig(), rig()];
  const admin = rig({ key: "admin" });
  const apart = nitro([shop.sessions, admin.sessions, shop.sessions], (event) => {
    event.context.session.set("cart", "tea");
    assertEquals(event.context.admin.exists("cart"), false);
    event.context.admin.set("role", "root");
    end(event);
  });
  const { headers } = await apart.request();
  const cookies = headers.get("set-cookie") as string[];
  assertEquals(cookies.map((one) => one.split("=")[0]).sort(), [
    "pagi_session",
    "pagi_session_admin",
  ]);
  const taken = nitro([shop.sessions, other.sessions], (event) => end(event));
  await assertRejects(() => taken.request(), TypeError, "option key");
});
