/** Mistakes in ending all sessions of a subject. */
import type { Mutant } from "./_mutants.ts";

const RECORDS = "core/repository.ts";
const SESSIONS = "core/subjects/subject_sessions.ts";
const INDEX = "core/subjects/subject_index.ts";

export const SUBJECT_MUTANTS: readonly Mutant[] = [
  {
    name: "a session that is in no list",
    file: RECORDS,
    find: "const { epoch, isLong } = await index.add(key, id);",
    replace:
      "const [epoch, isLong] = ['', false];\n    if (!epoch) return await this.#put(id, created, change);",
    by: "resurrected",
  },
  {
    name: "a session that is written though all have been ended meanwhile",
    file: RECORDS,
    find: "if (await index.isStill(key, epoch)) {",
    replace: "if (epoch !== '') {",
    by: "tests",
  },
  {
    name: "an end of all sessions that nobody who is making one hears of",
    file: SESSIONS,
    find: "await this.#index.raise(await this.#key)",
    replace: "await this.#index.list(await this.#key)",
    by: "tests",
  },
  {
    name: "an end of all sessions that ends another user's too",
    file: SESSIONS,
    find: "return !isKept && this.#isOurs(record);",
    replace: "return !isKept;",
    by: "deadSessions",
  },
  {
    name: "a list that is struck off before its sessions are ended",
    file: SESSIONS,
    find: "    const gone: Entry[] = [];\n    let count = 0;",
    replace:
      "    await this.#index.remove(await this.#key, entries);\n    const gone: Entry[] = [];\n    let count = 0;",
    by: "tests",
  },
  {
    name: "a session that goes on and is not listed again",
    file: INDEX,
    find: "    return Math.floor((this.#now() - created) / RELISTED) !==",
    replace: "    return created < 0 && Math.floor((this.#now() - created) / RELISTED) !==",
    by: "tests",
  },
  {
    name: "a list that keeps whoever was ever in it",
    file: SESSIONS,
    find: "    await this.#index.remove(await this.#key, gone);\n  }\n\n  /**\n   * The id",
    replace: "  }\n\n  /**\n   * The id",
    by: "tests",
  },
  {
    name: "a list that forgets who is about to be written",
    file: SESSIONS,
    find: "if (this.#index.isFresh(entry)) continue;",
    replace: "",
    by: "tests",
  },
  {
    name: "a full store that drops lists as it drops sessions",
    file: "store/memory.ts",
    find: "spared < MAX_SPARED && isIndex",
    replace: "spared < 0 && isIndex",
    by: "tests",
  },
  {
    name: "a damaged list that is taken for an empty one",
    file: INDEX,
    find: 'entries: [{ sealed: "", at: now }]',
    replace: "entries: []",
    by: "tests",
  },
];
