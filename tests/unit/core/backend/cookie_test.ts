/** The backend of a store whose values are the sessions: what it hands over, and what it may answer. */
import { assertEquals, assertRejects } from "@std/assert";
import { type EndOptions, type SealOptions, type Session, SessionError } from "@pagi/session";
import { openBackend } from "../../../../core/backend/open.ts";
import { keyOf, verifierOf } from "../../../../base/id.ts";
import { destroy, on, PlainStore } from "../../../_kit/store_answers.ts";
import { idOf } from "../../../_kit/helpers.ts";

const NOW = 1_700_000_000;
const regenerate = (session: Session) => void session.regenerate();

/** A store whose values are the sessions, without anything to hide: `id|text|lastAccess`. */
class OpenSeal extends PlainStore {
  readonly sealed: [id: string, options: SealOptions][] = [];
  readonly opened: unknown[] = [];
  readonly replacements: [id: string, newId: string, options: EndOptions][] = [];
  readonly ends: [id: string, options: EndOptions][] = [];
  /** The time at which each key's ID was last replaced, and the ID that is valid now. */
  readonly valid = new Map<string, { id: string; at: number }>();
  readonly ended = new Set<string>();
  answer: ((value: string) => unknown) | undefined;
  open(presented: string, { maxAge }: { maxAge?: number }) {
    this.opened.push(maxAge);
    const [id, text, lastAccess] = presented.split("|") as [string, string, string];
    if (this.ended.has(keyOf(id))) return undefined;
    const valid = this.valid.get(keyOf(id));
    const replacedAt = valid === undefined || valid.id === id ? undefined : valid.at;
    return { id, text, version: "v", lastAccess: Number(lastAccess), replacedAt };
  }
  seal(id: string, text: string, options: SealOptions) {
    this.sealed.push([id, options]);
    const value = [id, text, options.lastAccess].join("|");
    return (this.answer?.(value) ?? value) as string;
  }
  replaceId(id: string, newId: string, options: EndOptions): boolean | undefined {
    this.replacements.push([id, newId, options]);
    const valid = this.valid.get(keyOf(id));
    if (this.ended.has(keyOf(id)) || (valid !== undefined && valid.id !== id)) return false;
    this.valid.set(keyOf(id), { id: newId, at: options.lastAccess! });
    return true;
  }
  end(id: string, options: EndOptions): boolean | undefined {
    this.ends.push([id, options]);
    if (this.ended.has(keyOf(id))) return false;
    this.ended.add(keyOf(id));
    return true;
  }
}

Deno.test("open() and end() receive how long a value can be valid", async () => {
  const store = new OpenSeal();
  const { visit, write } = on(store);
  const value = await visit(undefined, write);
  await visit(value, destroy);
  // A session may live for `touchInterval` longer than `expire`.
  // But nobody knows the lifetime of a session that was not opened yet: 400 days are the most.
  assertEquals(store.opened, [400 * 86_400]);
  assertEquals(store.ends.map(([, { ttl, version }]) => [ttl, version]), [[3661, "v"]]);
  await visit(value, (session) => assertEquals(session.keys(), []));
});

Deno.test("end() receives 400 days when only the ID is known, because it has any lifetime", async () => {
  const store = new OpenSeal();
  assertEquals(await on(store).sessions.destroy(idOf("a")), true);
  assertEquals(store.ends.map(([, { ttl, version }]) => [ttl, version]), [[400 * 86_400, ""]]);
});

Deno.test("seal() receives a ttl that follows the session's lifetime", async () => {
  const store = new OpenSeal();
  const { visit, write } = on(store);
  await visit(undefined, write);
  await visit(undefined, (session) => session.lifetime = { idle: 86_400 });
  const [usual, longer] = store.sealed.map(([, options]) => options);
  assertEquals(longer!.ttl - usual!.ttl, 86_400 - 3600);
});

Deno.test("a new ID keeps the key, and its value is sealed before the old ID is replaced", async () => {
  const store = new OpenSeal();
  const { visit, write } = on(store);
  const value = (await visit(undefined, write))!;
  const order: string[] = [];
  store.answer = () => void order.push("seal");
  const { replaceId } = store;
  store.replaceId = (...call) => {
    order.push("replaceId");
    return replaceId.apply(store, call);
  };
  const next = (await visit(value, regenerate))!;
  const [[id, newId, { version, lastAccess }]] = store.replacements as [
    (typeof store.replacements)[0],
  ];
  assertEquals([order, version, lastAccess], [["seal", "replaceId"], "v", NOW]);
  assertEquals([value.split("|")[0], next.split("|")[0]], [id, newId]);
  assertEquals([keyOf(newId), verifierOf(newId) === verifierOf(id)], [keyOf(id), false]);
  // A value that nobody has been sent yet has no version.
  assertEquals(store.sealed.at(-1)![1].version, undefined);
});

