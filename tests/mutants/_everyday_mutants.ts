/** Mistakes in flash messages, in values that are taken once, in lifetimes and in chunks of cookies. */
import { mistake, type Mutant } from "./_mutant.ts";

const FLASH = ["flash_messages_test.ts"];
const CHUNKS = ["chunks_test.ts", "large_cookies_test.ts"];
const FALLBACKS = ["fallback_test.ts"];
const LIFETIMES = ["lifetimes_test.ts"];
const PULL = ["pull_test.ts"];

export const EVERYDAY_MUTANTS: readonly Mutant[] = [
  mistake("a message that is shown again", FLASH, {
    find: "$messages.filter(($one) => !$metadata?.$taken.has($one))",
    replace: "$messages",
  }),
  mistake("messages of the record that a write drops", FLASH, {
    find: "return [...$left, ...$metadata?.$added ?? []].slice(-$max);",
    replace: "return [...$metadata?.$added ?? []].slice(-$max);",
  }),
  mistake("messages without a limit", FLASH, {
    find: "return [...$left, ...$metadata?.$added ?? []].slice(-$max);",
    replace: "return [...$left, ...$metadata?.$added ?? []];",
  }),
  mistake("a clear() that keeps the messages", FLASH, {
    find: "const $left = $isCleared ? [] : $messages.filter(",
    replace: "const $left = $messages.filter(",
  }),
  mistake("a clear() that keeps the messages of its own request", FLASH, {
    find: "if (this.$metadata !== undefined) this.$metadata.$added = [];",
    replace: "",
  }),
  mistake("messages without a token of their own", FLASH, {
    find: "return `${$newToken()}${$encode($kind)}:${$encode($text)}`;",
    replace: 'return `${"0".repeat(12)}${$encode($kind)}:${$encode($text)}`;',
  }),
  mistake("messages that are not removed if nothing else changes", FLASH, {
    find: "if ($left.length > 0) this.$maybeDirty = true;",
    replace: "",
  }),
  mistake("a new session that is not saved for its messages", FLASH, {
    find: "&& !$change.$metadata?.$changes(undefined);",
    replace: ";",
  }),
  mistake("a restart() that keeps the messages of the session before it", FLASH, {
    find: "if ($values !== undefined) Object.assign(this.$metadata, { $added, $lifetime });",
    replace: "Object.assign(this.$metadata, { $added, $lifetime });",
  }),
  mistake("plain data that loses the messages", FLASH, {
    find: "if ($header.$messages.length > 0) $data._flash = $header.$messages;",
    replace: "",
  }),
  {
    name: "a pull that does not look at the record",
    find: "this.$check($base, $current.$json, $change.$metadata.$pulled);",
    replace: "",
    by: "wrongAnswers",
  },
  mistake("a pull that does not look at a session that it ends", PULL, {
    find: "if ($pulled !== undefined) this.$check($session, $ended?.$json, $pulled);",
    replace: "",
  }),
  mistake("a pull that conflicts with every other write", PULL, {
    find:
      "if ($json === undefined || !$areSame($keys, $base.$json, $json, this.$options.$codec)) {",
    replace: "if (true) {",
  }),
  mistake("a restart() that forgets what was pulled", PULL, {
    find: "for (const $key of $pulled) this.$metadata.$pulled.add($key);",
    replace: "",
  }),
  mistake("a failed pull that leaves the cookie of an ended session", PULL, {
    find: 'if (($cause as $error).code === "ERR_SESSION_CONFLICT") throw $pulledBefore($headers);',
    replace: 'if (($cause as $error).code === "ERR_SESSION_CONFLICT") throw $pulledBefore();',
  }),
  mistake("a pull that is not saved if the value comes back", PULL, {
    find: "if ($change.$metadata?.$changes($base.$header.$lifetime)) return true;",
    replace: "",
  }),
  {
    name: "a lifetime that the first of two requests sets",
    find: "return $set === undefined ? $lifetime : $set.value;",
    replace: "return $lifetime ?? $set?.value;",
    by: "lost",
  },
  {
    name: "a lifetime that another user takes over",
    find: "$nextLifetime($isNewSubject ? undefined : $header.$lifetime, $change);",
    replace: "$nextLifetime($header.$lifetime, $change);",
    by: "lost",
  },
  mistake("a new lifetime whose cookie is not sent", LIFETIMES, {
    find: "const $isSent = $change.$metadata?.$changesLifetime($stored.$header.$lifetime) ||",
    replace: "const $isSent =",
  }),
  mistake("a cookie that outlives the browser against the lifetime", LIFETIMES, {
    find: "return $lifetime && ($lifetime.persistent ?? this.$state.maxAge !== false);",
    replace: "return $lifetime && (this.$state.maxAge !== false);",
  }),
  mistake("a lifetime above absoluteExpire", LIFETIMES, {
    find: "return Math.min($lifetime?.absolute ?? Infinity, $absoluteExpire);",
    replace: "return $lifetime?.absolute ?? $absoluteExpire;",
  }),
  mistake("a touch interval that does not follow the lifetime", LIFETIMES, {
    find: "const $most = $idleOf($header, $options) / $touches;",
    replace: "const $most = $options.expire / $touches;",
  }),
  mistake("a record that the store drops before its lifetime ends", LIFETIMES, {
    beside: "export class SessionWriter {",
    find: "const $idle = $idleOf($header, $options);",
    replace: "const $idle = $options.expire;",
  }),
  mistake("an index that the store drops before a lifetime ends", LIFETIMES, {
    find: "return Math.max($min, 2 * (this.$maxActive + $idle));",
    replace: "return Math.max($min, 2 * this.$maxActive);",
  }),
  mistake("a longer life of a session in use that its index does not know", LIFETIMES, {
    find: "if (!$isChanged && !$index.$entries.$isConfirmDue($session)) return undefined;",
    replace: "if (!$index.$entries.$isConfirmDue($session)) return undefined;",
  }),
  mistake("a root that does not know the lives in its shards", LIFETIMES, {
    find: "return [$withIdle($next, $idle), { $generation, $level, $sealed }];",
    replace: "return [$next, { $generation, $level, $sealed }];",
  }),
  mistake("a logout that forgets the session's earlier lifetimes", LIFETIMES, {
    find: "const $lifetime = Math.ceil(Math.max($options.ttl, $found?.$lifetime ?? 0));",
    replace: "const $lifetime = 0;",
  }),
  mistake("a value with a lifetime that no revocation knows", LIFETIMES, {
    find: "Math.abs($lifetime - $opened.$lifetime) <= $slack ||",
    replace: "true ||",
  }),
  mistake(
    "a revocation by ID that expires before a remembered session",
    ["tests/unit/core/backend/cookie_test.ts"],
    {
      find: "const $ttl = $version === $known ? $longest : Math.ceil(this.$maxAge) + 1;",
      replace: "const $ttl = Math.ceil(this.$maxAge) + 1;",
    },
  ),
  mistake("chunks of two writes that are combined", CHUNKS, {
    find: "$chunksAt($at).filter(($one) => $one.startsWith($write))",
    replace: "$chunksAt($at)",
  }),
  mistake("assemblies without a limit", CHUNKS, {
    find: ".slice(0, $max + 1); } return $found.length === 0 ? [$first] : $found;",
    replace: ";\n}\nreturn $found.length === 0 ? [$first] : $found;",
  }),
  mistake("chunks that are not cleared when the session shrinks", CHUNKS, {
    find: "this.$clearFrom($values.length, $headers, $options.scope);",
    replace: "",
  }),
  mistake("a logout that clears one chunk", CHUNKS, {
    find: 'for (const $cookie of this.$cookies) $headers.push(["set-cookie", $cookie.clear()]);',
    replace: '$headers.push(["set-cookie", this.$cookies[0]!.clear()]);',
  }),
  mistake("chunks that take more bytes than maxBytes", CHUNKS, {
    find: "const $spread = Math.min($maxBytes, $chunks * $max) - $chunks * $overhead;",
    replace: "const $spread = $chunks * $max - $chunks * $overhead;",
  }),
  mistake("a store that does not know how much its State can send", CHUNKS, {
    beside: "class CookieBackend implements Backend {",
    find: "this.$maxBytes = $carrier.maxValueBytes;",
    replace: "",
  }),
  mistake("an event about a large session with each request", CHUNKS, {
    beside: "class CookieStore implements SealingStore {",
    find: "this.$report = undefined; }",
    replace: "}",
  }),
  mistake("a changed fallback that is not reported", FALLBACKS, {
    find: "this.$fallbacks.check(this.workingCopy);",
    replace: "",
  }),
  mistake("a stored fallback that is reported", FALLBACKS, {
    find: "&& !Object.values(this.$data).includes($fallback);",
    replace: ";",
  }),
  mistake("plain data that loses the lifetime", LIFETIMES, {
    find: "if ($header.$lifetime !== undefined) $data._lifetime = $header.$lifetime;",
    replace: "",
  }),
  mistake("an end that does not know what others have set", LIFETIMES, {
    find: "if (this.$saved !== undefined) return this.$saved.$lifetime;\n" +
      "const { $isRestarted, $data } = this.$workingCopy;",
    replace: "const { $isRestarted, $data } = this.$workingCopy;",
  }),
  mistake("an end of a session that the request has ended", LIFETIMES, {
    find: '$mode === "ambiguous" || this.$isOver()',
    replace: '$mode === "ambiguous"',
  }),
  mistake("an end that counts from the start of a long request", LIFETIMES, {
    find: "Math.max(this.$workingCopy.$lastAccess, this.$doneAt ?? this.$repository.now())",
    replace: "this.$workingCopy.$lastAccess",
  }),
  mistake("an end after that of the cookie", LIFETIMES, {
    find: "return this.$backend.$isWithClient ? Math.min($left, $max) : $left;",
    replace: "return $left;",
  }),
  mistake("a held session that is touched by the middleware's interval", LIFETIMES, {
    beside: "export class HeldSession",
    find: "this.$quietUntil = $now + $interval;",
    replace: "this.$quietUntil = $now + 180;",
  }),
];
