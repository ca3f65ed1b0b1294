/** All mutants: deliberate mistakes in the library, each of which a test must find. */
import { COMPAT_MUTANTS } from "./_compat_mutants.ts";
import { DATA_MUTANTS } from "./_data_mutants.ts";
import { ENDING_MUTANTS } from "./_ending_mutants.ts";
import { EVERYDAY_MUTANTS } from "./_everyday_mutants.ts";
import { GRAMMAR_MUTANTS } from "./_grammar_mutants.ts";
import { MERGE_MUTANTS } from "./_merge_mutants.ts";
import { mistake, type Mutant } from "./_mutant.ts";
import { MISTAKE_MUTANTS } from "./_mistake_mutants.ts";
import { NODE_MUTANTS } from "./_node_mutants.ts";
import { RECORD_MUTANTS } from "./_record_mutants.ts";
import { SAVE_MUTANTS } from "./_save_mutants.ts";
import { SECURITY_MUTANTS } from "./_security_mutants.ts";
import { STORE_MUTANTS } from "./_store_mutants.ts";
import { SUBJECT_MUTANTS } from "./_subject_mutants.ts";

const WRITES = ["repository_test.ts"];
const REPLACED = ["replaced_ids_test.ts"];
const SESSION = ["tests/unit/session_test.ts"];
const UPDATES = ["update_test.ts"];

/** Mistakes in how a session ID is regenerated. */
const regenerating: Mutant[] = [
  {
    name: "a write that ignores the version",
    find: "const $next = this.$store.replace($key, $text, { version, lastAccess, ttl, $signal });",
    replace: "const any = this.$store.read($key, { $signal });\n" +
      "const $next = after(any, (any) =>\n" +
      "this.$store.replace($key, $text, {\n" +
      "version: any?.version ?? version, lastAccess, ttl, $signal,\n}));",
    by: "lost",
  },
  {
    name: "a regeneration that leaves the old ID valid",
    find: "const $replaced = { $verifier: $header.$verifier, $isRotated: $isRotation, $at };",
    replace: "const $replaced = { $verifier: $header.$verifier, $isRotated: true, $at };",
    by: "extraIds",
  },
  {
    name: "a regeneration that keeps the verifier",
    find: "].slice(-$max); $next.$verifier = $newVerifier;",
    replace: "].slice(-$max);",
    by: "wrongAnswers",
  },
  {
    name: "a regeneration that sends the old ID",
    find: "if ($idChange !== undefined && $id !== $replaced.$id) return $id;",
    replace: "if ($idChange !== undefined && $id !== $replaced.$id) return $replaced.$id;",
    by: "undoneLogins",
  },
  {
    name: "a new subject that keeps the ID, as a race shows",
    find: "return Boolean($data._regenerated) || " +
      "(this.$stored !== undefined && this.$stored.$subject !== $data._subject);",
    replace: "return Boolean($data._regenerated);",
    by: "wrongAnswers",
  },
  mistake("a write that is merged after a regeneration", WRITES, {
    find: "$regenerations === $base.$header.$regenerations && " +
      "$changes === $base.$header.$changes",
    replace: "$changes === $base.$header.$changes",
  }),
  mistake("a write that is merged after a change of the subject", WRITES, {
    find: "$regenerations === $base.$header.$regenerations && " +
      "$changes === $base.$header.$changes",
    replace: "$regenerations === $base.$header.$regenerations",
  }),
  mistake("a session that the server holds and that follows to another user", UPDATES, {
    find: "return $header.$changes === $changes && " +
      "($subject !== undefined || $header.$regenerations === $regenerations);",
    replace: "return $subject !== undefined || $header.$regenerations === $regenerations;",
  }),
  mistake("a session that the server holds and that follows without a subject", UPDATES, {
    find: "return $header.$changes === $changes && " +
      "($subject !== undefined || $header.$regenerations === $regenerations);",
    replace: "return $header.$changes === $changes;",
  }),
  mistake("an update by any ID with the right key", UPDATES, {
    find: "return $verifier === undefined || $isSame($header.$verifier, $verifier) || " +
      "$isInGrace($header, $verifier, $readAt, this.$options);",
    replace: "return $header !== undefined && $readAt > 0;",
  }),
  mistake("a regeneration that gives the session another key", ["versioned_test.ts"], {
    find: "nextId($id: string, $generated: string): string { " +
      "return $generated.slice(0, $half) + $keyOf($id);",
    replace: "nextId($id: string, $generated: string): string {\n" +
      "return $id && $generated.slice(0, $half) + $keyOf($generated);",
  }),
  mistake("an authentication that does not start the absolute lifetime again", SESSION, {
    find: "return $isAuthenticated || ($subject !== undefined &&",
    replace: "return ($subject !== undefined &&",
  }),
  mistake("a new subject that does not start the absolute lifetime again", SESSION, {
    find: "return $isAuthenticated || " +
      "($subject !== undefined && $subject !== this.$record?.$own);",
    replace: "return $isAuthenticated;",
  }),
];

