/** Mistakes in how the stores remove expired sessions, make room, and trust their clients. */
import { mistake, type Mutant } from "./_mutant.ts";

const EXPIRY = ["memory_expiry_test.ts"];

export const STORE_MUTANTS: readonly Mutant[] = [
  mistake("a sweep that never gets past the least recently used session", EXPIRY, {
    find: "const $record = this.$cursor ?? this.$oldest;",
    replace: "const $record = this.$oldest;",
  }),
  mistake("a sweep that continues from a session that was removed from the list", EXPIRY, {
    find: "if ($record === this.$cursor) this.$cursor = $newer;",
    replace: "",
  }),
  mistake("a sweep that never removes the indexes of subjects", EXPIRY, {
    find: "this.#sweep(this.#indexes, CHECKED_INDEXES, $now);",
    replace: "",
  }),
  mistake("a full MemoryStore that evicts a session for a subject's index", ["memory_test.ts"], {
    find: "return isSubjectIndex($text) ? this.#indexes : this.#sessions;",
    replace: "return isSubjectIndex($text) ? this.#sessions : this.#sessions;",
  }),
  mistake("a store on SQL that writes what a charset can change", ["sqlite_test.ts"], {
    find: "const $values = { id, version, text: toAsciiText(text), lastAccess, ttl };",
    replace: "const $values = { id, version, text: text.replaceAll('\\0', ''), lastAccess, ttl };",
  }),
  mistake("a store on SQL that returns the record of another ID", ["sqlite_test.ts"], {
    find: "if ($foundId !== id || Number.isNaN($lastAccess))",
    replace: "if (Number.isNaN($lastAccess))",
  }),
  mistake("a write that counts on the answer of another statement", ["postgres_test.ts"], {
    find: "const $found = firstText($row)?.trimEnd(); if ($found === $expected) return true;",
    replace: "const $found = firstText($row)?.trimEnd(); if ($found !== undefined) return true;",
  }),
  mistake("a create that counts although a trigger hides its result", ["mysql_test.ts"], {
    find: "if ($id === STORED || $id === REFUSED) return $id === STORED;",
    replace: "return $id !== REFUSED;",
  }),
  mistake("a sweep that each create starts once more", ["mysql_test.ts"], {
    find: "if (!this.$sweepsOnCreate || this.$isSweeping || !this.$skipsLocked) return;",
    replace: "if (!this.$sweepsOnCreate || !this.$skipsLocked) return;",
  }),
  mistake("a busy timeout that stays at 0", ["setup_test.ts"], {
    find: "this.$database.exec(`PRAGMA busy_timeout = ${$own}`);",
    replace: "",
  }),
  mistake("a write after storeTimeout", ["lock_test.ts"], {
    find: "if ($signal?.aborted) throw $signal.reason;",
    replace: "",
  }),
];
