import { assertEquals } from "@std/assert";
import { createClient } from "npm:redis@6.3.1";
import { anyRedis, redisMissing, serverTest } from "../integration/_servers.ts";
import { Browser, send } from "./_browser.ts";
import { load, Program, programOf } from "./_programs.ts";
import { goOn, SIGNED_IN, signIn, type Story } from "./_story.ts";

const SECRETS = {
  SECRET: "the new secret, of at least 32 bytes",
  OLD_SECRET: "the old secret, of at least 32 bytes",
};

/** Runs both programs of a library. Resolves to the cookies that a logout has ended. */
async function changeOver(library: string, env: Record<string, string>, story: Story) {
  const [before, after] = [await programOf(library, "Before"), await programOf(library, "After")];
  const signedIn = async () => {
    await using old = await Program.start(before, env);
    return [await signIn(old.url), await signIn(old.url)];
  };
  const [browser, other] = await signedIn();
  const changedOver = async () => {
    await using app = await Program.start(after, env);
    const dead = await goOn(browser!, app.url, story);
    // One logs out; of another nothing is lost, and a new sign-in works.
    assertEquals(await other!.request(app.url, "/"), SIGNED_IN);
    await signIn(app.url);
    return dead;
  };
  const dead = await changedOver();
  return { dead, startOld: () => Program.start(before, env) };
}

Deno.test("the documented programs of after have the right types", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pagi-migrate-" });
  try {
    const libraries = [
      "express-session to a fetch handler",
      "hono-sessions",
      "iron-session",
      "PAGI in Perl",
    ];
    const files = await Promise.all(libraries.map(async (library, at) => {
      const file = `${folder}/${at}.ts`;
      await Deno.writeTextFile(file, await programOf(library, "After"));
      return file;
    }));
    await load("check", ...files);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const section of ["to a fetch handler", "in the same Express app"]) {
  const library = section.startsWith("in")
    ? `express-session, ${section}`
    : `express-session ${section}`;
  serverTest(redisMissing, `${library}, with connect-redis, as documented`, async () => {
    await using redis = await anyRedis();
    const env = { ...SECRETS, REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    const { dead, startOld } = await changeOver(library, env, { oldCookie: "connect.sid" });
    // The logout holds in the old app too, should somebody start it again.
    await using old = await startOld();
    assertEquals((await send(old.url, "/", dead[0]!)).data, {});
  });
}

Deno.test("hono-sessions with its CookieStore, as documented", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pagi-migrate-" });
  try {
    const env = { ...SECRETS, DATABASE: `${folder}/sessions.db` };
    await changeOver("hono-sessions", env, { oldCookie: "session" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("iron-session, as documented", async () => {
  await changeOver("iron-session", SECRETS, { oldCookie: "iron", isSealed: true });
});

serverTest(redisMissing, "PAGI's data in Redis, as documented", async () => {
  await using redis = await anyRedis();
  const url = `redis://127.0.0.1:${redis.port}`;
  const client = await createClient({ url }).connect();
  try {
    const id = crypto.getRandomValues(new Uint8Array(32)).toHex();
    const now = Math.floor(Date.now() / 1000);
    const record = { _id: id, _created: now - 9, _last_access: now - 5, ...SIGNED_IN };
    await client.set(`session:${id}`, JSON.stringify(record));
    const browser = new Browser();
    await browser.take(`pagi_session=${id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600`);
    const after = await programOf("PAGI in Perl", "After");
    await using app = await Program.start(after, { ...SECRETS, REDIS_URL: url });
    await goOn(browser, app.url, { oldCookie: "pagi_session" });
    assertEquals(await client.exists(`session:${id}`), 0);
  } finally {
    await client.close();
  }
});