Deno.test("a request with a replaced ID is refused, and its logout ends the session", async () => {
  const store = new OpenSeal();
  const { visit, write, sessions } = on(store);
  const value = (await visit(undefined, write))!;
  const next = (await visit(value, regenerate))!;
  const seen: unknown[] = [];
  await visit(value, (session) => seen.push(session.absence, session.keys()));
  await visit(next, (session) => seen.push(session.absence, session.keys()));
  assertEquals(seen, ["replaced", [], undefined, ["n"]]);
  await visit(value, destroy);
  assertEquals(store.ended, new Set([keyOf(next.split("|")[0]!)]));
  assertEquals(await sessions.destroy(next), false);
});

Deno.test("a regeneration is interrupted when another request has replaced the ID first", async () => {
  const store = new OpenSeal();
  const { visit, write, refused } = on(store);
  const value = (await visit(undefined, write))!;
  const error = await refused(value, async (session) => {
    await visit(value, regenerate);
    session.regenerate();
  });
  assertEquals([error.code, error.headers], ["ERR_SESSION_INTERRUPTED", []]);
});

Deno.test("a regeneration succeeds when the store cannot replace IDs, and the old one stays valid", async () => {
  const { visit, write } = on(Object.assign(new OpenSeal(), { replaceId: undefined }));
  const value = (await visit(undefined, write))!;
  const next = (await visit(value, regenerate))!;
  for (const one of [value, next]) {
    await visit(one, (session) => assertEquals(session.keys(), ["n"]));
  }
});

Deno.test("an ID of another form is replaced by a generated one as a whole", () => {
  const backend = openBackend(new OpenSeal(), 5, 3600);
  const [a, b] = [idOf("a"), idOf("b")];
  assertEquals(backend.nextId(a, b), "b".repeat(32) + "a".repeat(32));
  assertEquals([backend.nextId("user-7", b), backend.nextId(a, "user-7")], [b, "user-7"]);
  assertEquals([backend.keyOf(a), backend.verifierOf(a)], [a, undefined]);
});

Deno.test("an error names the operation when a cookie-backed store fails", async () => {
  const store = new OpenSeal();
  const { visit, write, refused, sessions } = on(store);
  const value = (await visit(undefined, write))!;
  const boom = () => {
    throw new Error("boom");
  };
  store.answer = () => 42;
  const save = await refused(value, write);
  assertEquals(save.message, "Cannot save the session: the store answered with no text");
  store.answer = boom;
  assertEquals((await refused(value, write)).message, "Cannot save the session: the store failed");
  store.answer = undefined;
  store.replaceId = () => 42 as never;
  const replaced = await refused(value, regenerate);
  const neither = "the store answered with neither true nor false";
  assertEquals(replaced.message, `Cannot save the session: ${neither}`);
  store.replaceId = boom;
  assertEquals(
    (await refused(value, regenerate)).message,
    "Cannot save the session: the store failed",
  );
  store.end = () => 42 as never;
  const destroyed = () => assertRejects(() => sessions.destroy(idOf("1")), SessionError);
  assertEquals((await destroyed()).message, `Cannot end the session: ${neither}`);
  store.end = boom;
  assertEquals((await destroyed()).message, "Cannot end the session: the store failed");
  store.open = boom;
  assertEquals((await refused(value, write)).message, "Cannot read the session: the store failed");
});

Deno.test("sessions.destroy() ends an encrypted session only when revocations are on", async () => {
  const store = new OpenSeal();
  const { sessions } = on(store);
  assertEquals(await sessions.destroy(idOf("1")), true);
  assertEquals(store.ended, new Set([keyOf(idOf("1"))]));
  assertEquals(await sessions.destroy(idOf("1")), false);
  for (const end of [() => undefined, () => null as never, undefined]) {
    const error = await assertRejects(
      () => on(Object.assign(new OpenSeal(), { end })).sessions.destroy(idOf("2")),
      SessionError,
    );
    assertEquals([error.code, error.message], [
      "ERR_SESSION_STORE",
      "Cannot end the session: its client holds it, and the store has no revocations",
    ]);
  }
});
