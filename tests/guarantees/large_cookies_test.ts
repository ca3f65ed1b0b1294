/** A session that exceeds one cookie is spread over several, and never put together wrongly. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  CookieState,
  type CookieStateOptions,
  MemoryStore,
  type Session,
  type SessionError,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";
import { CookieStore, type CookieStoreOptions } from "@pagi/session/store/cookie";
import { visitor } from "@pagi/session/testing";
import { cookieOf, fakeClock, SECRET } from "../_kit/helpers.ts";

const URL_OF = "http://localhost/";
/** A text of so many letters. */
const textOf = (length: number, letter = "x") => letter.repeat(length);

/** The formats and revocations of a store. */
const STORES: Readonly<Record<string, () => Partial<CookieStoreOptions>>> = {
  "a CookieStore": () => ({}),
  "a CookieStore with revocations": () => ({ revocations: new MemoryStore() }),
  "a CookieStore in PAGI's format": () => ({ format: "pagi" }),
};

/** Sets up sessions in chunks. */
function setUp(
  store: Partial<CookieStoreOptions> = {},
  state: CookieStateOptions = { chunks: 4 },
  options: Partial<SessionOptions> = {},
) {
  const clock = fakeClock();
  const events: SessionEvent[] = [];
  const sessions = new SessionMiddleware({
    secret: SECRET,
    state: new CookieState(state),
    store: new CookieStore({ secret: SECRET, now: clock.now, ...store }),
    now: clock.now,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  const handler = (work: (session: Session) => unknown) =>
    sessions.handler(async (_request, session) => {
      await work(session);
      return new Response();
    });
  const client = async () => {
    const ada = await visitor(sessions);
    const visit = (work: (session: Session) => unknown) => ada.fetch(handler(work), "/");
    const stored = async () => {
      const session = await ada.session();
      return session?.slice(...session.keys());
    };
    /** The cookies that the next request sends. */
    const cookies = () => (ada.request().headers.get("cookie") ?? "").split("; ").filter(Boolean);
    return { ada, visit, stored, cookies };
  };
  const events_ = () => events.map(({ type }) => type).filter((one) => !one.startsWith("store-"));
  return { clock, sessions, handler, client, events, types: events_ };
}

for (const [name, options] of Object.entries(STORES)) {
  Deno.test(`${name}: a session grows and shrinks over one to four cookies`, async () => {
    const { client } = setUp(options(), { chunks: 4, maxBytes: 4 * 4096 });
    const { visit, stored, cookies } = await client();
    const sizes = [[100, 1], [4000, 2], [7000, 3], [9600, 4], [3500, 2], [100, 1], [0, 1]] as const;
    for (const [size, count] of sizes) {
      await visit((session) => session.set("text", textOf(size)));
      assertEquals(cookies().length, count, `${size}`);
      assertEquals(await stored(), { text: textOf(size) });
    }
    await visit((session) => session.set("text", textOf(7000)));
    await visit((session) => session.regenerate());
    assertEquals(await stored(), { text: textOf(7000) });
    await visit((session) => session.destroy());
    assertEquals([cookies(), await stored()], [[], undefined]);
  });

  Deno.test(`${name}: chunks of two writes open no session, in whatever order they arrive`, async () => {
    const { client, sessions } = setUp(options());
    const { visit, stored, cookies } = await client();
    await visit((session) => session.set("text", textOf(4000, "a")));
    const first = cookies();
    await visit((session) => session.set("text", textOf(4000, "b")));
    const second = cookies();
    assertEquals([first.length, second.length], [2, 2]);
    const load = async (...pairs: (string | undefined)[]) => {
      const headers = { cookie: pairs.join("; ") };
      return (await sessions.load(new Request(URL_OF, { headers })))?.get("text", undefined);
    };
    for (const mixed of [[first[0], second[1]], [second[0], first[1]], [first[1]], [second[0]]]) {
      assertEquals(await load(...mixed), undefined);
    }
    // A path of its own, or a sibling domain, adds chunks of another write.
    assertEquals(await load(...second, first[1]), textOf(4000, "b"));
    assertEquals(await load(first[1], ...second), textOf(4000, "b"));
    assertEquals(await stored(), { text: textOf(4000, "b") });
  });
}

Deno.test("chunks take 7,500 bytes at most, and what is more is refused", async () => {
  const { client } = setUp();
  const { visit, stored, cookies } = await client();
  let most = 0;
  for (let size = 4800; size < 5700; size += 20) {
    const error = await visit((session) => session.set("text", textOf(size)))
      .then(() => undefined, (error) => error as SessionError);
    if (error === undefined) most = size;
    else assertEquals(error.code, "ERR_SESSION_TOO_LARGE");
    assert(cookies().join("; ").length <= 7500);
  }
  assert(most > 5300 && most < 5600, `${most}`);
  assertEquals(await stored(), { text: textOf(most) });
});

Deno.test("more than four assemblies of a value are refused as ambiguous", async () => {
  const { client, sessions, types } = setUp();
  const { visit, cookies } = await client();
  await visit((session) => session.set("text", textOf(4000)));
  const [first, second] = cookies();
  const [, write] = /=2\.([0-9a-f]{12}\.)/.exec(first!)!;
  const forged = (count: number) =>
    Array.from({ length: count }, (_, at) => `pagi_session.1=${write}${textOf(90, `${at}`)}`);
  const absence = async (pairs: string[]) => {
    const headers = { cookie: pairs.join("; ") };
    let found: unknown;
    await sessions.run(new Request(URL_OF, { headers }), (session) => {
      found = session.absence ?? session.get("text");
      return new Response();
    });
    return found;
  };
  assertEquals(await absence([first!, ...forged(3), second!]), textOf(4000));
  assertEquals(await absence([first!, ...forged(4), second!]), "ambiguous");
  assertEquals(types(), ["ambiguous"]);
});

Deno.test("the attributes and the lifetime are the same for all chunks", async () => {
  const { handler } = setUp({}, {
    chunks: 4,
    cookieName: "__Host-sid",
    cookieOptions: { secure: true },
  });
  const DAY = 86_400;
  const response = await handler((session) => {
    session.set("text", textOf(4000)).lifetime = { idle: 30 * DAY };
  })(new Request("https://localhost/"));
  const attributes = response.headers.getSetCookie().map((one) => one.replace(/^[^;]*/, ""));
  assertEquals(
    attributes,
    Array(2).fill(`; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=${30 * DAY}`),
  );
});

Deno.test("a session of a few bytes takes the one cookie that it takes without chunks", async () => {
  const { handler } = setUp();
  const response = await handler((session) => session.set("user", "ada"))(new Request(URL_OF));
  assertEquals(response.headers.getSetCookie().length, 1);
  assertMatch(cookieOf(response), /^pagi_session=A[\w-]+$/);
});

for (const [name, options] of Object.entries(STORES)) {
  Deno.test(`${name}: the error without chunks names the largest key, the excess and the remedies`, async () => {
    const { client } = setUp(options(), {});
    const { visit, stored } = await client();
    await visit((session) => session.set({ user: "ada", list: [1, 2] }));
    const most = async (size: number) => {
      const request = visit((session) => session.set("basket", textOf(size)));
      return await request.then(() => undefined, (error) => error as SessionError);
    };
    let fits = 2000;
    for (let step = 1024; step >= 1; step /= 2) if (!await most(fits + step)) fits += step;
    const error = (await most(fits + 300))!;
    assertEquals(error.code, "ERR_SESSION_TOO_LARGE");
    const [, excess, key, bytes] =
      /take (\d+) bytes more than the \d{4} that .* largest key is "(\w+)" with (\d+) bytes\. .* server, or .* chunks of CookieState$/
        .exec(error.message)!;
    assertEquals([key, Number(bytes)], ["basket", fits + 302]);
    assert(Number(excess) >= 396 && Number(excess) <= 408, excess);
    assertEquals(Object.keys((await stored())!).sort(), ["basket", "list", "user"]);
  });

  Deno.test(`${name}: an event says once that a session is about to outgrow its cookie`, async () => {
    const { client, events, types } = setUp(options(), {});
    const { visit } = await client();
    await visit((session) => session.set("basket", textOf(2200)));
    assertEquals(types(), []);
    for (let time = 0; time < 3; time++) {
      await visit((session) => session.set("basket", textOf(2600 + time)));
    }
    assertEquals(types(), ["cookie-nearly-full"]);
    assertMatch(events.at(-1)!.message, /of the 4084 bytes .* "basket" with 2602 bytes/);
  });
}

Deno.test("a State without chunks does not read them", async () => {
  const { client } = setUp();
  const { visit, cookies } = await client();
  await visit((session) => session.set("text", textOf(4000)));
  const { sessions } = setUp({}, {});
  const headers = { cookie: cookies().join("; ") };
  assertEquals(await sessions.load(new Request(URL_OF, { headers })), undefined);
});

Deno.test("session data that no cookie can hold is refused before any cryptography", async () => {
  const { handler } = setUp();
  const work = handler((session) => session.set("text", textOf(50_000)));
  await assertRejects(() => work(new Request(URL_OF)), Error, "bytes more than the");
});
