/** Mistakes with several States, with sessions that are saved early, and with several middlewares. */
import { mistake, type Mutant } from "./_mutant.ts";

const FIRST = ["tests/unit/state/first_test.ts"];
const SAVE = ["save_test.ts"];
const TOUCH = ["touch_test.ts"];
const HEADLESS = ["headless_commit_test.ts"];
const TWO = ["two_sessions_test.ts"];
const ADAPTERS = ["adapters_test.ts"];

/** Mistakes of a FirstState, and of the middleware that has one. */
const first: Mutant[] = [
  mistake("an unknown token after which the cookie is tried", FIRST, {
    find: 'if (typeof $extracted === "string" || Array.isArray($extracted)) ' +
      "return $extracted.length > 0;",
    replace: 'if (typeof $extracted === "string" || Array.isArray($extracted)) ' +
      "return $extracted.length === 64;",
  }),
  mistake("an empty list that counts as an ID", FIRST, {
    find: 'if (typeof $extracted === "string" || Array.isArray($extracted)) ' +
      "return $extracted.length > 0;",
    replace: 'if (typeof $extracted === "string") return $extracted.length > 0;\n' +
      "if (Array.isArray($extracted)) return true;",
  }),
  mistake("an ID that is sent by another State than the one that found it", FIRST, {
    find: "this.$own = $origin.$state ?? $parts.options.$state;",
    replace: "this.$own = $parts.options.$state;",
  }),
  mistake("a replaced ID in a header that is refused, because browsers have a cookie", FIRST, {
    find: "const { isExplicit } = $lookup.state ?? this.options.state;\n" +
      "if (isExplicit) return this.$openNew(",
    replace: "const { isExplicit } = this.options.state;\nif (isExplicit) return this.$openNew(",
  }),
  mistake("an encrypted session that is bound to the last of several States", FIRST, {
    find: 'if ($lookup.status === "active") $lookup.name = $state.name;',
    replace: "",
  }),
  mistake("a new encrypted session that is bound to the last of several States", FIRST, {
    find: "createOnce($backend, $backend.keyOf($id), $text, $expiry, $name)",
    replace: "createOnce($backend, $backend.keyOf($id), $text, $expiry)",
  }),
  mistake("an encrypted session that any of several States may carry", FIRST, {
    find: "const $lookup = await this.$lookUp($extracted, $state.name);",
    replace: "const $lookup = await this.$lookUp($extracted);",
  }),
];

/** Mistakes of `session.save()`. */
const saving: Mutant[] = [
  mistake("save() whose failure is forgotten when the handler catches it", SAVE, {
    find: "if ($early.isFailed) return;\nif (!$early.isSaved) {",
    replace: "if (!$early.isSaved) return;\nif (!$early.isSaved) {",
  }),
  mistake("save() that fails every response after it", SAVE, {
    find: "($error) => {\n$early.isFailed = true; throw $error;",
    replace: "($error) => {\nthrow $error;",
  }),
  mistake("a second save() that resolves to something else", SAVE, {
    find: "if (this.$early !== undefined) return this.$early.saved;",
    replace: "if (this.$early !== undefined) return this.$early.saved.then(() => undefined);",
  }),
  mistake("save() whose cookie is sent with each of several responses", SAVE, {
    find: "const $taken = $early.headers.splice(0).filter(",
    replace: "const $taken = $early.headers.slice(0).filter(",
  }),
  mistake("save() that resolves to the ID before the regeneration", SAVE, {
    find: "if ($sent === undefined) return;\nthis.$presented = $sent;",
    replace: "if ($sent === undefined) return;",
  }),
  mistake("save() that resolves to the ID of a session that has ended", SAVE, {
    find: 'case "destroyed":\nthis.$presented = undefined;',
    replace: 'case "destroyed":',
  }),
  mistake("save() whose cookie is sent although the handler then ended the session", SAVE, {
    find:
      "if ($isEnded && !$isRestarted && $taken.length > 0) this.$state.clear?.($headers);\nelse",
    replace: "",
  }),
  mistake("save() whose cookie is not on the response to an error", SAVE, {
    beside: "const $isHandled = $thrown instanceof HandledFailure;",
    find: "await $active?.commit($headers, () => $answered.headers);\n" +
      "addSaved($headers, $saved, $answered.headers, $options);",
    replace: "",
  }),
  mistake("an error response without the cookie of an inner session", TWO, {
    find: "addSaved($headers, $saved, $answered.headers, $options);\nif ($headers.length === 0)",
    replace: "if ($headers.length === 0)",
  }),
  mistake("a SessionError without the cookie of an inner session", TWO, {
    find: "if ($fromInside.length === 0 || !($error instanceof SessionError)) throw $error;",
    replace: "if ($fromInside.length >= 0 || !($error instanceof SessionError)) throw $error;",
  }),
  mistake("the cookie of an inner session twice on the error response", TWO, {
    find: "if (!isForCaches($pair[0]) && !isThere($pair)) $headers.push($pair);",
    replace: "if (!isForCaches($pair[0])) $headers.push($pair);",
  }),
  mistake("an unawaited save() that is not waited for when the handler throws", SAVE, {
    find: "await $early.saved.catch(() => $early.isFailed = true);",
    replace: "",
  }),
];

