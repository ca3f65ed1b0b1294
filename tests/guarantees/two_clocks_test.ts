/** Servers whose clocks differ share a store: no user is signed out, and no session ends early. */
import { assert, assertEquals } from "@std/assert";
import type { Session, SessionMiddleware, SessionOptions } from "@pagi/session";
import { type Browser, FORM, type Kind, PAGE, POLL, type Work } from "../_kit/browser.ts";
import { refused } from "../_kit/tabs.ts";
import { type Rig, testOn, VERSIONED } from "../_kit/stores.ts";

const MINUTE = 60;
const HOUR = 3600;
const A_DAY = { expire: 24 * HOUR };

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const write = (session: Session) => session.update("n", (n) => Number(n ?? 0) + 1);
const regenerate = (session: Session) => session.regenerate();

/** Makes a server whose clock is `seconds` ahead of the store's and of the first server's. */
function ahead(
  rig: Rig,
  seconds: number,
  options: Partial<SessionOptions> = {},
): SessionMiddleware {
  return rig.server({ now: () => rig.clock.now() + seconds * 1000, ...options });
}

/** Sends a request of this browser to another server, and receives the response. */
async function visitOn<T>(
  rig: Rig,
  server: SessionMiddleware,
  browser: Browser,
  work: (session: Session) => T,
  kind?: Kind,
) {
  const reply = await rig.browser(browser.value, server).send(work, kind);
  browser.receive(reply);
  return reply;
}

const ACCEPTABLE = { "90 s ahead": 90, "90 s behind": -90 };
const WRONG = { "two hours ahead": 2 * HOUR, "two hours behind": -2 * HOUR };

for (const [how, skew] of Object.entries(ACCEPTABLE)) {
  for (const [what, kind] of Object.entries({ polls: POLL, pages: PAGE })) {
    testOn(
      VERSIONED,
      `${what} on two servers, one ${how}, cause no touches and cookies beyond the usual`,
      async (rig) => {
        const { clock, calls } = rig;
        const run = async (other: SessionMiddleware) => {
          const browser = await rig.start(fill);
          calls.length = 0;
          let cookies = 0;
          for (let request = 0; request < 180; request++) {
            clock.advance(10);
            const server = request % 2 === 0 ? rig.sessions : other;
            const reply = await visitOn(rig, server, browser, read, kind);
            assertEquals(reply.value, ["apple"]);
            cookies += reply.cookies.length;
          }
          return { writes: calls.filter((call) => call !== "read").length, cookies };
        };
        const usual = await run(rig.server());
        const skewed = await run(ahead(rig, skew));
        // The first request on the other server may update the last-access time early.
        assert(skewed.writes <= usual.writes + 1, JSON.stringify({ usual, skewed }));
        assert(skewed.cookies <= usual.cookies + 1, JSON.stringify({ usual, skewed }));
      },
    );
  }

  testOn(
    VERSIONED,
    `a session lives at least expire after its last request if one of two servers is ${how}`,
    async (rig) => {
      const other = ahead(rig, skew);
      for (const last of [rig.sessions, other]) {
        const browser = await rig.start(fill);
        browser.ignoresMaxAge = true;
        for (let request = 0; request < 30; request++) {
          rig.clock.advance(25);
          const server = request % 2 === 0 ? rig.sessions : other;
          await visitOn(rig, server, browser, request % 3 === 0 ? write : read);
        }
        await visitOn(rig, last, browser, write);
        rig.clock.advance(HOUR);
        // Within the difference of the clocks.
        const headers = { cookie: `pagi_session=${browser.value}` };
        const request = () => new Request("http://localhost/", { headers });
        rig.clock.advance(-90);
        for (const server of [rig.sessions, other]) {
          assert(await server.load(request()) !== undefined, "it ended early");
        }
        rig.clock.advance(90 + MINUTE + 90 + 1);
        for (const server of [rig.sessions, other]) {
          assertEquals(await server.load(request()), undefined, "it lives too long");
        }
      }
    },
  );

  testOn(
    VERSIONED,
    `a late request cannot undo a login on a server that is ${how}`,
    async (rig) => {
      const other = ahead(rig, skew);
      for (const [signsIn, answers] of [[rig.sessions, other], [other, rig.sessions]] as const) {
        const browser = await rig.start(fill);
        const old = browser.value!;
        await visitOn(rig, signsIn, browser, (session) => session.subject = "ada");
        // Ten seconds for the response of the login, whatever the clocks say.
        for (const seconds of [0, 5, 5]) {
          rig.clock.advance(seconds);
          for (const kind of [PAGE, POLL, FORM]) {
            const late = rig.browser(old, answers);
            assertEquals(await refused(late.visit(write, kind)), "ERR_SESSION_INTERRUPTED");
          }
        }
        // An hour for all other requests.
        for (let minute = 0; minute < 59; minute++) {
          rig.clock.advance(MINUTE);
          await visitOn(rig, signsIn, browser, read);
        }
        const late = rig.browser(old, answers);
        assertEquals(await refused(late.visit(write, POLL)), "ERR_SESSION_INTERRUPTED");
        await rig.browser(old, answers).visit((session) => session.destroy());
        assertEquals(await rig.load(browser.value), undefined);
      }
    },
  );

  testOn(
    VERSIONED,
    `the old ID works for rotateGrace after a rotation on a server that is ${how}`,
    async (rig) => {
      const other = ahead(rig, skew);
      for (const [rotates, answers] of [[rig.sessions, other], [other, rig.sessions]] as const) {
        const browser = await rig.start(fill);
        const old = browser.value!;
        await visitOn(rig, rotates, browser, (session) => session.rotate());
        await visitOn(rig, rotates, browser, write);
        rig.clock.advance(30);
        const { value, id } = await rig.browser(old, answers).send(read);
        assertEquals([value, id], [["apple"], browser.id]);
      }
    },
  );
}

