/** A server whose clock is far ahead takes nothing away from the users of the other servers. */
import { assertEquals } from "@std/assert";
import { SessionMiddleware, type SessionOptions, type VersionedStore } from "@pagi/session";
import { Browser, POLL } from "../_kit/browser.ts";
import { around, type Rig, rigOn, testOn, VERSIONED } from "../_kit/stores.ts";

const MINUTE = 60;
const HOUR = 3600;
const TWO_HOURS = 2 * HOUR;
const A_DAY = { expire: 24 * HOUR };

/** A server whose clock is `seconds` ahead. */
const ahead = (rig: Rig, seconds: number, options: Partial<SessionOptions> = {}) =>
  rig.server({ now: () => rig.clock.now() + seconds * 1000, ...options });

/** A browser with the cookie of another one, on another server. */
const on = (server: SessionMiddleware, rig: Rig, { value }: Browser) =>
  new Browser(server, rig.clock.now, value);

for (const first of ["begins", "is renewed"]) {
  testOn(
    VERSIONED,
    `a page that polls keeps its cookie when it ${first} on a server 35 minutes ahead`,
    { expire: HOUR },
    async (rig) => {
      const { clock } = rig;
      const server = ahead(rig, 35 * MINUTE);
      const browser = on(first === "begins" ? server : rig.sessions, rig, rig.browser());
      await browser.visit((session) => session.set("n", 1), POLL);
      for (let minute = 1; minute < 200; minute++) {
        clock.advance(MINUTE);
        assertEquals([minute, browser.hasCookie], [minute, true]);
        const other = minute === 29 && first === "is renewed" ? server : rig.sessions;
        const reply = await on(other, rig, browser).send((session) => session.get("n"), POLL);
        assertEquals(reply.value, 1);
        browser.receive(reply);
      }
    },
  );
}

testOn(
  VERSIONED,
  "an ID in its grace stays valid when a server two hours ahead writes",
  A_DAY,
  async (rig) => {
    const browser = await rig.start((session) => session.set("n", 0));
    const old = browser.value;
    await browser.visit((session) => session.rotate());
    await browser.visit((session) => session.set("n", 1));
    await on(ahead(rig, TWO_HOURS), rig, browser).visit((session) => session.set("n", 2));
    rig.clock.advance(1);
    assertEquals((await rig.load(old))?.n, 2);
  },
);

Deno.test("a write that arrives twice counts once when a server two hours ahead writes in between", async () => {
  using rig = await rigOn(VERSIONED.MemoryStore!, A_DAY);
  let between: (() => Promise<unknown>) | undefined;
  const store = around(rig.store as VersionedStore, async (name, call) => {
    const answer = await call();
    const others = name === "replace" ? between : undefined;
    if (others === undefined) return answer;
    between = undefined;
    await others();
    return await call();
  });
  const options = { secret: "the secret of the tests: 32 bytes or more", store, ...A_DAY };
  const { now } = rig.clock;
  const sessions = new SessionMiddleware({ ...options, now });
  const other = new SessionMiddleware({ ...options, now: () => now() + TWO_HOURS * 1000 });
  const browser = new Browser(sessions, now);
  const increment = (server: SessionMiddleware) =>
    on(server, rig, browser).visit((session) => session.update("n", (n) => Number(n) + 1));
  await browser.visit((session) => session.set("n", 0));
  between = () => increment(other);
  await increment(sessions);
  assertEquals((await browser.visit((session) => session.get("n"))).value, 2);
});

Deno.test("a session is listed when a server two hours ahead prunes the list before it is written", async () => {
  using rig = await rigOn(VERSIONED.MemoryStore!, A_DAY);
  let between: (() => Promise<unknown>) | undefined;
  const store = around(rig.store as VersionedStore, async (name, call, [key]) => {
    if (name === "create" && String(key).length === 32 && between !== undefined) {
      const others = between;
      between = undefined;
      await others();
    }
    return await call();
  });
  const options = { secret: "the secret of the tests: 32 bytes or more", store, ...A_DAY };
  const { now } = rig.clock;
  const sessions = new SessionMiddleware({ ...options, now });
  const other = new SessionMiddleware({ ...options, now: () => now() + TWO_HOURS * 1000 });
  const signIn = async (server: SessionMiddleware) => {
    const browser = new Browser(server, now);
    await browser.visit((session) => void (session.subject = "ada"));
    return browser;
  };
  for (let count = 0; count < 14; count++) await signIn(sessions);
  // The list has sixteen entries then, so that it is pruned.
  between = () => signIn(other);
  const last = await signIn(sessions);
  assertEquals((await sessions.list("ada")).length, 16);
  await sessions.destroyAll("ada");
  assertEquals((await last.visit((session) => session.subject)).value, undefined);
});
