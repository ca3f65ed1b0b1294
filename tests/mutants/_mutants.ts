/** All mutants: deliberate mistakes in the library, each of which a test must find. */
import { DATA_MUTANTS } from "./_data_mutants.ts";
import { GRAMMAR_MUTANTS } from "./_grammar_mutants.ts";
import { MERGE_MUTANTS } from "./_merge_mutants.ts";
import type { Mutant } from "./_mutant.ts";
import { SECURITY_MUTANTS } from "./_security_mutants.ts";
import { STORE_MUTANTS } from "./_store_mutants.ts";
import { SUBJECT_MUTANTS } from "./_subject_mutants.ts";

/** Mistakes in how a session ID is regenerated. */
const rotating: Mutant[] = [
  {
    name: "a regeneration that ignores the version",
    find: "if (await this.$backend.$tombstone($current, $newId, $expiry)) {",
    replace: "const any = await this.$backend.read($current.id) ?? $current;\n" +
      "if (await this.$backend.$tombstone(any, $newId, $expiry)) {",
    by: "extraIds",
  },
  {
    name: "a regeneration that deletes the old record instead of leaving a tombstone",
    find: "const $written = this.replace($record, $encode($record.id, $newId), $expiry);",
    replace: "if ($newId) return this.delete($record);\n" +
      "const $written = this.replace($record, $encode($record.id, $newId), $expiry);",
    by: "resurrected",
  },
  {
    name: "a regeneration that discards the new record when the tombstone may be written",
    find: "if (!$isInDoubt) await this.$discard($copy);",
    replace: "await this.$discard($copy);",
    by: "tests",
    tests: ["tests/guarantees/one_valid_id_test.ts"],
  },
  {
    name: "a tombstone that expires after a minute",
    find: "if (await this.$backend.$tombstone($current, $newId, $expiry)) {",
    replace: "if (await this.$backend.$tombstone($current, $newId, { ...$expiry, ttl: 60 })) {",
    by: "tests",
  },
  {
    name: "a regeneration that leaves the old record unchanged",
    find: "if (await this.$backend.$tombstone($current, $newId, $expiry)) {",
    replace: "if ($current !== undefined) {",
    by: "extraIds",
  },
  {
    name: "a regeneration that loses concurrent changes",
    find: "$current = await this.$reload($current); " +
      "const $text = this.$compose($base, $current, $change);",
    replace: "$current = await this.$reload($current);\nconst $text = $change.text;",
    by: "lost",
  },
  {
    name: "a regeneration that fails and leaves its new record",
    find: "} catch ($error) { if (!$isInDoubt) await this.$discard($copy); throw $error;",
    replace: "} catch ($error) {\nthrow $error;",
    by: "extraIds",
  },
  {
    name: "a regeneration that sends the old ID",
    find: "$transport = this.$repository.$rotate($outcome.$stored, $outcome.id, $outcome.$change);",
    replace: "$transport = this.$repository\n" +
      ".$rotate($outcome.$stored, $outcome.id, $outcome.$change)\n" +
      ".then(() => $outcome.$stored.id);",
    by: "deadSessions",
  },
  {
    name: "a new subject that keeps the ID, as a race shows",
    find: "return Boolean($data._regenerated) || " +
      "(this.$stored !== undefined && this.$stored.$subject !== $data._subject);",
    replace: "return Boolean($data._regenerated);",
    by: "wrongAnswers",
  },
  {
    name: "a change of subject that is merged",
    find: '$lookup.$status !== "active" || $lookup.$subject !== $session.$subject) throw',
    replace: '$lookup.$status !== "active") throw',
    by: "tests",
  },
];

/** Mistakes in requests that send an old ID. */
const late: Mutant[] = [
  {
    name: "a late request that starts a new session",
    find: 'return $age > $limit ? $absent : { $status: "replaced", $id };',
    replace: "return $absent;",
    by: "undoneLogins",
  },
  {
    name: "a late request that gets the session under its new ID",
    find: "const $record = this.$backend.read($sent, $name); " +
      "return $isPromise($record) ? $record.then(($one) => this.$examine($one)) : " +
      "this.$examine($record);",
    replace: "const $record = this.$backend.read($sent, $name);\n" +
      "const found = after($record, (one) => this.$examine(one));\n" +
      "return after(found, (lookup) => {\n" +
      'return lookup.status === "replaced" ? this.find(lookup.id) : lookup;\n});',
    by: "extraIds",
  },
  {
    name: "a late response to a write that sends the old ID again",
    find: "return $transport !== $base.id || $countsAsUse($replaced) ? $transport : undefined;",
    replace: "return $transport;",
    by: "undoneLogins",
  },
  {
    name: "a late logout that is refused",
    find: 'if (!this.$copy.$destroyLate()) this.$write("destroy")._destroyed = 1;',
    replace: 'this.$write("destroy")._destroyed = 1;',
    by: "resurrected",
  },
  {
    name: "a late logout that destroys nothing",
    find: "else if (this.$newId !== undefined) await this.$repository.$endById(this.$newId);",
    replace: "",
    by: "resurrected",
  },
];

