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
  mistake("a sweep that is held up by an old index of a subject", EXPIRY, {
    find: "if (!this.$removeIfExpired($oldest, $now) && !this.$spareIndex($oldest)) break;",
    replace: "if (!this.$removeIfExpired($oldest, $now)) break;",
  }),
  mistake("a full MemoryStore that evicts the oldest record, even a subject's index", EXPIRY, {
    find: "for (let $spared = 0; $spared < $limit && this.$spareIndex(this.$oldest!); $spared++);",
    replace: "",
  }),
];
