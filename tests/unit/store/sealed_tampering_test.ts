import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MemoryStore, type SessionEvent, SessionMiddleware } from "@pagi/session";
import { SealedStore } from "../../../store/sealed.ts";
import { failSubtle } from "../../_kit/web_crypto.ts";
import { cookieOf, fakeClock, requestWith } from "../../_kit/helpers.ts";

const secret = "a secret of thirty-two bytes or so";
const { signal } = new AbortController();

/** Sessions on a sealed store, and the way past it. */
function rig() {
  const clock = fakeClock();
  const inner = new MemoryStore({ now: clock.now });
  const events: SessionEvent["type"][] = [];
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    store: new SealedStore(inner, { secret }),
    now: clock.now,
    onEvent: ({ type }) => void events.push(type),
  });
  /** A new session; its id. */
  const signIn = async (user: string) =>
    cookieOf(
      await sessions.run(requestWith(), (session) => {
        session.set("user", user);
        return new Response();
      }),
    ).split("=")[1]!;
  /** What a client with an id sees, and what the operator is told. */
  const visit = async (id: string) => {
    events.length = 0;
    const request = requestWith({ cookie: `pagi_session=${id}` });
    const response = await sessions.run(request, (session) => {
      const isSame = session.id === id;
      return Response.json({ keys: session.keys(), user: session.get("user", "nobody"), isSame });
    });
    const { status, headers } = response;
    return [status, await response.json(), headers.getSetCookie(), [...events]];
  };
  /** The session's key, under which its record lies. */
  const keyOf = (id: string) => id.slice(32);
  /** Puts another text in a record's place. */
  const tamper = (id: string, text: unknown) => {
    const { version, lastAccess } = inner.read(keyOf(id))!;
    assert(inner.replace(keyOf(id), text as string, { lastAccess, ttl: 60, version, signal }));
  };
  return {
    clock,
    inner,
    sessions,
    signIn,
    visit,
    tamper,
    textOf: (id: string) => inner.read(keyOf(id))!.text,
  };
}

const NOBODY = [200, { keys: [], user: "nobody", isSame: false }, [], ["record-corrupt"]];

Deno.test("a sealed record that was changed in any bit is no session, and an event", async () => {
  let changes = 0;
  // With each number of letters left over in the end.
  for (const user of ["ada", "adam", "grace"]) changes += await tamperWithAll(user);
  assert(changes > 4000, `only ${changes}`);
});

/** Changes a user's record in every way there is; how many that were. */
async function tamperWithAll(user: string): Promise<number> {
  const { inner, signIn, visit, tamper, textOf } = rig();
  const id = await signIn(user);
  const text = textOf(id);
  const found = [200, { keys: ["user"], user, isSame: true }, [], []];
  assertEquals(await visit(id), found);
  let changes = 0;
  const refuse = async (changed: unknown) => {
    tamper(id, changed);
    assertEquals(await visit(id), NOBODY, `change ${changes}`);
    changes++;
  };
  // Each bit of each letter, as they stand in the store.
  for (let at = 0; at < text.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const letter = String.fromCharCode(text.charCodeAt(at) ^ 1 << bit);
      await refuse(text.slice(0, at) + letter + text.slice(at + 1));
    }
  }
  // Each bit of what they stand for.
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  const base64url = { alphabet: "base64url", omitPadding: true } as const;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    await refuse(changed.toBase64(base64url));
  }
  for (let length = 0; length < text.length; length++) await refuse(text.slice(0, length));
  for (const more of ["A", "AA", "AAAA", "=", "==", " ", "\n", "."]) await refuse(text + more);
  for (const other of [` ${text}`, text.toLowerCase(), bytes.toBase64(), `${text}${text}`]) {
    // Now and then a text has no letter that the other alphabet writes differently.
    if (other !== text) await refuse(other);
  }
  // Values that were never sealed: a session, the marker of an ended one, nothing, no text.
  for (
    const other of [
      `s1:${id.slice(0, 32)}{"_created":1,"user":"ada"}`,
      '{"_created":1,"user":"ada"}',
      "ended:0123456789ab",
      "",
      "{}",
      "null",
      5,
      null,
      { text },
    ]
  ) {
    await refuse(other);
  }
  tamper(id, text);
  assertEquals(await visit(id), found);
  assertEquals(inner.size, 1);
  return changes;
}

Deno.test("a sealed record opens under its own id alone", async () => {
  const { signIn, visit, tamper, textOf } = rig();
  const [ada, eve] = [await signIn("ada"), await signIn("eve")];
  const [adas, eves] = [textOf(ada), textOf(eve)];
  tamper(ada, eves);
  tamper(eve, adas);
  assertEquals([await visit(ada), await visit(eve)], [NOBODY, NOBODY]);
  tamper(ada, adas);
  assertEquals((await visit(ada))[1], { keys: ["user"], user: "ada", isSame: true });
});

Deno.test("a sealed record is not taken for a changed one when the decryption itself fails", async () => {
  const { signIn, visit } = rig();
  const id = await signIn("ada");
  await failSubtle("decrypt", async () => {
    const error = await assertRejects(() => visit(id)) as Error;
    assertEquals((error.cause as Error).message, "out of order");
  });
  assertEquals((await visit(id))[1], { keys: ["user"], user: "ada", isSame: true });
});

Deno.test("a sealed record tells no verifier, and can be put back as it was", async () => {
  const { sessions, signIn, tamper, textOf, visit } = rig();
  const old = await signIn("ada");
  const before = textOf(old);
  const request = requestWith({ cookie: `pagi_session=${old}` });
  const response = await sessions.run(request, (session) => {
    session.regenerate();
    return new Response();
  });
  const id = cookieOf(response).split("=")[1]!;
  for (const text of [before, textOf(id)]) {
    assertMatch(text, /^[\w-]{130,}$/);
    for (const verifier of [old, id].map((id) => id.slice(0, 32))) {
      assert(!text.includes(verifier));
    }
  }
  assertEquals((await visit(id))[1], { keys: ["user"], user: "ada", isSame: true });
  // SealedStore cannot prevent this: an attacker who can write restores the record of the old ID.
  tamper(id, before);
  assertEquals((await visit(old))[1], { keys: ["user"], user: "ada", isSame: true });
});
