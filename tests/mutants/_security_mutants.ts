/** Mistakes that help an attacker. Other session libraries have made each of them. */
import { mistake, type Mutant } from "./_mutant.ts";

const FORGERY = ["forged_cookies_test.ts"];
const SEAL = ["hourly_format_test.ts"];
const NAMES = ["names_test.ts", "hourly_format_test.ts"];
const FIXATION = ["fixation_test.ts"];
const MIGRATING = ["migrating_state_test.ts"];
const TOSSING = ["cookies_of_sibling_hosts_test.ts"];
const IDS = ["id_source_test.ts"];
const INVENTED = ["unknown_ids_test.ts"];
const LEAKS = ["no_leaks_test.ts", "no_leaks_by_drivers_test.ts"];
const REDACTION = ["redact_error_test.ts"];
const CSRF = ["csrf_test.ts"];
const CACHES = ["shared_caches_test.ts"];

/** Mistakes with encrypted cookies. */
const forging: Mutant[] = [
  mistake("a decryption that ignores the tag", FORGERY, {
    find: "return new Uint8Array(await crypto.subtle.decrypt($parameters, $key, $sealed));\n" +
      '} catch ($error) { if (!($error instanceof Error) || $error.name !== "OperationError") throw $error;',
    // GCM encrypts zeros to the key stream, and XOR with that decrypts.
    replace:
      "return new Uint8Array(await crypto.subtle.decrypt($parameters, $key, $sealed));\n} catch {\n" +
      "const body = ($sealed as Uint8Array).subarray(0, -16);\n" +
      "const zeros = new Uint8Array(body.length);\n" +
      "const stream = await crypto.subtle.encrypt($parameters, $key, zeros);\n" +
      "return new Uint8Array(stream, 0, body.length).map((byte, at) => byte ^ body[at]!);",
  }),
  mistake("a sealed cookie that is not bound to its purpose", FORGERY, {
    find: "this.$own = $purpose; if ($remembered !== undefined) this.$cache =",
    replace: 'this.$own = ""; if ($remembered !== undefined) this.$cache =',
  }),
  mistake("a sealed cookie that is not bound to the name of its cookie", FORGERY, {
    find: "$name === undefined ? `${$version} ${this.$purpose}`",
    replace: "$name !== null ? `${$version} ${this.$purpose}`",
  }),
  mistake("a purpose and a name that are joined without a separator of their own", NAMES, {
    find: ": JSON.stringify([$version, this.$purpose, $name])",
    replace: ": `${$version} ${this.$purpose} ${$name}`",
  }),
  mistake("a sealed session that is opened without the name of its cookie", NAMES, {
    find: "this.$store.open($presented, { maxAge: $longest, name, $signal })",
    replace: "this.$store.open($presented, { maxAge: $longest, $signal })",
  }),
  mistake("a header that counts as the cookie of the same name", NAMES, {
    find: "this.name = `header ${this.$headerName}`;",
    replace: "this.name = this.$headerName;",
  }),
  mistake("a renamed cookie that is opened under its new name", NAMES, {
    find: "return { id: $ids.length === 1 ? $ids[0]! : $ids, mustInject: true, $name };",
    replace: "return { id: $ids.length === 1 ? $ids[0]! : $ids, mustInject: true };",
  }),
  mistake("a cookie renamed twice that is opened under its second name", NAMES, {
    find: "return $carried($extracted.id, $extracted.name ?? $name);",
    replace: "return $carried($extracted.id, $name);",
  }),
  mistake("a key that does not depend on the secret", FORGERY, {
    find: 'subtle.importKey("raw", $bytesOf(this.$secret), "HKDF", false, ["deriveKey"])',
    replace: 'subtle.importKey("raw", $bytesOf("label"), "HKDF", false, ["deriveKey"])',
  }),
  mistake("a sealed cookie whose hour is not checked", FORGERY, {
    find: "if ($bytes[0] !== $version || !this.$canBeFrom($hour, $maxAge)) return undefined;",
    replace: "if ($bytes[0] !== $version) return undefined;",
  }),
  mistake("a remembered cookie that opens under any name", SEAL, {
    find: "if ($known === undefined || $known.$name !== $name) return",
    replace: "if ($known === undefined) return",
  }),
  mistake("a remembered cookie whose hour is not checked", SEAL, {
    find: "return this.$canBeFrom($known.$hour, $maxAge) ? " +
      "this.$unlessExpired($known.$session) : undefined;",
    replace: "return this.$unlessExpired($known.$session);",
  }),
  mistake("a remembered cookie that never expires", SEAL, {
    find: "return this.$canBeFrom($known.$hour, $maxAge) ? " +
      "this.$unlessExpired($known.$session) : undefined;",
    replace: "return this.$canBeFrom($known.$hour, $maxAge) ? $known.$session : undefined;",
  }),
  mistake("a remembered cookie with the session as it was before it was sealed", SEAL, {
    find: "const $remembered = { session: $unpack($plain), $hour, $name };",
    replace: "const $remembered = { session, $hour, $name };",
  }),
  mistake("a sealed session that never expires", FORGERY, {
    find: "return this.$now() / 1000 > $session.lastAccess + $session.$lifetime " +
      "? undefined : $session;",
    replace: "return $session;",
  }),
  mistake("a nonce that is always the same", FORGERY, {
    find: "crypto.getRandomValues($bytes.subarray($from, $to)); const $plain =",
    replace: "const $plain =",
  }),
  mistake("a base64 decoder that accepts several texts for the same bytes", FORGERY, {
    find: "return this.$encode($bytes) === $text ? $bytes : undefined;",
    replace: "return $bytes;",
  }),
  mistake("a CookieStore that does not look up revocations", FORGERY, {
    beside: "class CookieStore",
    find:
      "return $isValid($id, $found) ? $opened : { ...$opened, $replacedAt: $found!.$lastAccess };",
    replace:
      "return $isValid($id, undefined) ? $opened : { ...$opened, $replacedAt: $found!.$lastAccess };",
  }),
  mistake("a failure of the crypto library that counts as a wrong key", [
    "tests/unit/store/cookie_test.ts",
    "sealed_tampering_test.ts",
  ], {
    find: 'if (!($error instanceof Error) || $error.name !== "OperationError") throw $error;',
    replace: "",
  }),
];

