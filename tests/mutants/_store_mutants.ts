/** Mistakes in how the MemoryStore removes expired sessions and makes room. */
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
];
