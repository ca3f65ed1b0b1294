/** Mistakes in ending all sessions of a subject. */
import type { Mutant } from "./_mutants.ts";

const RECORDS = "_session_records.ts";
const SESSIONS = "_subject_sessions.ts";
const INDEX = "_subject_index.ts";

export const SUBJECT_MUTANTS: readonly Mutant[] = [
  {
    name: "a session that is in no list",
    file: RECORDS,
    find: "const epoch = await this.index?.add(subject!, id);",
    replace: "const epoch = undefined as string | undefined;",
    by: "resurrected",
  },
  {
    name: "a session that is written though all have been ended meanwhile",
    file: RECORDS,
    find: "if (!epoch || await this.index!.isStill(subject!, epoch)) return written;",
    replace: "if (id !== '') return written;",
    by: "tests",
  },
  {
    name: "an end of all sessions that nobody who is making one hears of",
    file: SESSIONS,
    find: "await this.#index.raise(this.#subject)",
    replace: "await this.#index.list(this.#subject)",
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
    find: "    const gone: Entry[] = [];",
    replace: "    await this.#index.remove(this.#subject, entries);\n    const gone: Entry[] = [];",
    by: "tests",
  },
  {
    name: "a session that goes on and is not listed again",
    file: INDEX,
    find: "    return Math.floor((this.#now() - created) / expire) !==",
    replace: "    return created < 0 && Math.floor((this.#now() - created) / expire) !==",
    by: "tests",
  },
  {
    name: "a list that keeps whoever was ever in it",
    file: INDEX,
    find: "entries: index.entries.filter(({ at }) => now - at <= this.#kept)",
    replace: "entries: index.entries.filter(({ at }) => at <= now)",
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
