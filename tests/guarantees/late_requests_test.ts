/** A request with a replaced ID is late. It changes nothing, but its user can sign in and out. */
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BearerState,
  HeaderState,
  Session,
  type SessionAbsence,
  SessionError,
  type SessionOptions,
} from "@pagi/session";
import { type Browser, FORM, type Kind, PAGE, POLL, type Work } from "../_kit/browser.ts";
import { Client, respond } from "../_kit/client.ts";
import { idOf, keyOf, requestWith } from "../_kit/helpers.ts";
import { refused } from "../_kit/tabs.ts";
import { ENDING, type Rig, rigOn, testOn, VERSIONED } from "../_kit/stores.ts";

const MINUTE = 60;
const HOUR = 3600;
/** An encrypted cookie is only known as long as its session could be active. */
const LONG = { expire: 3 * HOUR };

const fill = (session: Session) => session.set("cart", ["apple"]);
const read = (session: Session) => session.get("cart", undefined);
const write = (session: Session) => session.set("n", 1);
const absence = (session: Session) => session.absence;
const destroy = (session: Session) => session.destroy();

/** Requests of a browser that open no page at the top level. */
const EMBEDDED: Readonly<Record<string, Kind>> = {
  "a page that is loaded in advance": {
    headers: { ...PAGE.headers, "sec-purpose": "prefetch;prerender" },
  },
  "a page that Firefox loads in advance": { headers: { ...PAGE.headers, "x-moz": "prefetch" } },
  "an iframe": { headers: { ...PAGE.headers, "sec-fetch-dest": "iframe" } },
  "fetch()": POLL,
  "fetch() of HTML": { headers: { ...PAGE.headers, "sec-fetch-dest": "empty" } },
  "an image": { headers: { "sec-fetch-dest": "image", accept: "image/*,*/*" } },
  "a form": FORM,
  "a form of another site": {
    method: "POST",
    headers: { ...PAGE.headers, "sec-fetch-site": "cross-site" },
  },
  "a form of an older browser": { method: "POST", headers: { accept: "text/html" } },
  "a script without headers": {},
};

/** Signs a user in. Resolves to the browser and to one that has the ID of before. */
async function signIn(rig: Rig): Promise<{ current: Browser; late: Browser }> {
  const current = await rig.start(fill);
  const late = rig.browser(current.value);
  late.id = current.id;
  await current.visit((session) => session.set("user", "ada").subject = "ada");
  return { current, late };
}

/** Lets time pass in which the session is used. */
async function wait({ clock }: Rig, current: Browser, seconds: number): Promise<void> {
  const step = 20 * MINUTE;
  for (let left = seconds; left > 0; left -= step) {
    clock.advance(Math.min(left, step));
    await current.visit(read);
  }
}

async function assertUntouched(current: Browser): Promise<void> {
  const { value } = await current.visit((session) => session.slice("cart", "user", "n"));
  assertEquals(value, { cart: ["apple"], user: "ada" });
}

testOn(
  ENDING,
  "an upload that was buffered for 66 seconds gets no cookie, and its write is refused",
  async (rig) => {
    const { current, late } = await signIn(rig);
    rig.clock.advance(66);
    for (const kind of [FORM, POLL, { ...POLL, method: "PUT" }]) {
      assertEquals(await refused(late.visit(write, kind)), "ERR_SESSION_INTERRUPTED");
      const { value, cookies } = await late.visit(
        (session) => [session.absence, session.id, session.keys()],
        kind,
      );
      assertEquals([value, cookies], [["replaced", undefined, []], []]);
    }
    await assertUntouched(current);
  },
);

testOn(
  ENDING,
  "a navigation starts a new session 130 seconds after the regeneration, and not before",
  async (rig) => {
    const { current, late } = await signIn(rig);
    for (const seconds of [0, 10, 66, 54]) {
      rig.clock.advance(seconds);
      assertEquals(await refused(late.visit(write, PAGE)), "ERR_SESSION_INTERRUPTED");
      const { value, cookies } = await late.visit(absence, PAGE);
      assertEquals([value, cookies], ["replaced", []]);
    }
    rig.clock.advance(1);
    const old = late.id;
    const { value, cookies } = await late.visit((session) => {
      const why = session.absence;
      write(session);
      return why;
    }, PAGE);
    assertEquals([value, cookies.length], ["replaced", 1]);
    assert(late.id !== undefined && late.id !== old && late.id !== current.id);
    assertEquals((await late.visit((session) => session.slice("cart", "n"))).value, { n: 1 });
    await assertUntouched(current);
  },
);