/** Mistakes of `session.touch()`. */
const touching: Mutant[] = [
  mistake("touch() that calls the store each time", TOUCH, {
    find: "if (this.$repository.now() < this.$quietUntil) return Promise.resolve(true);",
    replace: "",
  }),
  mistake("touch() that takes the client to have the current ID", TOUCH, {
    find: "if (await this.$repository.touchHeld($current)) {",
    replace: "if ((await this.$repository.touch($current, false)) !== undefined) {",
  }),
  mistake("touch() that keeps a connection after somebody else has signed in", TOUCH, {
    find: "return $lineage === undefined || $isFollowed($lineage, $found) ? $found : undefined;",
    replace: "return $found;",
  }),
  mistake("touch() that overlaps with itself", TOUCH, {
    find: "this.$pending ??= this.$touch().finally(() => this.$pending = undefined);\n" +
      "return this.$pending;",
    replace: "return this.$touch();",
  }),
  mistake("touch() that gives up when another write comes first", TOUCH, {
    find: "for (let $tries = $max; $tries > 0; $tries--) {\n" +
      "const $current = await $find(this.$repository, this.$copy);",
    replace: "for (let $tries = 1; $tries > 0; $tries--) {\n" +
      "const $current = await $find(this.$repository, this.$copy);",
  }),
];

/** Mistakes with several middlewares in one app. */
const sharing: Mutant[] = [
  mistake("a second middleware that uses the session of the first in Hono", ADAPTERS, {
    find: "if (owners.get($present) !== sessions) throw",
    replace: "if (owners.get($present) === undefined) throw",
  }),
  mistake("a second middleware that uses the session of the first in Express", ADAPTERS, {
    find: "if ($findSession(req, sessions) !== undefined) return next();",
    replace: "if (Object.hasOwn(req, 'session')) return next();",
  }),
  mistake("a second middleware that uses the session of the first in PAGI", TWO, {
    find: "if ($owner === undefined || ($owner as Lifecycle).options === $options) return;",
    replace: "return;",
  }),
  mistake("a request that another one's Response is taken to belong to", TWO, {
    find: "return $root === undefined || $root.isOver ? $request : $root.request;",
    replace: "return $root === undefined ? $request : $root.request;",
  }),
  mistake("a handler that is called with a new Request and shares no Response", TWO, {
    find: "return $middlewares > 1;",
    replace: "return $middlewares < 0;",
  }),
  mistake("a middleware that runs twice for one Request and opens two sessions", TWO, {
    find: "if ($one.owner === $owner && !$one.isOver) return $one.opened as $T;",
    replace: "if ($one.owner === $owner && $one.isOver) return $one.opened as $T;",
  }),
  mistake("a session that is handed to the next request with the same object", TWO, {
    find: "$one.isOver = true;\nif ($marked[$opened] === $one) $marked[$opened] = $one.outer;",
    replace: "",
  }),
  mistake("two middlewares with one cookie", TWO, {
    find: "cookieName = key &&",
    replace: "cookieName = key && undefined &&",
  }),
];

/** Mistakes with a response that can carry no headers. */
const headless: Mutant[] = [
  mistake("a new session that is stored although its client cannot get the ID", HEADLESS, {
    find: 'case "created": if (!this.$sendsHeaders($generated)) return $outcome;',
    replace: 'case "created": return $outcome;',
  }),
  mistake("a regenerated session that is stored although its client cannot get the ID", HEADLESS, {
    find: "if ($isKept && !$isWithClient) return $outcome;",
    replace: "return $outcome;",
  }),
  mistake("a rotation whose ID the client cannot get", HEADLESS, {
    find: "return { ...$outcome, idChange: undefined };",
    replace: "return $outcome;",
  }),
  mistake("a user who stays signed in because the response was sent", HEADLESS, {
    find: "if (!$isKept && $stored.subject !== undefined && " +
      "$stored.subject !== $outcome.change.subject) {",
    replace: "if (!$isKept && $stored.subject === null) {",
  }),
  mistake("a session whose ID the app itself sends and that is not stored", HEADLESS, {
    find: "this.$own.inject($headers, $generated, { expire: this.$options.expire }); " +
      "return $headers.length > 0;",
    replace: "return true;",
  }),
  mistake("an immutable 101 that is taken for a response with headers", HEADLESS, {
    find: "if ($status !== 101 && $status !== 0) return undefined;",
    replace: "return undefined;",
  }),
  mistake("a second commit that does not wait for the first", HEADLESS, {
    find: "if (this.$pending !== undefined) return this.$pending;",
    replace: "",
  }),
];

export const SAVE_MUTANTS: readonly Mutant[] = [
  ...first,
  ...saving,
  ...touching,
  ...sharing,
  ...headless,
];