for (const [how, skew] of Object.entries({ ...ACCEPTABLE, ...WRONG })) {
  testOn(
    VERSIONED,
    `a new ID from a server that is ${how} signs nobody out on the other`,
    A_DAY,
    async (rig) => {
      const other = ahead(rig, skew);
      for (const [first, second] of [[rig.sessions, other], [other, rig.sessions]] as const) {
        const browser = rig.browser(undefined, first);
        await browser.visit(fill);
        for (const act of [regenerate, (session: Session) => session.rotate(), regenerate]) {
          await visitOn(rig, first, browser, act);
          for (const server of [second, first]) {
            const { value } = await visitOn(rig, server, browser, (session) => {
              write(session);
              return session.get("cart", undefined);
            }, PAGE);
            assertEquals(value, ["apple"]);
          }
          rig.clock.advance(MINUTE);
        }
      }
    },
  );

  testOn(
    VERSIONED,
    `the user signs in, and out, on either server if one is ${how}`,
    A_DAY,
    async (rig) => {
      const other = ahead(rig, skew);
      const browser = await rig.start(fill);
      for (const [first, second] of [[rig.sessions, other], [other, rig.sessions]] as const) {
        await visitOn(rig, first, browser, (session) => session.subject = "ada");
        assertEquals((await rig.sessions.list("ada")).length, 1);
        assertEquals((await other.list("ada")).length, 1);
        await visitOn(rig, second, browser, (session) => session.destroy());
        assertEquals(browser.value, undefined);
        assertEquals(await rig.sessions.list("ada"), []);
        await browser.visit(fill);
      }
      await browser.visit((session) => session.subject = "ada");
      assertEquals(await other.destroyAll("ada"), 1);
      assertEquals(await rig.load(browser.value), undefined);
    },
  );
}

for (const [how, skew] of Object.entries(WRONG)) {
  for (const expire of [HOUR, 24 * HOUR]) {
    testOn(
      VERSIONED,
      `a server that is ${how} ends and shortens no session of ${expire / HOUR} h`,
      { expire },
      async (rig) => {
        const { clock, sessions } = rig;
        const wrong = ahead(rig, skew);
        const browser = await rig.start(fill);
        browser.ignoresMaxAge = true;
        const { value } = browser;
        const works: Work[] = [read, write, (session) => session.absence];
        for (const [at, kind] of [POLL, PAGE, FORM].entries()) {
          for (const work of works) {
            clock.advance(MINUTE);
            await rig.browser(value, wrong).send(work, kind);
            await wrong.update(value!, (data) => data.at = at).catch(() => {});
            await wrong.load(
              new Request("http://localhost/", {
                headers: { cookie: `pagi_session=${value}` },
              }),
            );
            assertEquals((await browser.visit(read)).value, ["apple"]);
          }
        }
        assertEquals(browser.value, value);
        await browser.visit(write);
        await rig.browser(value, wrong).send(read);
        clock.advance(expire);
        const found = await sessions.load(
          new Request("http://localhost/", {
            headers: { cookie: `pagi_session=${value}` },
          }),
        );
        assertEquals(found?.get("cart"), ["apple"]);
      },
    );
  }

  testOn(
    VERSIONED,
    `sessions.update() on a server that is ${how} shortens no session`,
    A_DAY,
    async (rig) => {
      const wrong = ahead(rig, skew);
      const browser = await rig.start(fill);
      await wrong.update(browser.id!, (data) => data.n = 1);
      rig.clock.advance(24 * HOUR);
      assertEquals(await rig.load(browser.value), { cart: ["apple"], n: 1 });
    },
  );

  testOn(
    VERSIONED,
    `a server that is ${how} does not end a session at its absolute lifetime early`,
    { expire: 4 * HOUR },
    async (rig) => {
      const options = { absoluteExpire: 8 * HOUR };
      const right = rig.server(options);
      const wrong = ahead(rig, skew, options);
      const browser = rig.browser(undefined, right);
      await browser.visit((session) => (fill(session), session.subject = "ada"));
      for (let hour = 1; hour <= 7; hour++) {
        rig.clock.advance(HOUR);
        await rig.browser(browser.value, wrong).send(read);
        await rig.browser(browser.value, wrong).send(write).catch(() => {});
        assertEquals((await browser.visit(read, PAGE)).value, ["apple"], `${hour}`);
      }
      rig.clock.advance(HOUR + 1);
      assertEquals((await browser.visit(read, PAGE)).value, undefined);
    },
  );

  testOn(
    VERSIONED,
    `a write of a server that is ${how} does not end an idle session before its absolute lifetime`,
    { expire: 4 * HOUR },
    async (rig) => {
      const options = { absoluteExpire: 8 * HOUR };
      const right = rig.server(options);
      const browser = rig.browser(undefined, right);
      browser.ignoresMaxAge = true;
      await browser.visit((session) => (fill(session), session.subject = "ada"));
      for (const seconds of [3 * HOUR, 3 * HOUR - 20 * MINUTE]) {
        rig.clock.advance(seconds);
        await browser.visit(read);
      }
      // By a clock that is two hours ahead, 20 minutes are left. Really, it is more than two hours.
      await rig.browser(browser.value, ahead(rig, skew, options)).send(write);
      rig.clock.advance(2 * HOUR);
      assertEquals((await browser.visit(read)).value, ["apple"]);
    },
  );
}
