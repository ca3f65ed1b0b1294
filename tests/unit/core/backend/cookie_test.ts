import { assertEquals, assertRejects } from "@std/assert";
import { MemoryStore, type SealOptions, SessionError } from "@pagi/session";
import { encodeTombstone } from "../../../../base/record_text.ts";
import { destroy, on, PlainStore } from "../../../_kit/store_answers.ts";
import { FaultyStore } from "../../../_kit/faulty_store.ts";
import { idOf } from "../../../_kit/helpers.ts";

/** A store whose values are the sessions, without anything to hide: `id|text|lastAccess`. */
class OpenSeal extends PlainStore {
  readonly sealed: SealOptions[] = [];
  readonly opened: unknown[] = [];
  /** What stands under the ids that were given up. */
  readonly ended = new Map<string, string>();
  readonly ends: unknown[] = [];
  answer: ((value: string) => unknown) | undefined;
  open(presented: string, { maxAge }: { maxAge?: number }) {
    this.opened.push(maxAge);
    const [id, text, lastAccess] = presented.split("|") as [string, string, string];
    if (this.ended.get(id) === "") return undefined;
    return { id, text: this.ended.get(id) ?? text, version: "v", lastAccess: Number(lastAccess) };
  }
  seal(id: string, text: string, options: SealOptions) {
    this.sealed.push(options);
    const value = [id, text, options.lastAccess].join("|");
    return (this.answer?.(value) ?? value) as string;
  }
  end(id: string, text: string, { ttl }: { ttl?: number }): string | undefined {
    this.ends.push(ttl);
    if (!this.ended.has(id)) this.ended.set(id, text);
    return this.ended.get(id);
  }
}

Deno.test("seal() and end() receive how long a value is valid", async () => {
  const store = new OpenSeal();
  const { visit, write } = on(store);
  const value = await visit(undefined, write);
  await visit(value, destroy);
  assertEquals([store.opened, store.ends], [[3600], [3601]]);
  await visit(value, (session) => assertEquals(session.keys(), []));
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
  store.end = () => 42 as never;
  const destroyed = () => assertRejects(() => sessions.destroy(value), SessionError);
  const end = await destroyed();
  assertEquals(end.message, "Cannot end the session: the store answered with no text");
  store.end = boom;
  assertEquals((await destroyed()).message, "Cannot end the session: the store failed");
  store.open = boom;
  assertEquals((await refused(value, write)).message, "Cannot read the session: the store failed");
});

Deno.test("sessions.destroy() ends an encrypted session only when revocations are on", async () => {
  const store = new OpenSeal();
  const { sessions } = on(store);
  await sessions.destroy(idOf("1"));
  assertEquals(store.ended.get(idOf("1")), "");
  store.end = () => undefined;
  const error = await assertRejects(() => sessions.destroy(idOf("2")), SessionError);
  assertEquals([error.code, error.message], [
    "ERR_SESSION_STORE",
    "Cannot end the session: its client holds it, and the store has no revocations",
  ]);
});

Deno.test("destroy() ends nothing and returns when IDs lead in a circle", async () => {
  const sealing = new OpenSeal();
  sealing.ended.set(idOf("1"), encodeTombstone(idOf("1"), idOf("2")));
  sealing.ended.set(idOf("2"), encodeTombstone(idOf("2"), idOf("1")));
  const sealed = await assertRejects(() => on(sealing).sessions.destroy(idOf("1")), SessionError);
  assertEquals([sealed.code, sealed.message, sealing.ends.length], [
    "ERR_SESSION_STORE",
    "Cannot end the session: it has had too many ids",
    32,
  ]);

  const store = new FaultyStore(new MemoryStore());
  const { signal } = new AbortController();
  const options = { lastAccess: 0, ttl: 3600, signal };
  store.inner.create(idOf("1"), encodeTombstone(idOf("1"), idOf("2")), options);
  store.inner.create(idOf("2"), encodeTombstone(idOf("2"), idOf("1")), options);
  const stored = await assertRejects(() => on(store).sessions.destroy(idOf("1")), SessionError);
  assertEquals([stored.code, stored.message, store.calls.length], [
    "ERR_SESSION_CONFLICT",
    "Cannot save the session: others came first 32 times",
    32,
  ]);
});
