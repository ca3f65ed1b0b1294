/** Mistakes in how a session is ended, in the store or, with a CookieStore, in its revocations. */
import { mistake, type Mutant } from "./_mutant.ts";

const BACKEND = ["versioned_test.ts"];
const WRITES = ["repository_test.ts"];
const ANSWERS = ["store_answers_test.ts"];
const UPDATES = ["update_test.ts"];
const REVOCATIONS = ["revocations_test.ts"];
const COOKIES = ["tests/unit/core/backend/cookie_test.ts"];
const EVERYWHERE = ["tests/guarantees/log_out_everywhere_cookies_test.ts"];
const OWN = ["ending_ones_own_session_test.ts"];

/** Mistakes in the requests and calls that end a session. */
const destroying: Mutant[] = [
  {
    name: "a destroy() that gives up after a concurrent write",
    find: "if ($isDone) return $decode($record, this.$options); $record = await",
    replace: "if ($isDone) return $decode($record, this.$options);\n" +
      "if ($record) return undefined;\n$record = await",
    by: "resurrected",
  },
  {
    name: "a destroy() that has no effect after regenerate()",
    find: 'if (this.$isDestroyed()) return { $kind: "destroyed" };',
    replace: "if (this.$isDestroyed() && !this.workingCopy.data._regenerated) {\n" +
      'return { $kind: "destroyed" };\n}',
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
    find: "return this.$destroy().then(() => this.$state.clear?.($headers));",
    replace: "return this.$destroy();",
    by: "wrongAnswers",
  },
  mistake("sessions.destroy() that needs a valid ID", UPDATES, {
    find: "return await this.$repository.$endByKey(this.$repository.$keyOf($id));",
    replace: "const found = await this.$repository.find($id);\n" +
      'return found.status === "active" &&\n' +
      "await this.$repository.$endByKey(this.$repository.$keyOf($id));",
  }),
  mistake("sessions.destroy() that says that it has ended an expired session", UPDATES, {
    find: "return $ended !== undefined && $isSession($ended, this.$options);",
    replace: "return $ended !== undefined;",
  }),
  mistake("sessions.destroy() that deletes a subject's index", UPDATES, {
    find: "const $isNotIndex = ({ text }: $Rec) => !$isIndex(text);",
    replace: 'const $isNotIndex = ({ text }: $Rec) => text !== "";',
  }),
  mistake("a destroy() that does not recognize its own marker", WRITES, {
    find: "return $record?.text === $marker ? $decode($last, this.$options) : undefined;",
    replace: "return $marker === null ? $decode($last, this.$options) : undefined;",
  }),
  mistake("a destroy() that takes another call's marker for its own", WRITES, {
    find: "return $record?.text === $marker ? $decode($last, this.$options) : undefined;",
    replace: "return $record !== undefined ? $decode($last, this.$options) : undefined;",
  }),
  mistake("a destroy() that loses against requests that always write first", ANSWERS, {
    find: "$record = await this.$backend.read($key); } return await this.$backend.delete($key) ?",
    replace: "$record = await this.$backend.read($key);\n}\nif ($record) return undefined;\n" +
      "return await this.$backend.delete($key) ?",
  }),
];

/** Mistakes in the calls of the store that end a session. */
const marking: Mutant[] = [
  mistake("a session whose end leaves no marker", BACKEND, {
    find: "return this.$isRemote ? this.$mark($record, $marker, $now) : " +
      "this.$delete($key, $version);",
    replace: "return $marker && $now ? this.$delete($key, $version) : false;",
  }),
  mistake("a marker in a store that answers without a promise", BACKEND, {
    find: "return this.$isRemote ? this.$mark($record, $marker, $now) : " +
      "this.$delete($key, $version);",
    replace: "return $version ? this.$mark($record, $marker, $now) : false;",
  }),
  mistake("a store that is never known to be in another process", BACKEND, {
    find: "if ($isPromise($found)) this.$isRemote = true; return this.$guard.$settle(",
    replace: "return this.$guard.$settle(",
  }),
  mistake("a marker that expires before a late call arrives", BACKEND, {
    find: "const $expiry = { lastAccess: $now, ttl: $markerTtl };",
    replace: "const $expiry = { lastAccess: $now, ttl: $markerTtl / 60 };",
  }),
  mistake("a destroy() that ignores the version", BACKEND, {
    find: "this.$store.delete($key, { version, $signal })",
    replace: "this.$store.delete($key, { $signal })",
  }),
  mistake("a destroy() that fails when the store is full", BACKEND, {
    find: "if ($isDeadline($error as $Type)) throw $error;",
    replace: "if ($error !== undefined) throw $error;",
  }),
  mistake("a destroy() that tries again after the deadline", BACKEND, {
    find: "if ($isDeadline($error as $Type)) throw $error;",
    replace: "",
  }),
];

