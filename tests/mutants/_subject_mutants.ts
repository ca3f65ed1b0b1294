/** Mistakes in the index of a subject's sessions, and in destroying all of them. */
import { mistake, type Mutant } from "./_mutant.ts";

const USERS = ["sessions_of_a_user_test.ts"];
const RACES = ["sessions_of_a_user_races_test.ts"];
const LISTS = ["subject_lists_test.ts"];
const INDEX = ["subject_index_test.ts"];

export const SUBJECT_MUTANTS: readonly Mutant[] = [
  {
    name: "a session that is not in the subject index",
    find:
      "const $listing = await $index.add($subject, $session, $idle); const $saved = await $write();",
    replace: "const place = { key: $session, level: 0 };\n" +
      "const $listing = { generation: $session, sealed: $subject, place };\n" +
      "const $saved = await $write();\nif ($listing.sealed) return $saved;",
    by: "resurrected",
  },
  {
    name: "a new session that is saved although destroyAll() ran in the meantime",
    find: "$isRefused = !await $index.$isListed($subject, $key, $listing, $idle);",
    replace: "$isRefused = false;",
    by: "tests",
  },
  {
    name: "a destroyAll() that does not bump the generation",
    find: "$entries = await this.$index.$bump(this.$subject); } catch {",
    replace: "$entries = await this.$index.list(this.$subject);\n} catch {",
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
    replace: "await this.#index.remove($entries);\n" +
      "const { $count, $ended, $failures } = await this.$endListed($entries, $kept);",
    by: "tests",
  },
  {
    name: "a destroyAll() that leaves the entries of the ended sessions in the index",
    find: "await this.$repository.$tidy(() => this.$index.remove($ended)); " +
      "if ($failures.length > 0) throw $failures[0];",
    replace: "if ($ended.length < $failures.length) throw $failures[0];",
    by: "tests",
    tests: ["subject_lists_test.ts"],
  },
  {
    name: "a damaged index that stays damaged when there is nothing to change in it",
    find:
      "const $isSame = $content === $before && ($record === undefined || $stored !== undefined);",
    replace: "const $isSame = $content === $before;",
    by: "tests",
    tests: INDEX,
  },
  {
    name: "an index that is used less often than the records of its sessions",
    find: "this.$confirm = Math.min(MAX_CONFIRM_SECONDS, $expire);",
    replace: "this.$confirm = $expire && MAX_CONFIRM_SECONDS;",
    by: "tests",
    tests: LISTS,
  },
  {
    name: "a long session that is not confirmed in the index",
    find: "return $lastAccess <= this.$now() && Math.floor(",
    replace: "return $lastAccess < 0 && Math.floor(",
    by: "tests",
  },
  {
    name: "a subject index that keeps entries of ended sessions",
    find: "if ($record === undefined || !$isOurs($index.subject, $record)) $gone.add($entry);",
    replace: "if ($record !== undefined && !$isOurs($index.subject, $record)) $gone.add($entry);",
    by: "tests",
    tests: ["subject_lists_test.ts"],
  },
  {
    name: "a subject index that drops the entry of a session that is being created",
    find: "this.$idle = $expire + $interval + $margin;",
    replace: "this.$idle = $margin === 0 ? $expire + $interval : 0;",
    by: "tests",
    tests: ["subject_index_test.ts"],
  },
  {
    name: "a malformed subject index that counts as an empty one",
    find: "return { $generation, level: $max, entries: [$lost] };",
    replace: "return { $generation, level: $max, entries: [$lost].slice(1) };",
    by: "tests",
  },
  {
    name: "a sign-in that is refused and whose session goes on",
    find: "if ($isRefused) await this.$endListed($key);",
    replace: "",
    by: "tests",
    tests: ["subject_index_test.ts"],
  },
  {
    name: "an attempt to list a session that reuses the entry of an earlier attempt",
    find: "const $sealed = await this.$seal.seal($context($index), $session); return",
    replace: "const earlier = this as unknown as Record<string, string>;\n" +
      "const $sealed = earlier[$session] ??= await this.$seal.seal($context($index), $session);\n" +
      "return",
    by: "tests",
    tests: ["subject_index_test.ts"],
  },
  {
    name: "a pruned index that keeps every entry of a session",
    find: "return $newest.get($entry.tag) !== $entry && !this.$entries.$mayBeUnwritten($entry);",
    replace: "return !$newest.has($entry.tag) && !this.$entries.$mayBeUnwritten($entry);",
    by: "tests",
    tests: ["subject_lists_test.ts"],
  },
  {
    name: "a session whose hash in the list changes with its ID",
    find: "$hash: await $hashOf($session.$key), $session",
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
  mistake("a logout that leaves its session in the index", USERS, {
    find: "if (!$ended?.subject || $index === undefined) return;",
    replace: "if (!$ended?.subject || $index !== undefined) return;",
  }),
  mistake("a session that stays in the index of the user whom it has left", USERS, {
    find: "if ($base.subject) $old.push(...await $index.find($base.subject, $base.$key));",
    replace: 'if (!$base.subject) $old.push(...await $index.find("", $base.$key));',
  }),
  mistake("a change of the subject that also removes the entries of a later return", USERS, {
    find: "await this.$tidy(async () => { await $index.remove($old); " +
      "if ($isRefused) await $index.removeSession($subject, $key);",
    replace: "await this.$tidy(async () => {\n" +
      'if ($old.length > 0) await $index.removeSession("ada", $key);\n' +
      "if ($isRefused) await $index.removeSession($subject, $key);",
  }),
  mistake("an index that ends at its root", USERS, {
    find: "for (let $one = 1; $one <= $level; $one++) {",
    replace: "for (let $one = 1; $one < $level; $one++) {",
  }),
  mistake("a logout that looks for the entry in the root alone", USERS, {
    find: "const $shards = await $shardsOf($index, $level, $tag); " +
      "await Promise.all($shards.map($remove));",
    replace: "if ($level < 0) throw new Error();",
  }),
  mistake("a level that no sign-in raises", LISTS, {
    find: "if ($pruned.entries.length >= $room) return [$pruned, undefined];",
    replace: "if ($pruned.entries.length >= 16 * $room) return [$pruned, undefined];",
  }),
  mistake("a destroyAll() that removes the entry of a later sign-in", RACES, {
    find: "if ($isEnded || !this.$index.$rules.$mayBeUnwritten($entry)) $ended.push($entry);",
    replace: "if ($isEnded || this.$index) $ended.push($entry);",
  }),
  mistake("a sign-in whose lost entry hides that destroyAll() ran", INDEX, {
    find: "return (await this.$records.read($root))?.$generation === $generation;",
    replace: "return $root !== undefined;",
  }),
  mistake("a session in use that stays listed under an old secret", RACES, {
    find: "await this.$first.unseal($context($index), $entry.sealed) === $session;",
    replace: "await this.$first.unseal($context($index), $entry.sealed) !== $index.subject;",
  }),
  mistake("a session in use that is added again in place of being confirmed", USERS, {
    find: "const { $isFound, $level } = await $confirm($index.root); if ($isFound) return;",
    replace: "const { $isFound, $level } = await $confirm($index.root);\n" +
      "if ($isFound && $level < 0) return;",
  }),
  mistake("an empty index that is kept for a week", LISTS, {
    find: "const $ttl = $isEmpty ? 2 * $max : this.$keptFor($content);",
    replace: "const $ttl = $isEmpty && $max < 0 ? 0 : this.$keptFor($content);",
  }),
  mistake("a root that expires while its shards are in use", LISTS, {
    find: "Math.abs($now - $record.lastAccess) > $ttl / 4",
    replace: "Math.abs($now - $record.lastAccess) > $ttl * 4",
  }),
  mistake("an entry that a wrong clock has dated into the future for good", LISTS, {
    find: "at: Math.min($entry.at, $latest)",
    replace: "at: Math.max($entry.at, $latest - $latest)",
  }),
  mistake("a full index that drops an entry and does not end the session", LISTS, {
    find: "await this.$endSession($key, $isOurs); $gone.add($entry);",
    replace: "if ($key !== undefined) $gone.add($entry);",
  }),
  mistake("a full index that ends any session", LISTS, {
    find:
      "$found.filter(($one) => $one !== undefined) .sort(($a, $b) => $a.lastAccess - $b.lastAccess);",
    replace: "$found.filter(($one) => $one !== undefined);",
  }),
  mistake("sign-ins of one process that each write the index", RACES, {
    find: "this.$changes = new KeyedBatches(Infinity, $max, ($jobs) => this.$change($jobs));",
    replace: "this.$changes = new KeyedBatches(1, $max, ($jobs) => this.$change($jobs));",
  }),
];