testOn(
  ENDING,
  "a navigation without Sec-Fetch headers starts a new session if it accepts HTML",
  async (rig) => {
    const { current, late } = await signIn(rig);
    rig.clock.advance(131);
    const other = rig.browser(late.value);
    assertEquals(
      await refused(other.visit(write, { headers: { accept: "*/*" } })),
      "ERR_SESSION_INTERRUPTED",
    );
    assertEquals((await late.visit(write, { headers: { accept: "text/html" } })).cookies.length, 1);
    await assertUntouched(current);
  },
);

for (const [what, kind] of Object.entries(EMBEDDED)) {
  testOn(
    ENDING,
    `${what} does not start a new session within an hour and two minutes`,
    LONG,
    async (rig) => {
      const { current, late } = await signIn(rig);
      for (const seconds of [0, 131, HOUR - 131, 2 * MINUTE]) {
        await wait(rig, current, seconds);
        assertEquals(await refused(late.visit(write, kind)), "ERR_SESSION_INTERRUPTED");
        const { value, cookies } = await late.visit(absence, kind);
        assertEquals([value, cookies], ["replaced", []]);
      }
      await assertUntouched(current);
      await wait(rig, current, 1);
      const { value, cookies } = await late.visit((session) => {
        write(session);
        return session.absence;
      }, kind);
      assertEquals([value, cookies.length], ["unknown", 1]);
      await assertUntouched(current);
    },
  );

  testOn(ENDING, `a user signs in with ${what} although its ID was replaced`, async (rig) => {
    const { current, late } = await signIn(rig);
    for (const seconds of [0, 131]) {
      rig.clock.advance(seconds);
      for (
        const act of [
          (session) => session.subject = "grace",
          (session) => session.restart().set("user", "grace"),
        ] as Work[]
      ) {
        const other = rig.browser(late.value);
        const { cookies } = await other.visit(act, kind);
        assertEquals(cookies.length, 1);
        const ids = [other.id, late.id, current.id];
        assertEquals(new Set(ids).size, 3);
        const { value } = await other.visit((session) => [
          session.subject ?? session.get("user"),
          session.exists("cart"),
        ]);
        assertEquals(value, ["grace", false]);
        // Its logout does not concern the user's other session either.
        await other.visit(destroy, kind);
        await assertUntouched(current);
      }
    }
  });
}

testOn(ENDING, "a restart that is destroyed again leaves the user's session alone", async (rig) => {
  const { current, late } = await signIn(rig);
  await late.visit((session) => session.restart().set("user", "grace").destroy());
  await assertUntouched(current);
});

testOn(
  ENDING,
  "a restart that writes nothing leaves the client's cookie and its session alone",
  async (rig) => {
    const { current, late } = await signIn(rig);
    const { cookies } = await late.visit((session) => session.restart());
    assertEquals(cookies, []);
    await assertUntouched(current);
  },
);

testOn(ENDING, "a logout with any of the last eight IDs ends the session", async (rig) => {
  const { clock, load, browser } = rig;
  for (let at = 0; at < 8; at++) {
    const current = await rig.start(fill);
    const values: (string | undefined)[] = [];
    for (let time = 0; time < 8; time++) {
      values.push(current.value);
      clock.advance(7 * MINUTE);
      await current.visit((session) => session.set("time", time).regenerate());
    }
    const late = browser(values[at]);
    // Also with a link, which could start anew.
    if (at % 2 === 1) clock.advance(131);
    const { cookies } = await late.visit(destroy, [POLL, FORM, PAGE][at % 3]);
    assertEquals([cookies.length, late.value], [1, undefined]);
    assertEquals(await load(current.value), undefined);
    assertEquals((await current.visit(read)).value, undefined);
  }
});

testOn(
  ENDING,
  "a logout with an ID that was replaced more than an hour and two minutes ago ends nothing",
  LONG,
  async (rig) => {
    const { current, late } = await signIn(rig);
    await wait(rig, current, HOUR + 2 * MINUTE + 1);
    await late.visit(destroy);
    await assertUntouched(current);
  },
);

testOn(
  VERSIONED,
  "a logout with such an ID ends nothing although the ID has changed since",
  LONG,
  async (rig) => {
    const { current, late } = await signIn(rig);
    await wait(rig, current, HOUR);
    await current.visit((session) => session.regenerate());
    await wait(rig, current, 2 * MINUTE + 1);
    // The session's last ID has been replaced lately, but this one has not.
    const { value, cookies } = await late.visit((session) => {
      const why = session.absence;
      destroy(session);
      return why;
    });
    assertEquals([value, cookies.length], ["replaced", 1]);
    await assertUntouched(current);
  },
);

