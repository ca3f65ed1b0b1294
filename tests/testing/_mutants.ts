/** The library with one mistake each, as edits of the sources. */
import type { Guarantee } from "../../testing/mod.ts";
import { GRAMMAR_MUTANTS } from "./_grammar_mutants.ts";
import { DATA_MUTANTS } from "./_data_mutants.ts";
import { MERGE_MUTANTS } from "./_merge_mutants.ts";
import { SECURITY_MUTANTS } from "./_security_mutants.ts";
import { SUBJECT_MUTANTS } from "./_subject_mutants.ts";

/** One edit, and what has to notice it. */
export interface Mutant {
  name: string;
  file: string;
  /** What is replaced; it must be in the file exactly once. */
  find: string;
  replace: string;
  /** The guarantee that races break; `tests` where no race can show it. */
  by: Guarantee | "tests";
  /** The tests that have to notice, where it is not those of the lifecycle. */
  tests?: readonly string[];
}

const READER = "core/lookup.ts";
const RECORDS = "core/repository.ts";
const FACE = "core/backend/backend.ts";
const EXCHANGE = "core/active_session.ts";

/** Mistakes in how an id is replaced. */
const rotating: Mutant[] = [
  {
    name: "a rotation without its version",
    file: RECORDS,
    find: "if (await this.#face.retire(current, newId, tombstone)) return",
    replace: "const any = await this.#face.read(current.id) ?? current;\n" +
      "if (await this.#face.retire(any, newId, tombstone)) return",
    by: "extraIds",
  },
  {
    name: "a rotation that deletes the old record and leaves no tombstone",
    file: FACE,
    find: "return after(this.replace(record, tombstone, lifetime), (done) => done !== undefined);",
    replace: "return this.delete(record);",
    by: "resurrected",
  },
  {
    name: "a tombstone that is gone after a minute",
    file: RECORDS,
    find: "if (await this.#face.retire(current, newId, tombstone)) return",
    replace: "const ttl = 60;\n" +
      "if (await this.#face.retire(current, newId, { ...tombstone, ttl })) return",
    by: "tests",
  },
  {
    name: "a rotation that leaves the old record as it is",
    file: RECORDS,
    find: "if (await this.#face.retire(current, newId, tombstone)) return",
    replace: "if (current !== undefined) return",
    by: "extraIds",
  },
  {
    name: "a rotation that leaves behind what others wrote meanwhile",
    file: RECORDS,
    find: "text = this.#compose(base, current, change);",
    replace: "text = change.text;",
    by: "lost",
  },
  {
    name: "a rotation that came too late and leaves its new record",
    file: RECORDS,
    find: "await this.#discard(fresh);\n        throw error;",
    replace: "throw error;",
    by: "extraIds",
  },
  {
    name: "a rotation that sends the old id",
    file: EXCHANGE,
    find: "return records.rotate(record, newId, change);",
    replace: "return records.rotate(record, newId, change).then(() => record.id);",
    by: "deadSessions",
  },
  {
    name: "a new subject that keeps the id",
    file: EXCHANGE,
    find:
      "return Boolean(data._regenerated) || (record !== undefined && record.subject !== data._subject);",
    replace: "return Boolean(data._regenerated);",
    by: "wrongAnswers",
  },
  {
    name: "a change of subject that is merged",
    file: RECORDS,
    find: " || found.subject !== record.subject) throw",
    replace: ") throw",
    by: "tests",
  },
];

/** Mistakes about requests under an old id. */
const late: Mutant[] = [
  {
    name: "a late request that starts a new session",
    file: READER,
    find: ': { kind: "moved", id };',
    replace: ": ABSENT;",
    by: "undoneLogins",
  },
  {
    name: "a late request that gets the session under its new id",
    file: READER,
    find: ': { kind: "moved", id };',
    replace: ": this.find(id);",
    by: "extraIds",
  },
  {
    name: "a late answer to a write that puts the id back",
    file: RECORDS,
    find: "return transport !== base.id || isUsed(record) ? transport : undefined;",
    replace: "return transport;",
    by: "undoneLogins",
  },
  {
    name: "a late logout that is refused",
    file: "session.ts",
    find: "if (!this.#control.destroyLate()) this.",
    replace: "this.",
    by: "resurrected",
  },
  {
    name: "a late logout that ends nothing",
    file: EXCHANGE,
    find: "else if (this.control.isDestroyed) await records.endById(this.#shown.id);",
    replace: "",
    by: "resurrected",
  },
];