/** Mistakes that allow session fixation. */
const planting: Mutant[] = [
  mistake("a client's ID that is adopted for a new session", FIXATION, {
    find: "return this.$backend.accepts($extracted) ? " +
      "this.$repository.find($extracted, $name) : $unknown;",
    replace: "if (!this.$backend.accepts($extracted)) return $unknown;\n" +
      "const found = this.$repository.find($extracted, $name);\n" +
      "const adopt = (lookup: Lookup) => {\n" +
      'if (lookup.status === "absent") {\n' +
      "const { ids } = this as { ids: { reserve?: unknown } };\n" +
      "ids.reserve = () => (delete ids.reserve, () => $extracted);\n" +
      "}\n" +
      "return lookup;\n" +
      "};\n" +
      "return isPromise(found) ? found.then(adopt) : adopt(found);",
  }),
  mistake("regenerate() that keeps the ID", FIXATION, {
    find: "return Boolean($data._regenerated) || (",
    replace: "return (",
  }),
  mistake("a new subject that keeps the ID, on every store", FIXATION, {
    find: "return Boolean($data._regenerated) || " +
      "(this.$stored !== undefined && this.$stored.$subject !== $data._subject);",
    replace: "return Boolean($data._regenerated);",
  }),
  mistake("a regeneration that leaves the old ID usable", FIXATION, {
    find: "const $replaced = { $verifier: $header.$verifier, $isRotated: $isRotation, $at };",
    replace: "const $replaced = { $verifier: $header.$verifier, $isRotated: true, $at };",
  }),
  mistake("two sessions of which the one from a sibling domain is used", [
    "no_leaks_test.ts",
    "lifecycle_commit_test.ts",
  ], {
    find: "if (!$isSameSession($found.$key, $best.$key)) return this.$refuse();",
    replace: "if (!$isSameSession($found.$key, $best.$key)) return $best;",
  }),
];