testOn(VERSIONED, "a slow write undoes no login after nine regenerations", async (rig) => {
  const current = await rig.start(fill);
  const first = rig.browser(current.value);
  for (let time = 0; time < 9; time++) await current.visit((session) => session.regenerate());
  await current.visit((session) => session.set("user", "ada").subject = "ada");
  // The record does not hold this ID any more.
  assertEquals(await refused(first.visit(write)), "ERR_SESSION_INTERRUPTED");
  assertEquals((await first.visit(absence)).value, "replaced");
  // So it cannot end the session.
  await first.visit(destroy);
  await assertUntouched(current);
});

testOn(
  VERSIONED,
  "an ID with the right key and a wrong verifier reads, writes and ends nothing",
  async (rig) => {
    const { sessions, clock } = rig;
    const victim = await rig.start(fill);
    const forged = () => rig.browser(idOf("e").slice(32) + keyOf(victim.id!));
    const attack = async (expected: SessionAbsence) => {
      for (const kind of [POLL, PAGE, FORM]) {
        const seen = await forged().visit((session) => [session.absence, session.keys()], kind);
        assertEquals([seen.value, seen.cookies], [[expected, []], []]);
        const attacker = forged();
        const writing = attacker.visit(write, kind);
        if (expected === "replaced") {
          assertEquals(
            await refused(writing),
            "ERR_SESSION_INTERRUPTED",
          );
        } else {
          await writing;
          assertNotEquals(keyOf(attacker.id!), keyOf(victim.id!));
        }
        await forged().visit(destroy, kind);
        await forged().visit((session) => session.restart().set("user", "mallory"), kind);
      }
      assertEquals(await rig.load(forged().value), undefined);
      const change = () => sessions.update(forged().value!, (data) => data.n = 1);
      assertEquals(await refused(change()), "ERR_SESSION_INTERRUPTED");
      assertEquals((await victim.visit((session) => session.slice("cart", "n"))).value, {
        cart: ["apple"],
      });
    };
    await attack("unknown");
    // It may be an ID that the record has held: no login may be undone.
    await victim.visit((session) => session.regenerate());
    await attack("replaced");
    await wait(rig, victim, HOUR + 2 * MINUTE + 1);
    await attack("unknown");
    // Only the server ends a session by its key.
    clock.advance(1);
    assertEquals(await sessions.destroy(forged().value!), true);
    assertEquals(await rig.load(victim.value), undefined);
  },
);

testOn(
  VERSIONED,
  "an ID with the right key and a wrong verifier does not tell that the session has expired",
  async (rig) => {
    const victim = await rig.start(fill);
    rig.clock.advance(HOUR + 2 * MINUTE);
    assertEquals((await rig.browser(victim.value).visit(absence)).value, "expired");
    const forged = rig.browser(idOf("e").slice(32) + keyOf(victim.id!));
    assertEquals((await forged.visit(absence)).value, "unknown");
  },
);

const EXPLICIT: Readonly<
  Record<string, { state: SessionOptions["state"]; present(id: string): Record<string, string> }>
> = {
  HeaderState: {
    state: new HeaderState({ headerName: "X-Session", emit: "X-Session" }),
    present: (id) => ({ "x-session": id }),
  },
  BearerState: {
    state: new BearerState({ emit: "X-Session" }),
    present: (id) => ({ authorization: `Bearer ${id}` }),
  },
};

for (const [name, { state, present }] of Object.entries(EXPLICIT)) {
  testOn(
    VERSIONED,
    `a client of ${name} with a replaced ID can start a new session immediately, and can sign out`,
    { state },
    async (rig) => {
      const { sessions } = rig;
      const visit = async <T>(id: string | undefined, work: (session: Session) => T) => {
        let value: T;
        const request = requestWith(id === undefined ? {} : present(id));
        const response = await sessions.run(request, (session) => {
          value = work(session);
          return new Response();
        });
        return { value: value!, told: response.headers.get("x-session") ?? undefined };
      };
      const old = (await visit(undefined, fill)).told!;
      const current = (await visit(old, (session) => session.subject = "ada")).told!;
      assertEquals((await visit(old, absence)).value, "unknown");
      const anew = await visit(old, write);
      assert(anew.told !== undefined && anew.told !== old && anew.told !== current);
      assertEquals((await visit(current, (session) => session.slice("cart", "n"))).value, {
        cart: ["apple"],
      });
      const { value } = await visit(anew.told, (session) => session.slice("cart", "n"));
      assertEquals(value, { n: 1 });
      // A WebSocket's handler sees the same.
      let seen: unknown;
      const app = sessions.wrap((scope) => void (seen = new Session(scope).absence));
      const receive = () => Promise.resolve({ type: "websocket.connect" });
      const headers = Object.entries(present(old));
      await app({ type: "websocket", path: "/", headers }, receive, () => Promise.resolve());
      assertEquals(seen, "unknown");

      await visit(old, destroy);
      assertEquals((await visit(current, absence)).value, "unknown");
      assertEquals((await visit(anew.told, absence)).value, undefined);
    },
  );
}

