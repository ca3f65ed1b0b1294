import { assertEquals } from "@std/assert";
import { ConnectCookie, connectSource } from "@pagi/session/migrate";
import express from "npm:express@5.3.0";
import expressSession from "npm:express-session@1.19.0";
import { freePort } from "../integration/_processes.ts";
import { send } from "./_browser.ts";
import { newApp } from "./_new_app.ts";
import { goOn, SIGNED_IN, signIn } from "./_story.ts";

const [OLDEST, OLD] = ["keyboard cat", "a newer secret"];

type Values = Record<string, unknown>;

/** An Express app on a store of its own, and the new one on the same. */
async function rig(oldSecret: string | string[], newSecret: string | string[] = oldSecret) {
  const store = new expressSession.MemoryStore();
  const app = express();
  app.use(expressSession({ secret: oldSecret, store, resave: false, saveUninitialized: false }));
  const on = (method: "get" | "post", path: string, act: (session: Values) => unknown) =>
    app[method](path, (request: { session: Values }, response: { json(data: unknown): void }) => {
      response.json(act(request.session) ?? {});
    });
  on("post", "/login", (session) => void Object.assign(session, SIGNED_IN));
  on("get", "/", ({ user, cart }) => ({ user, cart }));
  const port = freePort();
  const server = await new Promise<{ close(done: () => void): void }>((resolve) => {
    const listening = app.listen(port, "127.0.0.1", () => resolve(listening));
  });
  return {
    old: `http://127.0.0.1:${port}`,
    app: newApp(new ConnectCookie({ secret: newSecret }), { legacy: connectSource(store) }),
    count: () => new Promise((resolve) => store.length((_error: unknown, n: number) => resolve(n))),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

Deno.test("express-session with its MemoryStore: signed in here and there, signed out in both", async () => {
  await using servers = await rig(OLD);
  const { old, app, count } = servers;
  const browser = await signIn(old);
  assertEquals(await count(), 1);
  const dead = await goOn(browser, app, { oldCookie: "connect.sid" });
  assertEquals(await count(), 0);
  assertEquals((await send(old, "/", dead[0]!)).data, {});
});

Deno.test("a cookie that express-session signed is taken under each of its secrets", async () => {
  for (const newSecret of [OLDEST, [OLD, OLDEST]]) {
    await using servers = await rig(OLDEST, newSecret);
    const browser = await signIn(servers.old);
    assertEquals(await browser.request(servers.app, "/"), SIGNED_IN);
  }
  // It signs with the first of several.
  await using servers = await rig([OLD, OLDEST], [OLD]);
  const browser = await signIn(servers.old);
  assertEquals(await browser.request(servers.app, "/"), SIGNED_IN);
});

Deno.test("a cookie is refused without its signature, with a false one, and under no secret", async () => {
  await using servers = await rig(OLD, [OLD]);
  await using others = await rig(OLD, [OLDEST]);
  const cookie = await (await signIn(servers.old)).cookies();
  const [name, value] = cookie.split("=");
  const signed = decodeURIComponent(value!);
  const sid = signed.slice(2, signed.lastIndexOf("."));
  const last = signed.at(-1) === "A" ? "B" : "A";
  const wrong = [
    sid,
    `s:${sid}`,
    `s:${sid}.`,
    signed.slice(0, -1) + last,
    signed.replace("s:", "s:x"),
  ];
  for (const value of wrong) {
    for (const sent of [`${name}=${encodeURIComponent(value)}`, `pagi_session=${value}`]) {
      assertEquals((await send(servers.app, "/", sent)).data, {}, sent);
    }
  }
  assertEquals((await send(others.app, "/", cookie)).data, {});
  // None of that has harmed the session.
  assertEquals((await send(servers.app, "/", cookie)).data, SIGNED_IN);
});