/** Mistakes with several session cookies in one request. */
const tossing: Mutant[] = [
  mistake("too many IDs of which the first four are used", TOSSING, {
    find: "if ($accepted.length > $limit) return this.$refuse();",
    replace: "$accepted.length = Math.min($accepted.length, $limit);",
  }),
  mistake("a MigratingState that adopts the first four of too many old cookies", MIGRATING, {
    beside: "class MigratingState",
    find: "if ($values.length > $limit) return $own;",
    replace: "$values = $values.slice(0, $limit);",
  }),
  mistake("a LegacyCookie that accepts the first four of too many cookies", MIGRATING, {
    beside: "class LegacyCookie",
    find: "return $values.length > $limit ? $none : this.$decodeAll($values);",
    replace: "return this.$decodeAll($values.slice(0, $limit));",
  }),
  mistake("a client with two sessions that is treated as new", TOSSING, {
    beside: "let $best: $Lookup = $extracted.length === 0 ? $none : $unknown;",
    find: 'return { $status: "ambiguous" };',
    replace: "return $unknown;",
  }),
  mistake("several IDs of which the first is used, even if it has no session", TOSSING, {
    find: "} else if ($isBetter($found, $best)) $best = $found;",
    replace: "} else return $found;",
  }),
];

/** Mistakes with IDs that nobody issued, and with visitors without a session. */
const flooding: Mutant[] = [
  mistake("a request that gets an ID although nothing was written", INVENTED, {
    beside: "this.$created = $origin.created; this.$stored = $origin.stored;",
    find: 'switch ($outcome.$kind) { case "none": return;',
    replace: "switch ($outcome.$kind) {\n" +
      'case "none":\n' +
      "if (this.$stored === undefined && this.$created > 0) {\n" +
      "this.#options.state.inject(headers, this.workingCopy.recordId, {});\n" +
      "}\n" +
      "return;",
  }),
  mistake("a random generator that falls back to a weaker one", IDS, {
    find: "const $bytes = crypto.getRandomValues(this.$random);",
    replace: "let $bytes = this.$random;\n" +
      "try { crypto.getRandomValues($bytes); }\n" +
      "catch { $bytes = $bytes.map(() => Math.random() * 256); }",
  }),
  mistake("an ID of generateId that is not checked", IDS, {
    find: "if (this.$isValid($id)) return $id;",
    replace: "if ($id !== undefined) return $id;",
  }),
  mistake("a session that is stored although nothing was written", INVENTED, {
    find: 'if ($isSaved) return { $kind: "created", $change };',
    replace: 'if ($isSaved !== null) return { $kind: "created", $change };',
  }),
  mistake("a store call for a malformed ID", INVENTED, {
    find: "return this.$store.accepts?.($id) ?? $isId($id);",
    replace: "return true;",
  }),
  mistake("an ID with text around it that counts as well-formed", INVENTED, {
    find: 'return typeof $text === "string" && $text.length === $digits && !$wrong.test($text);',
    replace: "return /[0-9a-f]{64}/i.test($text);",
  }),
];