/** Mistakes in requests whose ID was replaced. */
const late: Mutant[] = [
  {
    name: "a late request that starts a new session",
    find: "if ($age > $wait && $isNavigation($scope)) {",
    replace: "if ($age >= 0) {",
    by: "undoneLogins",
  },
  {
    name: "a late request that gets the session under its new ID",
    beside: "function $find({ replaced }: RecordHeader, $verifier: string)",
    find: "if (!$isLate($last, $readAt)) return $unknown; const $isHeld",
    replace: "if ($isLate($last, $readAt)) return session;\nconst $isHeld",
    by: "extraIds",
  },
  {
    name: "a late logout that is refused",
    find: 'if (!this.$copy.$destroyLate()) this.$write("destroy")._destroyed = 1;',
    replace: 'this.$write("destroy")._destroyed = 1;',
    by: "resurrected",
  },
  {
    name: "a late logout that destroys nothing",
    find: "else if (this.$replacedKey !== undefined && !$isRestarted) {",
    replace: "else if (this.$replacedKey === null && !$isRestarted) {",
    by: "resurrected",
  },
  mistake("a late request that another server's clock lets start a new session", REPLACED, {
    find: "const $wait = 10 + $skew;",
    replace: "const $wait = 10;",
  }),
  mistake("a late request that starts a new session, although it opens no page", REPLACED, {
    find: "if ($age > $wait && $isNavigation($scope)) {",
    replace: "if ($age > $wait) {",
  }),
  mistake("a late request that no page can leave behind", REPLACED, {
    find: "if ($age > $wait && $isNavigation($scope)) {",
    replace: "if ($age > Infinity && $isNavigation($scope)) {",
  }),
  mistake("a page that keeps the replaced ID, so that a form on it cannot write", REPLACED, {
    find: 'return this.$hasReplaced() && $isPrivate() ? { $kind: "cleared" } : $none;',
    replace: 'return this.$hasReplaced() && !$isPrivate ? { $kind: "cleared" } : $none;',
  }),
  mistake("a page that shared caches may store and that removes the cookie", REPLACED, {
    find: 'return this.$hasReplaced() && $isPrivate() ? { $kind: "cleared" } : $none;',
    replace: 'return this.$hasReplaced() ? { $kind: "cleared" } : $none;',
  }),
  mistake("a page with an unknown ID that removes the cookie", REPLACED, {
    find: 'return $absence === "replaced" && $mode === "writable";',
    replace: 'return $absence !== undefined && $mode === "writable";',
  }),
  mistake("a page with a replaced ID that is taken for one that only reads", REPLACED, {
    find: "return !this.$options.saveUninitialized && !this.$hasReplaced();",
    replace: "return !this.$options.saveUninitialized;",
  }),
  mistake("a late request of a client that sends its ID itself and is refused", REPLACED, {
    find: 'if ($isExplicit) return this.$openNew($scope, "unknown", $lookup, $key);',
    replace: "",
  }),
  mistake("a logout by a client that knows the key only", WRITES, {
    find: "$lookup.$isHeld ? $lookup.$key : undefined",
    replace: "$lookup.$isHeld !== undefined ? $lookup.$key : undefined",
  }),
  mistake("a logout that counts for the first of two replaced IDs only", REPLACED, {
    find:
      'return $lookup.$status === "replaced" && $best.$status === "replaced" && !$best.$isHeld;',
    replace: "return false;",
  }),
  mistake("a new session that ends the one with the newer ID", SESSION, {
    find: "else if (this.$replacedKey !== undefined && !$isRestarted) {",
    replace: "else if (this.$replacedKey !== undefined) {",
  }),
  mistake("a login that is refused because its ID was replaced", SESSION, {
    find: 'const $isOver = $mode === "replaced" || (',
    replace: "const $isOver = (",
  }),
  mistake("a session that can be started again after the response", SESSION, {
    find: 'if ($mode !== "replaced") this.$write("restart");',
    replace: "",
  }),
  mistake("a session that starts again with the old data", SESSION, {
    find: "this.$data = { ...$kept, _created: $now };",
    replace: "this.$data = { ...$data, ...$kept, _created: $now };",
  }),
];

