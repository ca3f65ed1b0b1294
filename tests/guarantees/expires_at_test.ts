/** `expiresAt` is true, whatever requests have done to a session and its lifetime. */
import { assertEquals } from "@std/assert";
import {
  CookieStore,
  type Session,
  type SessionLifetime,
  type SessionOptions,
} from "@pagi/session";
import { type Browser, FORM, PAGE, POLL } from "../_kit/browser.ts";
import { ALL, chance, type Opener, type Rig, rigOn, SECRET, VERSIONED } from "../_kit/stores.ts";

const DAY = 86_400;
const SEEDS = 24;
const WAITS = [0, 1, 10, 50, 200, 1000];
const LIFETIMES: (SessionLifetime | undefined)[] = [
  undefined,
  { idle: 1 },
  { idle: 19 },
  { idle: 600 },
  { idle: 30 * DAY },
  { idle: 500 * DAY },
  { persistent: false },
  { absolute: 5000 },
  { idle: 600, absolute: 300 },
  { idle: DAY, absolute: DAY + 100 },
];
const OPTIONS: Partial<SessionOptions>[] = [
  {},
  { absoluteExpire: 10_000 },
  { absoluteExpire: 400, expire: 100 },
  { touchInterval: 0 },
  { rolling: false, rotateInterval: 50 },
];
const STORES: Readonly<Record<string, Opener>> = {
  ...ALL,
  CookieStore: (now) => {
    return {
      store: new CookieStore({ secret: SECRET, now }),
      isWithClient: true,
      records: () => 0,
    };
  },
};

/** What a handler may do that concerns the end of its session. */
const acts = (random: (below: number) => number): ((session: Session) => unknown)[] => [
  (session) => session.lifetime = LIFETIMES[random(LIFETIMES.length)],
  (session) => session.lifetime = LIFETIMES[random(LIFETIMES.length)],
  (session) => session.regenerate(),
  (session) => session.regenerate({ authenticated: true }),
  (session) => session.rotate(),
  (session) => session.subject = random(2) === 0 ? "ada" : "bob",
  (session) => session.set("n", random(99)),
  (session) => session.flash("info", "saved"),
  (session) => session.get("n", 0),
];

/** A session after some requests, and its end as the last of them has seen it. */
async function history(rig: Rig, seed: number, isVersioned: boolean) {
  const random = chance(seed);
  const pick = <T>(list: readonly T[]) => list[random(list.length)]!;
  const all = acts(random);
  const work = async (session: Session) => {
    pick(all)(session);
    await undefined;
    pick(all)(session);
    if (random(4) === 0) await session.save();
    return session.expiresAt!;
  };
  const visit = (browser: Browser) => browser.send(work, pick([PAGE, POLL, FORM]));
  const browser = await rig.start((session) => session.set("n", 0).subject = "ada");
  browser.ignoresMaxAge = true;
  let seen: number | undefined;
  for (let step = 0; step < 5; step++) {
    rig.clock.advance(pick(WAITS));
    if (await rig.load(browser.value) === undefined) return undefined;
    const count = isVersioned && random(3) === 0 ? 2 : 1;
    const replies = await Promise.allSettled(Array.from({ length: count }, () => visit(browser)));
    for (const reply of replies) {
      // Of two logins, only one succeeds.
      if (reply.status === "rejected" && count === 1) throw reply.reason;
      if (reply.status === "fulfilled") browser.receive(reply.value);
    }
    const [reply] = replies;
    seen = count === 1 && reply?.status === "fulfilled" ? reply.value.value : undefined;
  }
  return { browser, seen };
}

for (const [name, open] of Object.entries(STORES)) {
  const isVersioned = name in VERSIONED;
  Deno.test(`${name}: a session ends when expiresAt says, within a touch`, async () => {
    let checked = 0;
    for (const [at, options] of OPTIONS.entries()) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const title = `options ${at}, seed ${seed}`;
        using rig = await rigOn(open, options);
        const { clock, sessions } = rig;
        const found = await history(rig, seed * OPTIONS.length + at, isVersioned);
        if (found === undefined) continue;
        const headers = { cookie: `pagi_session=${found.browser.value}` };
        const load = () => sessions.load(new Request("http://localhost/", { headers }));
        const loaded = await load();
        if (loaded === undefined) continue;
        const { lifetime, subject } = loaded;
        const end = loaded.expiresAt!;
        const idle = lifetime?.idle ?? options.expire ?? 3600;
        const touch = Math.min(options.touchInterval ?? 60, idle / 20);
        // A request that was not noted may be later than the one that was.
        const late = (found.seen ?? end) - end;
        assertEquals(late >= 0 && late <= touch, true, `${title}: ${late} later`);
        const listed = async () => isVersioned ? await sessions.list(subject!) : undefined;
        assertEquals((await listed() ?? [loaded]).map((one) => one.expiresAt), [end], title);
        clock.advance(Math.max(0, end - clock.seconds()));
        assertEquals((await load())?.expiresAt, end, `${title}: before its end`);
        assertEquals((await listed() ?? [loaded]).length, 1, `${title}: listed`);
        clock.advance(touch + 1);
        assertEquals(await load(), undefined, `${title}: after its end`);
        checked++;
      }
    }
    assertEquals(checked > SEEDS, true, `${checked}`);
  });
}