/** Mistakes in the end of all sessions of a subject that lie at their clients. */
const generations: Mutant[] = [
  mistake("a sign-in that gets a generation from the cache", EVERYWHERE, {
    find: "return $expected(await this.#records.ask($key, $options), $sessionKey);",
    replace: "return $expected(await this.#records.find($key, $options), $sessionKey);",
  }),
  mistake("a session that comes back when it is kept", EVERYWHERE, {
    beside: "class Generations",
    find: "const $kept = $expected($found, $keptKey);",
    replace: "const $kept = $expected($found && undefined, $keptKey);",
  }),
  mistake("a session that is kept only once", EVERYWHERE, {
    beside: "class Generations",
    find: "return $found.$keptKey === $sessionKey ? $found.$keptGeneration : $found.$generation;",
    replace: "return $found.$keptKey === null ? $found.$keptGeneration : $found.$generation;",
  }),
  mistake("a new ID for a session that was ended with all others", EVERYWHERE, {
    find: "if (!$isActive) return false; return await this.$revocations.",
    replace: "return await this.$revocations.",
  }),
  mistake("a new ID by an answer from before the end of all sessions", EVERYWHERE, {
    find: "this.$isOfGeneration($id, $subject, $options, 0)",
    replace: "this.$isOfGeneration($id, $subject, $options)",
  }),
  mistake("a write to a session that was ended with all others", EVERYWHERE, {
    find: "return $isActive ? $known.$generation : undefined;",
    replace: "return $isActive || $known.$generation === FIRST ? $known.$generation : undefined;",
  }),
  mistake("a value of a session that was ended with all others, which opens", EVERYWHERE, {
    find: "return $isActive ? $toOpened($found, $key) : undefined;",
    replace: "return $isActive === null ? undefined : $toOpened($found, $key);",
  }),
  mistake("a session that a cached answer extends for longer than the record lives", EVERYWHERE, {
    find: "const $maxAgeMs = Math.min($maxAge, this.#cacheSeconds) * 1000;",
    replace: "const $maxAgeMs = ($maxAge && this.#cacheSeconds) * 1000;",
  }),
];

/** Mistakes about a handler that ends its own session by a call of the server. */
const own: Mutant[] = [
  mistake("a handler that is refused because it has ended its own session", OWN, {
    find: "if ($isDone) this.$current.$noteEnd(($request) =>",
    replace: "if (!$isDone) this.$current.$noteEnd(($request) =>",
  }),
  mistake("a request that is cleared because another one has ended its session", OWN, {
    find: "if ($isEnded($request)) $request.$workingCopy.$isEnded = true;",
    replace: "$request.$workingCopy.$isEnded = true;",
  }),
  mistake("a login that is lost because the handler has ended its own session", OWN, {
    find: '$mode === "replaced" || ($mode === "writable" && $isEnded && !$isRestarted);',
    replace: '$mode === "replaced" || ($mode === "writable" && $isEnded && $isRestarted);',
  }),
  mistake("a login that is lost because the handler then ended the session from before", OWN, {
    find:
      'if ($subject === undefined || $subject === $stored?.subject) return { kind: "cleared" };',
    replace: 'if ($subject !== null || $stored) return { kind: "cleared" };',
  }),
  mistake("a login that begins another session each time that the subject is assigned", OWN, {
    find: '$mode === "replaced" || ($mode === "writable" && $isEnded && !$isRestarted);',
    replace: '$mode === "replaced" || ($mode === "writable" && ($isEnded || $isRestarted));',
  }),
  mistake("an invalid cookie that stays when the handler only reads", OWN, {
    find: "if ($maybeDirty || $isDestroyed || $isEnded || $mustSend) return false;",
    replace:
      "if ($maybeDirty || $isDestroyed || ($isEnded && $maybeDirty) || $mustSend) return false;",
  }),
  mistake("a session that was kept and is cleared at its client", OWN, {
    find: "&& ($keptKey === undefined || !$isSame($request.$key, $keptKey))",
    replace: "&& ($keptKey === undefined || $isSame($request.$key, $request.$key))",
  }),
];

/** Mistakes in the revocations of a CookieStore. */
const revoking: Mutant[] = [
  mistake("an end that a new ID undoes", REVOCATIONS, {
    beside: "class Revocations",
    find: "if (!$isValid($id, $found)) return undefined;",
    replace: "if (!$isValid($id, $found) && !$found) return undefined;",
  }),
  mistake("an end that resolves to true twice", REVOCATIONS, {
    find: "$found?.$isEnded ? undefined : $text;",
    replace: "$found === null ? undefined : $text;",
  }),
  mistake("a revocation whose own call is not recognized when it arrives twice", REVOCATIONS, {
    find: "if ($found?.text === $text) return true;",
    replace: "",
  }),
  mistake("a revocation that expires before the values of the session", REVOCATIONS, {
    find: "Math.max($options.ttl, $found?.$lifetime ?? 0) + $margin;",
    replace: "Math.max($options.ttl, $found?.$lifetime ?? 0);",
  }),
  mistake("a revocation that leaves every ID of the session valid", REVOCATIONS, {
    find: "(!$found.$isEnded && $isSame($found.$verifier, $verifierOf($id)))",
    replace: '($found.$isEnded ? $verifierOf($id) === "" : $isSame($id, $id))',
  }),
  mistake("an invalid answer of revocations that counts as valid", REVOCATIONS, {
    beside: "class RevocationRecords",
    find: "if ($found === undefined) throw $invalid(); return $found;",
    replace: "return $found;",
  }),
  mistake("a replaced value that opens", REVOCATIONS, {
    find: "{ ...$opened, $replacedAt: $found!.$lastAccess }",
    replace: "{ ...$opened, $replacedAt: $found && undefined }",
  }),
  mistake("two requests that both replace the ID", COOKIES, {
    find: 'return $check($isReplaced, "save") === false ? undefined : $toResult($transport);',
    replace: 'return $check($isReplaced, "save") === null ? undefined : $toResult($transport);',
  }),
  mistake("a value by which sessions.destroy() ends nothing", REVOCATIONS, {
    find: "const $record = await this.read($id); " +
      "return $record !== undefined && await this.$end($record.$key, $byId);",
    replace: "const $record = await this.read($id);\n" +
      "return $record !== undefined && await this.$end($id, $byId);",
  }),
];

export const ENDING_MUTANTS: readonly Mutant[] = [
  ...destroying,
  ...marking,
  ...revoking,
  ...generations,
  ...own,
];