testOn(
  VERSIONED,
  "session.absence says why there is no session, for each reason and in every kind of scope",
  async (rig) => {
    const { sessions, clock } = rig;
    const expired = await rig.start(fill);
    clock.advance(HOUR + 2 * MINUTE);
    const { current, late } = await signIn(rig);
    const other = await rig.start(fill);
    const cookieOf = ({ value }: { value?: string }) => `pagi_session=${value}`;
    const cases: [cookie: string | undefined, SessionAbsence | undefined][] = [
      [undefined, "none"],
      [cookieOf({ value: idOf("0") }), "unknown"],
      [cookieOf({ value: "nonsense" }), "unknown"],
      [cookieOf(expired), "expired"],
      [cookieOf(late), "replaced"],
      [`${cookieOf(current)}; ${cookieOf(other)}`, "ambiguous"],
      [Array.from("12345", (digit) => cookieOf({ value: idOf(digit) })).join("; "), "ambiguous"],
      [cookieOf(current), undefined],
      // What says more, in either order.
      [`${cookieOf(expired)}; ${cookieOf({ value: idOf("0") })}`, "expired"],
      [`${cookieOf({ value: idOf("0") })}; ${cookieOf(expired)}`, "expired"],
      [`${cookieOf(late)}; ${cookieOf(expired)}`, "replaced"],
      [`${cookieOf(expired)}; ${cookieOf(late)}`, "replaced"],
      [`${cookieOf(late)}; ${cookieOf(current)}`, undefined],
    ];
    for (const [cookie, expected] of cases) {
      const headers: Record<string, string> = cookie === undefined ? {} : { cookie };
      const seen: Record<string, unknown> = {};
      await sessions.run(requestWith(headers), (session) => {
        seen.run = session.absence;
        return new Response();
      });
      for (const type of ["http", "websocket", "sse"]) {
        const app = sessions.wrap(async (scope, _receive, send) => {
          seen[type] = new Session(scope).absence;
          if (type === "http") await respond(send);
        });
        await new Client(app, cookie).request({ type });
      }
      const open = await sessions.open(requestWith(headers));
      seen.open = open.session.absence;
      await open.abort();
      assertEquals(seen, {
        run: expected,
        http: expected,
        websocket: expected,
        sse: expected,
        open: expected,
      }, cookie);
    }
  },
);

Deno.test("session.absence ends when a session is restarted or saved", async () => {
  using rig = await rigOn(VERSIONED.MemoryStore!);
  const seen: unknown[] = [];
  let streaming: Session | undefined;
  const browser = rig.browser();
  await browser.visit((session) => {
    seen.push(session.absence);
    fill(session);
    seen.push(session.absence);
    streaming = session;
  });
  // While the response streams.
  seen.push(streaming!.absence);
  await browser.visit((session) => void seen.push(session.absence));
  assertEquals(seen, ["none", "none", undefined, undefined]);
});

testOn(ENDING, "a late request sees no data through any way to the session", async (rig) => {
  const { current, late } = await signIn(rig);
  await late.visit((session) => {
    assertEquals([session.keys(), session.slice("user"), session.subject, session.id], [
      [],
      {},
      undefined,
      undefined,
    ]);
    for (
      const act of [
        () => session.regenerate(),
        () => session.rotate(),
        () => session.clear(),
        () => session.delete("cart"),
        () => session.update("n", () => 1),
        () => session.data.n = 1,
        () => session.data._subject = "grace",
        () => session.subject = undefined,
      ]
    ) {
      assertEquals(assertThrows(act, SessionError).code, "ERR_SESSION_INTERRUPTED", String(act));
    }
  });
  await assertRejects(() => rig.sessions.update(late.id!, () => {}), SessionError);
  await assertUntouched(current);
});

testOn(
  ENDING,
  "a login form works without subject and restart() when a page was opened before it",
  LONG,
  async (rig) => {
    const login = (session: Session) => session.set("user", "ada").regenerate();
    const browser = await rig.start(fill);
    // The response is lost.
    await browser.send(login, FORM);
    rig.clock.advance(131);
    await browser.visit(read, { ...PAGE, responseHeaders: { "cache-control": "public" } });
    await assertRejects(() => browser.visit(login, FORM), SessionError);
    assertEquals((await browser.visit(read, PAGE)).value, undefined);
    await browser.visit(login, FORM);
    assertEquals((await browser.visit((session) => session.get("user"))).value, "ada");
  },
);