/** Mistakes that reveal IDs, secrets or data. */
const leaking: Mutant[] = [
  mistake("a driver's error that is not redacted", LEAKS, {
    find: '$storeError($operation, "...", $redact($cause, [$id, $text]))',
    replace: '$storeError($operation, "the store failed", $cause)',
  }),
  mistake("a redacted error with a property named after the ID", REDACTION, {
    find: "if ($quotes(String($key), $secrets)) return false;",
    replace: "",
  }),
  mistake("an ID in an error message", LEAKS, {
    find: 'if ($found.$status === "active" && this.$may($target, $found)) return $found; ' +
      'throw new SessionError("ERR_SESSION_INTERRUPTED", "...",',
    replace: 'if ($found.$status === "active" && this.$may($target, $found)) return $found;\n' +
      'throw new SessionError("ERR_SESSION_INTERRUPTED", `Cannot update ${String($target)}`,',
  }),
  mistake("IDs in the message of an event", LEAKS, {
    find: "if (Array.isArray($ids)) return this.$choose([...new Set($ids)], $name);",
    replace: "if (Array.isArray($ids)) {\n" +
      'this.options.emit({ type: "ambiguous", message: $ids.join() });\n' +
      "return this.$choose([...new Set($ids)], $name);\n" +
      "}",
  }),
  mistake("an error message that quotes the cookie's value", LEAKS, {
    beside: "; Max-Age=0",
    find: 'if (!$allowed.test($value)) { throw new TypeError("...");',
    replace: "if (!$allowed.test($value)) { throw new TypeError(`Cannot set ${$value}`);",
  }),
  mistake("a warning on the console", LEAKS, {
    find: "try { $listen($event); } catch",
    replace: "try {\n$listen($event);\nconsole.warn($event.message);\n} catch",
  }),
  mistake("session data in a response header", LEAKS, {
    find: "this.$state.inject($headers, $transport, { expire, persistent, scope: this.$scope });",
    replace: "this.$state.inject($headers, $transport, { expire });\n" +
      '$headers.push(["x-session", JSON.stringify(this.workingCopy.data)]);',
  }),
  mistake("a redacted error that quotes a record in hex", REDACTION, {
    find: "if ($hex.test($line)) return true;",
    replace: "",
  }),
  mistake("a redacted error with an unredacted cause", REDACTION, {
    find: "$cause === undefined ? undefined : { cause: $inner($cause) }",
    replace: "{ cause: $cause }",
  }),
  mistake("a signature that is compared as text", ["legacy_cookie_test.ts"], {
    beside: "this.$secrets = [...$list];",
    find: "for (const $key of await this.$keys) {\n" +
      "if (await crypto.subtle.verify($HMAC, $key, $signature, $bytesOf($value))) return $value; }",
    replace: "for (const secret of this.$secrets) {\n" +
      'const key = await crypto.subtle.importKey("raw", $bytesOf(secret), $HMAC, false, ["sign"]);\n' +
      "const made = await crypto.subtle.sign($HMAC, key, $bytesOf($value));\n" +
      "if (new Uint8Array(made).join() === $signature.join()) return $value;\n}",
  }),
  mistake("a HashedStore whose keys are the IDs", ["tests/guarantees/long/at_rest_test.ts"], {
    find: "const $key = await $sha256($id); const $answer = await $ask($key, $options);",
    beside: "class HashedStore",
    replace: "const $key = $id; const $answer = await $ask($key, $options);",
  }),
];

/** Mistakes that let a cache store a session ID. */
const caching: Mutant[] = [
  mistake("an ID in a response that caches may store", CACHES, {
    find: 'if (!$caching.has("cache-control")) $added.push(["cache-control", "no-store"]);',
    replace: "",
  }),
  mistake("a response that depends on the session and has no Vary header", CACHES, {
    find: "return this.$copy.$isAccessed ? this.$options.$state.vary ?? [] : [];",
    replace: "return [];",
  }),
  mistake("a refused access to the session that does not add Vary", CACHES, {
    find: 'this.$copy.$isAccessed = true; if ($mode !== "writable") throw',
    replace: 'if ($mode !== "writable") throw',
  }),
  mistake("a read of the session that does not add Vary", CACHES, {
    find: "$read(): $Values { this.$copy.$isAccessed = true; return this.$copy.$data;",
    replace: "$read(): $Values {\nreturn this.$copy.$data;",
  }),
  mistake("a public response with an ID and without an event", CACHES, {
    find: 'if ($has("public") || ',
    replace: "if (",
  }),
  mistake("a response with an ID that any cache may store, without an event", CACHES, {
    find: 'return !$has("no-cache") || Boolean(',
    replace: "return Boolean(",
  }),
  mistake("a response with an ID that a cache serves after it has asked", CACHES, {
    find:
      'return !$has("no-cache") || Boolean($headers.get("etag") || $headers.get("last-modified"));',
    replace: 'return !$has("no-cache");',
  }),
  mistake("a quoted string that counts as a directive", CACHES, {
    find: '$value.replace($QUOTED, "...").toLowerCase()',
    replace: "$value.toLowerCase()",
  }),
  mistake("a header for one kind of cache that lets it store an ID", CACHES, {
    find:
      'for (const $name of new Set(["cache-control", ...$sharing])) $added.push([$name, $PRIVATE]);',
    replace: '$added.push(["cache-control", $PRIVATE]);',
  }),
  mistake("headers for one kind of cache that nobody looks at", CACHES, {
    find: 'return $name.endsWith("cache-control") || $SURROGATES.includes($name);',
    replace: 'return $name === "cache-control";',
  }),
  mistake("a response with an ID that may be stored until it expires", CACHES, {
    find: '!$caching.has("cache-control") && Date.parse($value) > $now()',
    replace: "false",
  }),
  mistake("an error's response with a cookie that caches may store", CACHES, {
    find: "if ($headers.length > 0) $protect($headers, $response.headers, $options);",
    replace: "",
  }),
];