/** Mistakes about the end of a session. */
const ending: Mutant[] = [
  {
    name: "a destroy that stops at the tombstone",
    file: READER,
    find: "if (next === undefined) return record;",
    replace: "return next === undefined ? record : undefined;",
    by: "resurrected",
  },
  {
    name: "a destroy that gives up when somebody wrote meanwhile",
    file: RECORDS,
    find: "if (!await this.#face.delete(record)) await this.endById(record.id);",
    replace: "await this.#face.delete(record);",
    by: "resurrected",
  },
  {
    name: "a destroy without version",
    file: FACE,
    find: "this.#store.delete(id, { version, signal })",
    replace: "this.#store.delete(id, { signal })",
    by: "resurrected",
  },
  {
    name: "a destroy that regenerate wins over",
    file: EXCHANGE,
    find: "if (this.#isDestroyed()) {",
    replace: "if (this.#isDestroyed() && newId === undefined) {",
    by: "resurrected",
  },
  {
    name: "a destroy that is forgotten when the handler fails",
    file: EXCHANGE,
    find: "const isDestroyed = this.#isDestroyed();",
    replace: "const isDestroyed = false;",
    by: "resurrected",
  },
  {
    name: "a logout that leaves the cookie",
    file: EXCHANGE,
    find: "return this.#destroy().then(() => settings.state.clear?.(headers));",
    replace: "return this.#destroy();",
    by: "wrongAnswers",
  },
  {
    name: "sessions.destroy() that stops at the tombstone",
    file: "core/lifecycle.ts",
    find: "await this.records.endById(id);",
    replace: 'await this.#face.delete({ id, version: undefined, text: "", lastAccess: 0 });',
    by: "resurrected",
  },
];

/** Mistakes about what is answered, and when. */
const answering: Mutant[] = [
  {
    name: "a commit after send",
    file: "core/entry/pagi.ts",
    find: 'await exchange.commit(headers, () => valueOf(headers, "cache-control"));',
    replace: 'settings.state.inject(headers, String(data._id ?? ""), {});\n' +
      "await send({ ...event, headers });\n" +
      "return await exchange.commit([], () => undefined);",
    by: "wrongAnswers",
  },
  {
    name: "a commit that nobody waits for",
    file: "core/entry/pagi.ts",
    find: 'await exchange.commit(headers, () => valueOf(headers, "cache-control"));',
    replace: 'settings.state.inject(headers, String(data._id ?? ""), {});\n' +
      "Promise.resolve(exchange.commit([], () => undefined)).catch(() => {});",
    by: "wrongAnswers",
  },
  {
    name: "a handler that fails and is saved",
    file: EXCHANGE,
    find: "    this.control.close();\n    if (!isDestroyed) return;",
    replace:
      "    if (!isDestroyed) return void await this.#apply([], undefined);\n    this.control.close();",
    by: "lost",
  },
  {
    name: "a replace that came too late and counts as done",
    file: FACE,
    find: "if (version === undefined || version === null) return undefined;",
    replace:
      "if (version === undefined || version === null) return { version: '', transport: id };",
    by: "resurrected",
  },
  {
    name: "a delete that came too late and counts as done",
    file: FACE,
    find: 'return after(done, (done) => answer(done, "delete"));',
    replace: "return after(done, () => true);",
    by: "resurrected",
  },
  {
    name: "a touch that came too late and sends the id",
    file: FACE,
    find: 'answer(done, "touch") ? id : undefined',
    replace: "id",
    by: "undoneLogins",
  },
  {
    name: "a reader that writes",
    file: EXCHANGE,
    find: "return records.isChanged(record, change) ? records.save(record, change)",
    replace: "return record !== undefined ? records.save(record, change)",
    by: "wrongAnswers",
  },
  {
    name: "a reader whose use is never noted",
    file: EXCHANGE,
    find: "!this.control.isLent && !records.isDue(this.#record);",
    replace: "!this.control.isLent;",
    by: "tests",
    tests: ["tests/unit/store/cookie_test.ts"],
  },
  {
    name: "a reader who has written",
    file: EXCHANGE,
    find: "!this.control.isLent && !records.isDue(this.#record);",
    replace: "!records.isDue(this.#record);",
    by: "lost",
  },
];

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...MERGE_MUTANTS,
  ...rotating,
  ...late,
  ...ending,
  ...answering,
  ...GRAMMAR_MUTANTS,
  ...SUBJECT_MUTANTS,
  ...SECURITY_MUTANTS,
  ...DATA_MUTANTS,
];
