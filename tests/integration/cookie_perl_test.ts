import { assert, assertEquals } from "@std/assert";
import { SessionMiddleware } from "@pagi/session";
import type { SessionHash } from "@pagi/session/store";
import { CookieStore } from "../../store/cookie.ts";
import { serverTest } from "./_servers.ts";

const SCRIPT = `${import.meta.dirname}/_store_cookie.pl`;
const SECRET = "a secret that a Perl app and this one share";

/** Returns the reason why Perl cannot encrypt. */
async function missingPerl(): Promise<string | undefined> {
  try {
    const check = new Deno.Command("perl", { args: ["-MCrypt::AuthEnc::GCM", "-Mv5.36", "-e1"] });
    return (await check.output()).success ? undefined : "Perl has no CryptX (libcryptx-perl)";
  } catch {
    return "there is no perl";
  }
}

/** Asks the Perl side all questions in one process, and returns its answers. */
async function askPerl(questions: unknown[]): Promise<unknown[]> {
  const process = new Deno.Command("perl", { args: [SCRIPT], stdin: "piped", stdout: "piped" })
    .spawn();
  const writer = process.stdin.getWriter();
  const lines = questions.map((question) => `${JSON.stringify(question)}\n`).join("");
  const written = writer.write(new TextEncoder().encode(lines)).then(() => writer.close());
  const { success, stdout } = await process.output();
  await written;
  assert(success, "the Perl side failed");
  return new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => JSON.parse(line));
}

const newId = () => crypto.getRandomValues(new Uint8Array(32)).toHex();

/** Returns sessions with values that the JSON of both sides must keep. */
function someSessions(): SessionHash[] {
  const values: unknown[] = [
    "Zoë ☃ 𝄞",
    '"\\/\n\t\u0001\u2028',
    "",
    -0.5,
    1e21,
    2 ** 53 - 1,
    true,
    false,
    null,
    [],
    {},
    [[1], { a: [{}] }],
    "x".repeat(1500),
  ];
  return values.map((value, at) => ({
    _id: newId(),
    _created: 1_700_000_000 + at,
    _last_access: 1_700_000_100 + at,
    value,
    [`key ${String(value).slice(0, 20)}`]: at,
  }));
}

const missing = await missingPerl();

serverTest(missing, "CookieStore opens what Perl has sealed", async () => {
  const sessions = someSessions();
  const sealed = await askPerl(sessions.map((session) => ["seal", SECRET, session]));
  const store = new CookieStore({ secret: SECRET, format: "pagi" });
  for (const [at, session] of sessions.entries()) {
    assert(store.accepts(sealed[at] as string));
    assertEquals(await store.get(sealed[at] as string), session);
  }
  const other = new CookieStore({ secret: `${SECRET}!`, format: "pagi" });
  assertEquals(await other.get(sealed[0] as string), undefined);
});

serverTest(missing, "Perl opens what CookieStore has sealed", async () => {
  const sessions = someSessions();
  const store = new CookieStore({ secret: SECRET, format: "pagi" });
  const sealed = await Promise.all(
    sessions.map((session) => store.set(session._id as string, session)),
  );
  const opened = await askPerl(sealed.map((value) => ["open", SECRET, value]));
  assertEquals(opened, sessions);
  const refused = await askPerl(sealed.map((value) => ["open", `${SECRET}!`, value]));
  assertEquals(new Set(refused), new Set([null]));
});

serverTest(missing, "one cookie goes from app to app, and both have written to it", async () => {
  const store = new CookieStore({ secret: SECRET, format: "pagi" });
  const sessions = new SessionMiddleware({ secret: SECRET, store });
  const id = newId();
  const now = Math.floor(Date.now() / 1000);
  const times = { _id: id, _created: now, _last_access: now };
  const [begun] = await askPerl([["seal", SECRET, { ...times, perl: "began" }]]);
  const headers = { cookie: `pagi_session=${begun}` };
  const response = await sessions.run(new Request("http://localhost/", { headers }), (session) => {
    assertEquals(session.get("perl"), "began");
    session.set("deno", "went on");
    return new Response();
  });
  const value = response.headers.getSetCookie()[0]!.split(";")[0]!.slice("pagi_session=".length);
  const [session] = await askPerl([["open", SECRET, value]]) as [SessionHash];
  assertEquals([session._id, session._created], [id, now]);
  assertEquals([session.perl, session.deno], ["began", "went on"]);
});
