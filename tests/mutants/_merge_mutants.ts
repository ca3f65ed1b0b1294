/** Mistakes in how concurrent changes are merged. */
import type { Mutant } from "./_mutant.ts";

export const MERGE_MUTANTS: readonly Mutant[] = [
  {
    name: "a save that overwrites concurrent changes instead of merging",
    find: "if ($current === $base) return $change.$text;",
    replace: "if ($current !== undefined) return $change.$text;",
    by: "lost",
  },
  {
    name: "a merge that drops deletions",
    find: "for (const $key of $keysOf($base, $mine)) {",
    replace: "for (const $key of Object.keys($mine)) {",
    by: "lost",
  },
  {
    name: "a merge that writes keys that the request only read",
    find: "} else if (!$isSame($base[$key], $mine[$key])) {",
    replace: "} else {",
    by: "lost",
  },
  {
    name: "a merge in which the first writer of a key wins",
    find: "} else if (!$isSame($base[$key], $mine[$key])) { $theirs[$key] = $mine[$key];",
    replace:
      "} else if (!$isSame($base[$key], $mine[$key]) && $isSame($base[$key], $theirs[$key])) {\n" +
      "$theirs[$key] = $mine[$key];",
    by: "lost",
  },
  {
    name: "a merge that keeps the keys of other requests after clear()",
    beside: "for (const $key of $keysOf($base, $own)) {",
    find: "if ($change.$isCleared) return $mine;",
    replace: "",
    by: "lost",
  },
  {
    name: "a merge that loses the subject",
    find: "return $codec.$encode($merged, $base.$created, $change.$subject);",
    replace: "return $codec.$encode($merged, $base.$created, undefined);",
    by: "lost",
  },
  {
    name: "a clear() that is not recorded for the merge",
    find: "$clear(): void { this.$isCleared = true; }",
    replace: "$clear(): void {}",
    by: "lost",
  },
  {
    name: "a clear() of an empty session that is not saved",
    find: "if ($change.$isCleared && this.$backend.$isVersioned) return true;",
    replace: "",
    by: "tests",
    tests: ["repository_test.ts"],
  },
  {
    name: "an update() that is not replayed on the newer value",
    find: "if ($update !== undefined && $canReplay($update, $base[$key], $mine[$key])) {",
    replace: "if ($update === null) {",
    by: "lost",
  },
  {
    name: "two calls of update() of which only the last is replayed",
    find: "const $functions = $follows ? $earlier.$functions : [];",
    replace: "const $functions: ((value: unknown) => unknown)[] = [];",
    by: "lost",
  },
  {
    name: "an update() that is replayed although set() followed it",
    find: "return $update.$before === JSON.stringify($base) && " +
      "$update.$after === JSON.stringify($mine);",
    replace: "return true;",
    by: "tests",
  },
  {
    name: "a retry that does not read the record again",
    find: "const $current = await this.$reload($base); " +
      "if (this.$isOwn($base, $current, $write, $token)) return this.$recognize($base, $current, $write); if (!",
    replace: "const $current = $base;\nif (!",
    by: "wrongAnswers",
  },
  {
    name: "a retry that reads only the version again",
    find: "const $current = await this.$reload($base); " +
      "if (this.$isOwn($base, $current, $write, $token)) return this.$recognize($base, $current, $write); if (!",
    replace: "const $current = { ...$base, version: (await this.$reload($base)).version };\nif (!",
    by: "lost",
  },
  {
    name: "no retry",
    beside: "export const $candidates = 4;",
    find: "export const $limit = 32;",
    replace: "export const $limit = 1;",
    by: "wrongAnswers",
  },
  {
    name: "a write that creates a destroyed session again",
    find: "async $reload({ $key }: $Loaded): Promise<$Loaded> { " +
      "const $current = $decode(await this.$backend.read($key), this.$options);",
    replace: "async $reload(session: $Loaded): Promise<$Loaded> {\n" +
      "const { $key } = session;\n" +
      "if ($decode(await this.$backend.read($key), this.$options) === undefined) {\n" +
      "await this.$backend.delete($key);\n" +
      "const expiry = { lastAccess: session.lastAccess, ttl: 3600 };\n" +
      "await this.$backend.create($key, session.text, expiry);\n}\n" +
      "const $current = $decode(await this.$backend.read($key), this.$options);",
    by: "resurrected",
  },
];