/** Mistakes in the commit and in what the response says. */
const answering: Mutant[] = [
  {
    name: "a commit after the response was sent",
    find: "await $active.commit($added, () => $toCacheHeaders($headers));",
    replace: 'options.state.inject($added, String(data._id ?? ""), {});\n' +
      "await send({ ...event, headers: [...$headers, ...$added] });\n" +
      // The condition is always true, but the compiler does not know it.
      "if ($headers) return await $active.commit([], () => ({ get: () => undefined }));",
    by: "wrongAnswers",
  },
  {
    name: "a commit that the response does not wait for",
    find: "await $active.commit($added, () => $toCacheHeaders($headers));",
    replace: 'options.state.inject($added, String(data._id ?? ""), {});\n' +
      "Promise.resolve($active.commit([], () => ({ get: () => undefined }))).catch(() => {});",
    by: "wrongAnswers",
  },
  {
    name: "a save although the handler failed",
    beside: "($generated) => this.$save($headers, $cacheControl, $generated)",
    find: "const $isDestroyed = this.$look(); this.$copy.$close(); if (!$isDestroyed) return;",
    replace: "const $isDestroyed = this.$look();\n" +
      "if (!$isDestroyed) return void await this.$save([], () => undefined);\n" +
      "this.$copy.$close();",
    by: "lost",
  },
  {
    name: "a replace() that was refused and counts as done",
    find: "if ($version === undefined || $version === null) return undefined; " +
      "if (!$isVersion($version)) throw",
    replace: 'if ($version === undefined || $version === null) return { version: "" };\n' +
      "if (!$isVersion($version)) throw",
    by: "resurrected",
  },
  mistake("a delete() that was refused and counts as done", ["versioned_test.ts"], {
    find: 'return $after($isDone, ($isDone) => $check($isDone, "delete"));',
    replace: "return $after($isDone, () => true);",
  }),
  mistake("a touch() that was refused and sends the ID", WRITES, {
    find:
      'return $after($isDone, ($isDone) => $check($isDone, "touch") ? { $version } : undefined);',
    replace: "return $after($isDone, () => ({ $version }));",
  }),
  {
    name: "a request that only reads and writes the record",
    find: "if ($isChanged || ($idChange !== undefined && $isAsked)) {",
    replace: "if ($isChanged || $isAsked || true) {",
    by: "wrongAnswers",
  },
  mistake("a request that only reads and never updates the last-access time", [
    "tests/unit/store/cookie_test.ts",
  ], {
    find: "return !this.$repository.$isTouchDue($stored, $now) && !this.$isOld($stored, $now) && " +
      "!this.$isRotationDue();",
    replace: "return !this.$isOld($stored, $now) && !this.$isRotationDue();",
  }),
  {
    name: "a request that writes and is taken for one that only reads",
    find: "if ($maybeDirty || $isDestroyed || $isEnded || $mustSend) return false;",
    replace:
      "if (($maybeDirty && this.#stored === undefined) || $isDestroyed || $isEnded) return false;",
    by: "lost",
  },
  mistake(
    "a session that was created and whose call counts as taken when it arrives twice",
    WRITES,
    {
      find: "return $found?.text === $text ? { version: $found.version } : undefined;",
      replace: "return $found?.text === null ? { version: $found.version } : undefined;",
    },
  ),
  mistake("a write that counts twice when its call arrives twice", WRITES, {
    find:
      "if (this.$isOwn($base, $current, $write, $token)) return this.$recognize($base, $current, $write); " +
      "if (!$write.",
    replace: "if (!$write.",
  }),
  mistake("a rotation that counts twice when its token is dropped", WRITES, {
    find: "return $verifier !== undefined && $holds($header, $verifier);",
    replace: "return $verifier === null && $holds($header, $verifier);",
  }),
  mistake("a session that is listed although its creation failed", ["failed_sign_ins_test.ts"], {
    find: 'if (($error as $Type).code === "ERR_SESSION_STORE") await this.$withdraw($id);',
    replace: 'if (($error as $Type).code === "never") await this.$withdraw($id);',
  }),
  mistake("a new ID that is never sent when the answer of the store was lost", WRITES, {
    find:
      "if (this.$isOwn($base, $current, $write, $token)) return this.$recognize($base, $current, $write); } " +
      "catch {",
    replace: "void $current;\n} catch {",
  }),
  mistake("a request that moves the last-access time back", WRITES, {
    find: "const $lastAccess = $isUse ? Math.max($now, $before) : $before;",
    replace: "const $lastAccess = $isUse ? $now : $before;",
  }),
  mistake("an update by the server that extends the session", UPDATES, {
    find: "const $lastAccess = $isUse ? Math.max($now, $before) : $before;",
    replace: "const $lastAccess = Math.max($now, $before);",
  }),
  mistake("a record that the store removes before the session ends", ["store_answers_test.ts"], {
    find: "const $margin = $base + Math.min($expire, $longest);",
    replace: "const $margin = $base;",
  }),
];

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [
  ...MERGE_MUTANTS,
  ...regenerating,
  ...late,
  ...EVERYDAY_MUTANTS,
  ...ENDING_MUTANTS,
  ...answering,
  ...MISTAKE_MUTANTS,
  ...NODE_MUTANTS,
  ...RECORD_MUTANTS,
  ...GRAMMAR_MUTANTS,
  ...SUBJECT_MUTANTS,
  ...SAVE_MUTANTS,
  ...SECURITY_MUTANTS,
  ...COMPAT_MUTANTS,
  ...DATA_MUTANTS,
  ...STORE_MUTANTS,
];