/** Mistakes in how a session is destroyed. */
const ending: Mutant[] = [
  {
    name: "a destroy() that stops at the tombstone",
    find: "if ($next === undefined) return $record; $id = $next;",
    replace: "if ($next === undefined) return $record;\nreturn undefined;",
    by: "resurrected",
  },
  {
    name: "a destroy() that gives up after a concurrent write",
    find: "if (!await this.$backend.delete($record)) await this.$endById($record.id);",
    replace: "await this.$backend.delete($record);",
    by: "resurrected",
  },
  {
    name: "a destroy() that ignores the version",
    find: "this.$store.delete($id, { version, $signal })",
    replace: "this.$store.delete($id, { $signal })",
    by: "resurrected",
  },
  {
    name: "a destroy() that has no effect after regenerate()",
    find: 'if (this.$isDestroyed()) return { $kind: "destroyed" };',
    replace: 'if (this.$isDestroyed() && newId === undefined) return { $kind: "destroyed" };',
    by: "resurrected",
  },
  {
    name: "a destroy() that has no effect when the handler fails",
    find: "const $isDestroyed = this.$look(); this.$copy.$close(); if (!$isDestroyed) return;",
    replace: "const $isDestroyed = false;\nthis.$copy.$close();\nif (!$isDestroyed) return;",
    by: "resurrected",
  },
  {
    name: "a logout that does not clear the cookie",
    find: "return this.$destroy().then(() => $state.clear?.($headers));",
    replace: "return this.$destroy();",
    by: "wrongAnswers",
  },
  {
    name: "sessions.destroy() that stops at the tombstone",
    find: "if (this.$backend.accepts($id)) await this.$repository.$endById($id);",
    replace: "if (this.$backend.accepts($id)) {\n" +
      'await this.$backend.delete({ id: $id, version: undefined, text: "", lastAccess: 0 });\n}',
    by: "resurrected",
  },
];

/** Mistakes in the commit and in what the response says. */
const answering: Mutant[] = [
  {
    name: "a commit after the response was sent",
    find: 'await $active.commit($headers, () => $valueOf($headers, "cache-control"));',
    replace: 'options.state.inject($headers, String(data._id ?? ""), {});\n' +
      "await send({ ...event, headers: $headers });\n" +
      "return await $active.commit([], () => undefined);",
    by: "wrongAnswers",
  },
  {
    name: "a commit that the response does not wait for",
    find: 'await $active.commit($headers, () => $valueOf($headers, "cache-control"));',
    replace: 'options.state.inject($headers, String(data._id ?? ""), {});\n' +
      "Promise.resolve($active.commit([], () => undefined)).catch(() => {});",
    by: "wrongAnswers",
  },
  {
    name: "a save although the handler failed",
    beside: "($newId) => this.$save($headers, $newId)",
    find: "const $isDestroyed = this.$look(); this.$copy.$close(); if (!$isDestroyed) return;",
    replace: "const $isDestroyed = this.$look();\n" +
      "if (!$isDestroyed) return void await this.$save([]);\n" +
      "this.$copy.$close();",
    by: "lost",
  },
  {
    name: "a replace() that was refused and counts as done",
    find: "if ($version === undefined || $version === null) return undefined; " +
      "if (!$isVersion($version)) throw",
    replace: "if ($version === undefined || $version === null) {\n" +
      'return { version: "", transport: id };\n}\nif (!$isVersion($version)) throw',
    by: "resurrected",
  },
  {
    name: "a delete() that was refused and counts as done",
    find: 'return $after($isDone, ($isDone) => $check($isDone, "delete"));',
    replace: "return $after($isDone, () => true);",
    by: "resurrected",
  },
  {
    name: "a touch() that was refused and sends the ID",
    find: 'return $after($isDone, ($isDone) => $check($isDone, "touch") ? $id : undefined);',
    replace: "return $after($isDone, () => $id);",
    by: "undoneLogins",
  },
  {
    name: "a request that only reads and writes the record",
    find: "if (this.$repository.$isChanged($stored, $change)) return",
    replace: "if ($stored !== undefined) return",
    by: "wrongAnswers",
  },
  {
    name: "a request that only reads and never updates the last-access time",
    find: "return this.$stored === undefined ? !this.$options.saveUninitialized : " +
      "!this.$repository.$isTouchDue(this.$stored);",
    replace: "return this.$stored === undefined ? !this.$options.saveUninitialized : true;",
    by: "tests",
    tests: ["tests/unit/store/cookie_test.ts"],
  },
  {
    name: "a request that writes and is taken for one that only reads",
    find: "if ($maybeDirty || $isDestroyed) return false; return this.$stored === undefined",
    replace: "if (($maybeDirty && this.$stored === undefined) || $isDestroyed) return false;\n" +
      "return this.$stored === undefined",
    by: "lost",
  },
];

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...MERGE_MUTANTS,
  ...rotating,
  ...late,
  ...ending,
  ...answering,
  ...GRAMMAR_MUTANTS,
  ...SUBJECT_MUTANTS,
  ...SECURITY_MUTANTS,
  ...DATA_MUTANTS,
  ...STORE_MUTANTS,
];
