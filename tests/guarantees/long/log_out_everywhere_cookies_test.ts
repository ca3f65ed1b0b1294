/**
 * `sessions.destroyAll()` on a CookieStore with revocations, in random races on several servers
 * whose clocks differ, with cached answers, calls that fail or arrive twice, and writes in progress.
 */
import { assert, assertEquals } from "@std/assert";
import { MemoryStore, type Session, SessionMiddleware, type VersionedStore } from "@pagi/session";
import { CookieStore } from "../../../store/cookie.ts";
import { fakeClock } from "../../_kit/helpers.ts";
import { around, chance, SECRET, slow } from "../../_kit/stores.ts";

const RUNS = 1500;
const STEPS = 14;
const EXPIRE = 1000;
const CACHE = 30;
const MAX_SKEW = 240;
const NAME = "pagi_session";

/** A value that a client received. */
interface Value {
  value: string;
  /** When the request that made it began and when it was answered, in steps of the run. */
  sentAt: number;
  answeredAt: number;
  /** The same by the clock, in Unix seconds. */
  at: number;
}

/** A session that was signed in, as its client and the rules know it. */
interface Known {
  id: string;
  values: Value[];
  /** When its sign-in was sent. */
  signedInAt: number;
  /** Whether it may have ended in another way, or got another ID from a request that was lost. */
  isUncertain: boolean;
}

/** A call of `destroyAll()`. */
interface Call {
  kept: Known | undefined;
  sentAt: number;
  /** `undefined` if it has failed, so that it may have taken effect or not. */
  answeredAt: number | undefined;
}

/** Fails some calls before or after they take effect, and sends some writes twice. */
function unreliable(inner: VersionedStore, random: (below: number) => number, rate: number) {
  return around(inner, async (name, call) => {
    const fate = rate === 0 ? 99 : random(rate);
    if (fate === 0) throw new Error("connection refused");
    const answer = await call();
    if (fate === 1) throw new Error("connection reset");
    if (fate !== 2 || name === "read") return answer;
    // The client lost the first answer and has sent the call again.
    return await call();
  });
}

/** One random race. Returns how many values were checked, and what went wrong. */
async function race(seed: number) {
  const random = chance(seed);
  const clock = fakeClock();
  const inner = new MemoryStore({ now: clock.now });
  const revocations = unreliable(slow(inner, seed), random, seed % 2 === 0 ? 0 : 12);
  const servers = [0, 120, -120].slice(0, 1 + random(3)).map((skew, at) => {
    const now = () => clock.now() + skew * (at === 0 ? 1 : 0.5) * 1000;
    const revocationCache = random(2) * CACHE;
    const store = new CookieStore({ secret: SECRET, revocations, revocationCache, now });
    return new SessionMiddleware({ secret: "ids", store, now, expire: EXPIRE });
  });
  const anyServer = () => servers[random(servers.length)]!;
  let time = 0;
  const known: Known[] = [];
  const calls: Call[] = [];

  const request = async (cookie: string | undefined, work: (session: Session) => unknown) => {
    const sentAt = ++time;
    const headers = cookie === undefined ? undefined : { cookie: `${NAME}=${cookie}` };
    let used: Session;
    const response = await anyServer().run(
      new Request("http://localhost/", { headers }),
      async (session) => {
        used = session;
        await work(session);
        return new Response();
      },
    );
    const { id } = used!;
    const value = response.headers.getSetCookie()[0]?.split(";")[0]?.slice(NAME.length + 1);
    return { value: value || undefined, id, sentAt, answeredAt: ++time, at: clock.seconds() };
  };
  const signIn = async () => {
    const answer = await request(undefined, (session) => session.subject = "ada");
    known.push({
      id: answer.id!,
      values: [{ ...answer, value: answer.value! }],
      signedInAt: answer.sentAt,
      isUncertain: false,
    });
  };
  const change = async (one: Known) => {
    const { value } = one.values.at(-1)!;
    const isRenewal = random(3) === 0;
    try {
      const answer = await request(value, (session) => {
        if (session.subject !== "ada") return;
        session.set("n", random(1000));
        if (isRenewal) session.regenerate();
      });
      if (answer.value !== undefined) one.values.push({ ...answer, value: answer.value });
    } catch {
      // A store that failed may have noted the new ID, which the client does not know.
      if (isRenewal) one.isUncertain = true;
    }
  };
  const end = async (kept: Known | undefined) => {
    const call: Call = { kept, sentAt: ++time, answeredAt: undefined };
    calls.push(call);
    await anyServer().destroyAll("ada", kept && { except: kept.id });
    call.answeredAt = ++time;
  };
  const isOpen = async (value: string, on: SessionMiddleware) => {
    const headers = { cookie: `${NAME}=${value}` };
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        return (await on.load(new Request("http://localhost/", { headers })))?.subject === "ada";
      } catch {
        // The store has failed. Ask again.
      }
    }
    throw new Error("The store fails all the time");
  };

  // In some runs, all calls keep the same session.
  const favorite = (one: Known | undefined) => seed % 3 === 0 ? known[0] : one;
  for (let step = 0; step < STEPS; step++) {
    const busy = new Set<Known>();
    const works = Array.from({ length: 1 + random(4) }, () => {
      const one = known[random(known.length)];
      switch (random(one === undefined ? 1 : 6)) {
        case 0:
        case 1:
          return signIn();
        case 2:
        case 3:
          // Two requests that both change the ID are another test's subject.
          if (busy.has(one!)) return undefined;
          busy.add(one!);
          return change(one!);
        case 4:
          return end(favorite(undefined));
        default:
          return end(favorite(one));
      }
    });
    await Promise.allSettled(works);
    if (random(3) === 0) clock.advance(random(400));
  }
  // By now no server has an answer from before.
  clock.advance(CACHE + 1);
  const wrong: string[] = [];
  let checked = 0;
  for (const one of known) {
    for (const value of one.values) {
      // If the session existed when a call began, which did not keep it, no value of it is valid.
      const isEnded = calls.some((call) =>
        call.kept !== one && call.answeredAt !== undefined &&
        one.values[0]!.answeredAt < call.sentAt
      );
      // The last value stays valid if nothing may have ended it: every call kept the session, or
      // was over before the sign-in.
      const mayHaveExpired = clock.seconds() - value.at > EXPIRE - MAX_SKEW;
      const mayHaveEnded = one.isUncertain || mayHaveExpired || value !== one.values.at(-1) ||
        calls.some((call) =>
          call.kept !== one && (call.answeredAt === undefined || call.answeredAt > one.signedInAt)
        );
      for (const server of servers) {
        const open = await isOpen(value.value, server);
        if (isEnded && open) wrong.push("a session that was ended is open");
        if (!mayHaveEnded && !open) wrong.push("a session that was not ended is closed");
      }
      if (isEnded || !mayHaveEnded) checked++;
    }
  }
  return { checked, wrong };
}

Deno.test("destroyAll() ends what it must and nothing else in random races of cookies", async () => {
  let checked = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const result = await race(seed);
    assertEquals(result.wrong, [], `seed ${seed}`);
    checked += result.checked;
  }
  assert(checked > 5 * RUNS, `${checked}`);
});