const RESPONSES = ["unusual_responses_test.ts"];

/** Mistakes with the kinds of Response that a handler can return. */
const answering: Mutant[] = [
  mistake("a frozen response that is not copied", RESPONSES, {
    find: "Object.isExtensible($response) ? $response : $response.clone()",
    replace: "$response",
  }),
  mistake("a copy of Response.error()", RESPONSES, {
    find: "if ($status === 101 || $status === 0) {",
    replace: "if ($status === 101) {",
  }),
  mistake("a stream of Node of which a second copy is not read", RESPONSES, {
    find: "if (!($response instanceof Response)) return Boolean(($response as Response).body);",
    replace: "",
  }),
  mistake("a stream of another library that becomes a text", RESPONSES, {
    find: 'if ($body && typeof $body.getReader !== "function") throw',
    replace: "if (false) throw",
  }),
  mistake("a second middleware that takes its client for another one", RESPONSES, {
    find: "const $isAgain = $before !== undefined && $before !== $request; if (",
    replace: "const $isAgain = $before !== undefined;\nif (",
  }),
  mistake("a response that is sent to a second client with the cookie of the first", RESPONSES, {
    find: "if ($isReturnedAgain && $response[$IS_CHANGED]) throw $returnedTwice();",
    replace: "",
  }),
];

/** Mistakes with requests of other sites. */
const crossing: Mutant[] = [
  mistake("a CSRF token that is not compared", CSRF, {
    find: "if ($link.isCsrfToken($given)) return;",
    replace: "return;",
  }),
  mistake("a CSRF token without which a request of the app's own origin passes", CSRF, {
    find: "const $given = $token ?? $headers.get($HEADER) ?? await $fieldOf($request, $headers);",
    replace: 'if ($headers.has("sec-fetch-site") && !$headers.has($HEADER)) return;\n' +
      "const $given = $token ?? $headers.get($HEADER) ?? await $fieldOf($request, $headers);",
  }),
  mistake("a sibling subdomain whose pages count as the app's own", CSRF, {
    find: 'const $OWN_SITES = ["same-origin", "none"];',
    replace: 'const $OWN_SITES = ["same-origin", "same-site", "none"];',
  }),
  mistake("an Origin of another host that passes with a token", CSRF, {
    find: "if ($scope instanceof RequestScope) $hosts.push(new URL($scope.request.url).host); " +
      "return $isOwnOrigin($origin, $hosts);",
    replace: "return true;",
  }),
  mistake("a CSRF token that a login leaves valid", CSRF, {
    find: "return `${$isId($id) ? $keyOf($id) : $id} ${$regenerations}`;",
    replace: "return `${$isId($id) ? $keyOf($id) : $id}`;",
  }),
  mistake("a CSRF token that does not depend on its session", CSRF, {
    find: "$toUtf8(`${$LABEL} ${$salt} ${$binding}`)",
    replace: "$toUtf8(`${$LABEL} ${$salt}`)",
  }),
  mistake("a CSRF token of a new session that is not saved", CSRF, {
    find: "if ($stored === undefined) $workingCopy.isNeeded = $workingCopy.maybeDirty = true;",
    replace: "",
  }),
  mistake("the handshake of a WebSocket whose origin is not checked", CSRF, {
    find: "if (($isSafe && !$isHandshake) || $link.isExplicit) return;",
    replace: "if ($isSafe || $link.isExplicit) return;",
  }),
];

export const SECURITY_MUTANTS: readonly Mutant[] = [
  ...forging,
  ...planting,
  ...tossing,
  ...flooding,
  ...leaking,
  ...caching,
  ...answering,
  ...crossing,
];
