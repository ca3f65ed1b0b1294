/** Mistakes in destroying all sessions of a subject. */
import type { Mutant } from "./_mutant.ts";

export const SUBJECT_MUTANTS: readonly Mutant[] = [
  {
    name: "a session that is not in the subject index",
    find: "const $listing = await $index.add($key, $session); const $saved = await $write();",
    replace: "const $listing = { generation: $session, sealed: $key, isPruningDue: false };\n" +
      "const $saved = await $write();\nif ($listing.sealed) return $saved;",
    by: "resurrected",
  },
  {
    name: "a new session that is saved although destroyAll() ran in the meantime",
    find: "$isRefused = !await $index.$isListed($indexKey, $key, $listing);",
    replace: "$isRefused = false;",
    by: "tests",
  },
  {
    name: "a destroyAll() that does not bump the generation",
    find: "$entries = await this.$index.$bump($key); } catch {",
    replace: "$entries = await this.$index.list($key);\n} catch {",
    by: "tests",
  },
  {
    name: "a destroyAll() that destroys the sessions of another subject",
    find: "const $isOurs = ($record: $Type) => this.$own($record);",
    replace: "const $isOurs = ($record: $Type) => this.$own($record) || true;",
    by: "tests",
  },
  {
    name: "index entries that are removed before their sessions are destroyed",
    find: "const { $count, $ended, $failures } = await this.$endListed($entries, $kept);",
    replace: "await this.#index.remove(key, $entries);\n" +
      "const { $count, $ended, $failures } = await this.$endListed($entries, $kept);",
    by: "tests",
  },
  {
    name: "a destroyAll() that leaves the entries of the ended sessions in the index",
    find: "await this.$index.remove($key, $ended); if ($failures.length > 0) throw $failures[0];",
    replace: "if ($failures.length > 0) throw $failures[0];",
    by: "tests",
    tests: ["subject_lists_test.ts"],
  },
  {
    name: "a long session that is not indexed again",
    find: "return $lastAccess <= this.$now() && Math.floor(",
    replace: "return $lastAccess < 0 && Math.floor(",
    by: "tests",
  },
  {
    name: "a subject index that keeps entries of ended sessions",
    find: "else $ended.push($entry); } await this.$remove($key, $ended);",
    replace: "else $ended.push($entry);\n}",
    by: "tests",
  },
  {
    name: "a subject index that drops the entry of a session that is being created",
    find: "if (this.$mayBeUnwritten($entry)) continue;",
    replace: "",
    by: "tests",
    tests: ["subject_lists_test.ts"],
  },
  {
    name: "a malformed subject index that counts as an empty one",
    find: 'entries: [{ sealed: "", at: $now }]',
    replace: "entries: []",
    by: "tests",
  },
  {
    name: "a sign-in that is refused and whose session goes on",
    find: "await this.$endByKey($key); throw $interrupted();",
    replace: "if ($key) throw $interrupted();",
    by: "tests",
    tests: ["subject_index_test.ts"],
  },
  {
    name: "an attempt to list a session that reuses the entry of an earlier attempt",
    find: "const $sealed = await this.$seal.seal($context($key), $session);",
    replace: "const earlier = this as unknown as Record<string, string>;\n" +
      "const $sealed = earlier[$session] ??= await this.$seal.seal($context($key), $session);",
    by: "tests",
    tests: ["subject_index_test.ts"],
  },
  {
    name: "a pruned index that keeps every entry of a session",
    find: "if ($isActive && !$seen.has($record.$key)) $seen.add($record.$key);",
    replace: "if ($isActive) $seen.add($record.$key);",
    by: "tests",
    tests: ["subject_index_test.ts", "subject_lists_test.ts"],
  },
  {
    name: "a session whose hash in the list changes with its ID",
    find: "$hash: await $hashOf($key), $session",
    replace: "$hash: await $hashOf($session.id), $session",
    by: "tests",
    tests: ["subject_sessions_test.ts"],
  },
  {
    name: "a subject that shares its index with another one, because UTF-8 cannot hold it",
    find: '$value !== "" && $value.isWellFormed()',
    replace: '$value !== ""',
    by: "tests",
    tests: ["subjects_test.ts"],
  },
  {
    name: "a stored session whose subject shares its index with another one",
    find: "if (_subject !== undefined && !isSubject(_subject)) return undefined;",
    replace: 'if (_subject !== undefined && typeof _subject !== "string") return undefined;',
    by: "tests",
    tests: ["subjects_test.ts"],
  },
];
