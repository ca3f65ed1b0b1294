/** Mistakes in how concurrent changes are put together. */
import type { Mutant } from "./_mutants.ts";

const RECORDS = "core/repository.ts";
const MERGE = "data/merge.ts";

/** Mistakes in the merge, in its retries, and in what it knows of a request. */
export const MERGE_MUTANTS: readonly Mutant[] = [
  {
    name: "no merge",
    file: RECORDS,
    find: "if (current === base) return change.text;",
    replace: "if (current !== undefined) return change.text;",
    by: "lost",
  },
  {
    name: "a merge that drops deletions",
    file: MERGE,
    find: "for (const key of keysOf(base, mine)) {",
    replace: "for (const key of Object.keys(mine)) {",
    by: "lost",
  },
  {
    name: "a merge that writes what was only read",
    file: MERGE,
    find: "} else if (!isSame(base[key], mine[key])) {",
    replace: "} else {",
    by: "lost",
  },
  {
    name: "a merge in which the first to commit wins",
    file: MERGE,
    find: "} else if (!isSame(base[key], mine[key])) {",
    replace: "} else if (!isSame(base[key], mine[key]) && isSame(base[key], theirs[key])) {",
    by: "lost",
  },
  {
    name: "a merge that keeps others' keys after clear",
    file: MERGE,
    find: "if (intent.isCleared) return mine;",
    replace: "",
    by: "lost",
  },
  {
    name: "a merge that forgets whose session it is",
    file: RECORDS,
    find: "return codec.encodeTree(merged, base.created, change.subject);",
    replace: "return codec.encodeTree(merged, base.created, undefined);",
    by: "lost",
  },
  {
    name: "a clear that nobody is told of",
    file: "data/working_copy.ts",
    find: "this.isCleared = true;",
    replace: "",
    by: "lost",
  },
  {
    name: "a clear that is not saved where it found nothing",
    file: RECORDS,
    find: "if (change.isCleared && this.#face.isVersioned) return true;",
    replace: "",
    by: "lost",
  },
  {
    name: "an update that is not made again on the newer value",
    file: MERGE,
    find: "if (update !== undefined && canReplay(update, base[key], mine[key])) {",
    replace: "if (update === null) {",
    by: "lost",
  },
  {
    name: "two updates of which the last alone is made again",
    file: "session.ts",
    find: "functions: follows ? [...earlier.functions, replayable] : [replayable],",
    replace: "functions: [replayable],",
    by: "lost",
  },
  {
    name: "an update that is made again though the key was set after it",
    file: MERGE,
    find: "return update.before === JSON.stringify(base) && update.after === JSON.stringify(mine);",
    replace: "return true;",
    by: "tests",
  },
  {
    name: "a retry that does not re-read",
    file: RECORDS,
    find: "current = await this.#reread(current);\n        const swapped",
    replace: "const swapped",
    by: "wrongAnswers",
  },
  {
    name: "a retry that re-reads the version alone",
    file: RECORDS,
    find: "current = await this.#reread(current);\n        const swapped",
    replace: "current = { ...current, version: (await this.#reread(current)).version };\n" +
      "const swapped",
    by: "lost",
  },
  {
    name: "no retry",
    file: "core/lookup.ts",
    find: "const MAX_ATTEMPTS = 32;",
    replace: "const MAX_ATTEMPTS = 1;",
    by: "wrongAnswers",
  },
  {
    name: "a write that starts a session anew when it has ended",
    file: RECORDS,
    find: 'if (found.kind !== "live" ||',
    replace: 'if (found.kind === "absent") {\n' +
      "await this.#face.create(record.id, record.text, this.#lifetime(record.created, record.readAt));\n" +
      "return this.#reread(record);\n}\n" +
      'if (found.kind !== "live" ||',
    by: "resurrected",
  },
];
