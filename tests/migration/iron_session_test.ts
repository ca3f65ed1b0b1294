import { assertEquals } from "@std/assert";
import { LegacyCookie, sealedSource } from "@pagi/session/migrate";
import { sealData, unsealData } from "npm:iron-session@8.0.4";
import { Browser, send } from "./_browser.ts";
import { newApp } from "./_new_app.ts";
import { goOn, SIGNED_IN } from "./_story.ts";

const OLDER = "the older password, of 32 characters";
const password = { 1: OLDER, 2: "the newer password, of 32 characters" };

const app = newApp(new LegacyCookie({ cookieName: "iron" }), {
  legacy: sealedSource((value) => unsealData(value, { password })),
});

Deno.test("iron-session to a store: a logout ends what iron-session itself cannot end", async () => {
  const seal = await sealData(SIGNED_IN, { password });
  const browser = new Browser();
  await browser.take(`iron=${seal}; Path=/; HttpOnly; SameSite=Lax`);
  await goOn(browser, app, { oldCookie: "iron" });
  assertEquals(await unsealData(seal, { password }), SIGNED_IN);
});

Deno.test("a value that iron-session sealed with an older password is taken", async () => {
  const seal = await sealData(SIGNED_IN, { password: OLDER });
  assertEquals((await send(app, "/", `iron=${seal}`)).data, SIGNED_IN);
});

Deno.test("a value that iron-session did not seal is no session, and no error", async () => {
  const seal = await sealData(SIGNED_IN, { password: "another password, of 32 characters" });
  const right = await sealData(SIGNED_IN, { password });
  const parts = right.split("*");
  const tampered = parts.map((part, at) => {
    const changed = (part[0] === "A" ? "B" : "A") + part.slice(1);
    return [...parts.slice(0, at), changed, ...parts.slice(at + 1)].join("*");
  });
  for (const value of [seal, "Fe26.2", "junk", right.slice(0, -9), ...tampered]) {
    assertEquals((await send(app, "/", `iron=${value}`)).data, {}, value);
  }
});
