/** Mistakes in how concurrent changes are merged. */
import { mistake, type Mutant } from "./_mutant.ts";

/** A mistake in what many simultaneous requests to one session have to wait for. */
const batching = (name: string, edit: Pick<Mutant, "find" | "replace">) =>
  mistake(name, ["many_requests_test.ts"], edit);

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
    find: "this.$isCleared = true; if (this.$metadata !== undefined) this.$metadata.$added = [];",
    replace: "",
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
    find: "$current ??= await this.$reload($key);",
    replace: "$current ??= jobs[0]!.base;",
    by: "wrongAnswers",
  },
  {
    name: "a retry that reads only the version again",
    find: "$current ??= await this.$reload($key);",
    replace: "$current ??= { ...jobs[0]!.base, version: (await this.$reload($key)).version };",
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
    find: "$current ??= await this.$reload($key);",
    replace: "$current ??= await this.$reload($key).catch(async () => {\n" +
      "const { text, lastAccess } = jobs[0]!.base;\n" +
      "await this.#backend.delete($key);\n" +
      "await this.#backend.create($key, text, { lastAccess, ttl: 3600 });\n" +
      "return await this.$reload($key);\n});",
    by: "resurrected",
  },
  batching("a batch whose writes all start from the record that was read", {
    find: "$last = $advance($last, $own, $write);",
    replace: "",
  }),
  batching("a batch that refuses a write although the write before it was not stored", {
    find: "$outcomes.push(() => $job.reject($error));",
    replace: "$job.reject($error);",
  }),
  batching("a batch that does not recognize its own call", {
    find: "if (this.$isOwn($base, $current, $write, $tokens)) { const $saved",
    replace: "if (false) {\nconst $saved",
  }),
  batching("a batch of which all fail because of one", {
    find: "if ($jobs.length === 1 || $isConflict($error)) {",
    replace: "{",
  }),
  batching("a batch of which all fail because one is too large for the store", {
    find: "if ($jobs.length === 1 || $isConflict($error)) {",
    replace: "if ($jobs.length === 1 || !isStoreError($error)) {",
  }),
  batching("a response that sends an ID which a write in the same call has replaced", {
    find: "if ($saved.id !== $left.id) $saved.sent = undefined;",
    replace: "",
  }),
  batching("a batch whose writes fail one after the other for a long time", {
    find: "$left === undefined && performance.now() - $startedAt > this.$timeoutMs",
    replace: "false",
  }),
  batching("requests that wait for a store that does not answer, one after the other", {
    find: "if ($concernsAll($error)) throw $error;",
    replace: "",
  }),
  batching("a request that races with those that wait", {
    find: "if (this.$writes.isBusy($base.$key)) return this.$swap($base, $write, []);",
    replace: "",
  }),
  mistake("a request that tries again and waits for those that failed", ["keyed_batches_test.ts"], {
    find: "this.$close($key, $lane); $first.reject($error);",
    replace: "setTimeout(() => this.$close($key, $lane));\n$first.reject($error);",
  }),
  mistake("requests that wait for one that was canceled", ["keyed_batches_test.ts"], {
    find: "while ($lane.$done !== $done);",
    replace: "while ($lane.$done >= $done);",
  }),
  batching("updates of several processes that meet again and again", {
    find: "await pause($attempt, performance.now() - $calledAt); $next = undefined;",
    replace: "$next = undefined;",
  }),
  batching("an update that others wait for as long as its callback takes", {
    find: "setTimeout(() => $release(undefined), this.$timeoutMs)",
    replace: "setTimeout(() => {}, this.$timeoutMs)",
  }),
  batching("an update that is written although the values have changed in the meantime", {
    find: "$current.json === $start.json ? $json : undefined",
    replace: "$current && $json",
  }),
  batching("updates that wait for a store that does not answer, one after the other", {
    find: "if ($isDeadline($error)) $fail($error); else $release(undefined);",
    replace: "$release(undefined);",
  }),
];
